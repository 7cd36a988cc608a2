/** StreamSnapshots through any node: published by one, read from all. */

import assert from "node:assert/strict";
import { patterned } from "../cold/expectations.ts";
import { send } from "../http/client.ts";
import { assertStatus } from "../http/expect.ts";
import { clusterTest } from "./cluster_case.ts";

const BYTES = 9 * 1024 * 1024 + 13;
const TEXT = { "content-type": "text/plain" };

clusterTest(
  "a snapshot that one node takes is read from every node, also from one that was killed and is back",
  { groups: 4 },
  async (cluster) => {
    const path = (id: number) => `/snapshots/s${id}`;
    const { url } = cluster.node(1);
    assertStatus(await send(`${url}/snapshots`, "PUT"), 201);
    for (const node of cluster.nodes) {
      assertStatus(await send(node.url + path(node.id), "PUT", { headers: TEXT, body: "a" }), 201);
      const body = patterned(BYTES, node.id) as Uint8Array<ArrayBuffer>;
      const at = `${path(node.id)}/snapshot/1`;
      assertStatus(await send(node.url + at, "PUT", { headers: TEXT, body }), 204);
    }
    const readAll = async () => {
      for (const writer of cluster.nodes) {
        const bytes = patterned(BYTES, writer.id);
        for (const reader of cluster.nodes) {
          const at = `${reader.url}${path(writer.id)}/snapshot`;
          const answer = await send(at, "GET", { redirect: "follow" });
          assertStatus(answer, 200);
          const same = answer.bytes.every((byte, n) => byte === bytes[n]);
          assert.ok(same && answer.bytes.length === BYTES, `${writer.id} through ${reader.id}`);
        }
      }
    };
    await readAll();
    await cluster.node(1).kill();
    await cluster.node(1).start();
    await cluster.ready();
    await readAll();
  },
);
