/** SIGTERM under load: leaderships are handed over, and the node ends in good order. */

import assert from "node:assert/strict";
import { pause } from "../http/expect.ts";
import { Cluster } from "./cluster.ts";
import { clusterTest } from "./cluster_case.ts";
import type { ClusterNode } from "./cluster_node.ts";
import { Load } from "./load.ts";

/** SPEC section 8. */
const STOP_MS_MAX = 10_000;

clusterTest(
  "a rolling restart by SIGTERM loses nothing and ends every node with 0",
  {},
  (cluster) =>
    Load.during(cluster, {}, async (load) => {
      for (const node of cluster.nodes) {
        await load.fault(`SIGTERM of node ${node.id}`, () => node.stop());
        await load.fault(`start of node ${node.id}`, () => node.start());
      }
    }),
);

Deno.test("a node whose cluster has not formed ends upon SIGTERM, and the cluster forms later", async () => {
  await using cluster = await Cluster.prepare();
  const [first] = cluster.nodes as [ClusterNode];
  await first.launch();
  await answers(first, 503);
  await stopped(first);
  await cluster.startAll();
  await answers(first, 200);
});

clusterTest("a node that is left alone ends upon SIGTERM", {}, async (cluster) => {
  const [first, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
  await Promise.all([second.kill(), third.kill()]);
  await stopped(first);
  await cluster.startAll();
});

clusterTest("a second SIGTERM ends a node at once", { memory: true }, async (cluster) => {
  const [first] = cluster.nodes as [ClusterNode];
  // A body that never ends holds the stop up for as long as requests may take.
  using connection = await Deno.connect(first.address);
  const head = "PUT /v1/stream/a/b HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n";
  await connection.write(new TextEncoder().encode(head));
  await pause(200);
  const before = performance.now();
  Deno.kill(first.server.pid, "SIGTERM");
  await pause(500);
  assert.equal(first.alive, true, "it waits for the request");
  const { code } = await first.server.stop();
  assert.equal(code, 1);
  assert.ok(performance.now() - before < 4_000, "sooner than the request is given up");
  await first.kill();
});

/** SIGTERM; the node ends with 0, in time. */
async function stopped(node: ClusterNode): Promise<void> {
  const before = performance.now();
  await node.stop();
  const ms = performance.now() - before;
  assert.ok(ms < STOP_MS_MAX, `it took ${Math.round(ms)} ms`);
}

/** Resolves once `/readyz` answers so. */
async function answers(node: ClusterNode, status: number): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const response = await fetch(`${node.url}/readyz`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === status) return;
    assert.ok(performance.now() < deadline, `/readyz: ${response?.status}, not ${status}`);
    await pause(50);
  }
}
