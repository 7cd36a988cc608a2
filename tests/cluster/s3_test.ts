/** One bucket for all nodes: leaders die amid their uploads, and any node reads what another wrote. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { patterned } from "../cold/expectations.ts";
import { s3Flags, startS3 } from "../cold/s3_servers.ts";
import { partsOf } from "../given/multipart.ts";
import { send } from "../http/client.ts";
import { assertStatus, pause } from "../http/expect.ts";
import { Bulk } from "./bulk.ts";
import type { Cluster } from "./cluster.ts";
import { withCluster } from "./cluster_case.ts";

const MIB = 1 << 20;
const GROUPS = 4;
const KILLS = 3;
/** Objects are small, so that there is always one on its way. */
const FLUSH = ["--cold-flush-bytes", "64KiB", "--cold-flush-interval-ms", "50"];
/** More than one request takes. */
const SNAPSHOT_BYTES = 20 * MIB + 13;
const TYPE = { "content-type": "application/octet-stream" };

async function onS3(work: (cluster: Cluster) => Promise<void>): Promise<void> {
  const s3 = await startS3();
  const { args, env } = s3Flags(s3);
  try {
    await withCluster({ groups: GROUPS, args: [...args, ...FLUSH], env }, work);
  } finally {
    await s3.stop();
  }
}

Deno.test("leaders that are killed amid their uploads leave every byte for every node", () =>
  onS3(async (cluster) => {
    const options = { streams: 16, bytes: MIB, messageBytesMax: 16 << 10 };
    const bulks: Bulk[] = [];
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        const bulk = new Bulk({ ...options, bucket: `uploads-${bulks.length}` });
        bulks.push(bulk);
        await bulk.write(cluster.nodes);
      }
    })();
    // It is awaited below, whatever happens before.
    writing.catch(() => {});
    try {
      for (let kill = 0; kill < KILLS; kill++) {
        await pause(1_000);
        const groups = await cluster.running[0]?.groups() ?? [];
        const leader = cluster.node(groups[kill % GROUPS]?.leader ?? 1);
        await leader.kill();
        await leader.start();
      }
    } finally {
      isOver = true;
      await writing;
    }
    for (const node of cluster.nodes) for (const bulk of bulks) await bulk.check(node);
    assert.ok(bulks.length > 0);
  }));

Deno.test("a snapshot that one node uploads is read, and bootstraps, through the others", () =>
  onS3(async (cluster) => {
    const [writer, ...readers] = cluster.nodes;
    assert.ok(writer !== undefined);
    assertStatus(await send(`${writer.url}/shared`, "PUT"), 201);
    const path = "/shared/one";
    const body = patterned(SNAPSHOT_BYTES) as Uint8Array<ArrayBuffer>;
    assertStatus(await send(writer.url + path, "PUT", { headers: TYPE, body: "before" }), 201);
    const at = `${writer.url}${path}/snapshot/6`;
    assertStatus(await send(at, "PUT", { headers: TYPE, body }), 204);
    assertStatus(await send(writer.url + path, "POST", { headers: TYPE, body: "after" }), 204);
    for (const reader of readers) {
      const found = await send(`${reader.url}${path}/snapshot`, "GET", { redirect: "follow" });
      assertStatus(found, 200);
      assert.equal(Buffer.compare(found.bytes, body), 0, `through node ${reader.id}`);
      const bootstrap = await send(`${reader.url}${path}/bootstrap`, "GET");
      assertStatus(bootstrap, 200);
      const parts = await partsOf(bootstrap.headers.get("content-type") ?? "", bootstrap.bytes);
      assert.deepEqual(parts.map(({ bytes }) => bytes.length), [SNAPSHOT_BYTES, 5]);
      assert.equal(Buffer.compare(parts[0]?.bytes ?? new Uint8Array(), body), 0);
    }
  }));
