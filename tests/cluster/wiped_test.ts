/** A node that comes back without its data is a new node: it never votes as its old self. */

import assert from "node:assert/strict";
import { pause } from "../http/expect.ts";
import type { ClusterNode } from "./cluster_node.ts";
import { clusterTest } from "./cluster_case.ts";
import { Load } from "./load.ts";
import { contentOf } from "./read_back.ts";

const TYPE = { "content-type": "text/plain" };
/** Long enough for many elections. */
const WATCH_MS = 5_000;

clusterTest(
  "two nodes go on beside a third whose data directory was deleted",
  {},
  (cluster) =>
    // No readers: those on the third node would not see everything in the end.
    Load.during(cluster, { readers: 0 }, async (load) => {
      const third = cluster.node(3);
      await load.fault("SIGKILL of node 3", () => third.kill());
      await third.wipe();
      await load.fault("start of node 3 without its data", () => third.launch(), {
        afterMs: 3_000,
      });
      await third.kill();
    }),
);

clusterTest(
  "a node whose data directory was deleted makes no majority with one that missed writes",
  { groups: 4 },
  async (cluster) => {
    const [first, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    const paths = Array.from({ length: 16 }, (_, at) => `/v1/stream/wiped/s${at}`);
    for (const path of paths) {
      assert.equal(await status(first, path, "PUT", "all,"), 201);
    }
    // What 1 and 3 hold, 2 has never seen: 3 without its data must not help 2 to lead.
    await second.kill();
    for (const path of paths) {
      assert.equal(await until204(first, path, "first and third,"), 204);
    }
    await first.kill();
    await third.kill();
    await third.wipe();
    await Promise.all([second.launch(), third.launch()]);

    const deadline = performance.now() + WATCH_MS;
    let asked = 0;
    while (performance.now() < deadline) {
      for (const node of [second, third]) {
        const path = paths[asked++ % paths.length] ?? "";
        for (const method of ["POST", "GET"]) {
          const found = await status(node, path, method, "wrong,");
          const context = `${method} through node ${node.id}`;
          assert.ok(found === undefined || found === 503 || found === 408, `${context}: ${found}`);
        }
      }
      await pause(50);
    }
    // Whatever of those appends waits in a log of node 2 may still be decided, after the others.
    await third.kill();
    await first.start();
    await second.ready();
    for (const node of [first, second]) {
      for (const path of paths) {
        const text = await contentOf(node, path);
        assert.match(text, /^all,first and third,(wrong,)*$/, `${path} through node ${node.id}`);
      }
    }
    console.log(`  ${asked * 2} requests to a false majority, none was answered`);
  },
);

/** The status of one request; undefined when there was no answer. */
async function status(
  node: ClusterNode,
  path: string,
  method: string,
  body: string,
): Promise<number | undefined> {
  try {
    const response = await fetch(node.url + path, {
      method,
      headers: TYPE,
      ...(method === "GET" ? {} : { body }),
      signal: AbortSignal.timeout(300),
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

/** Appends exactly once, however often it is tried. */
async function until204(node: ClusterNode, path: string, body: string): Promise<number> {
  const headers = { ...TYPE, "producer-id": "once", "producer-epoch": "0", "producer-seq": "0" };
  const deadline = performance.now() + 20_000;
  for (;;) {
    const response = await fetch(node.url + path, { method: "POST", headers, body });
    await response.body?.cancel();
    if (response.status === 200 || response.status === 204) return 204;
    if (response.status !== 503 || performance.now() > deadline) return response.status;
    await pause(50);
  }
}
