/** History that has left memory: it is there after everything was killed, and on every node. */

import assert from "node:assert/strict";
import { s3Flags, startS3 } from "../cold/s3_servers.ts";
import { eventually } from "../http/expect.ts";
import { Bulk } from "./bulk.ts";
import type { Cluster } from "./cluster.ts";
import { clusterTest, withCluster } from "./cluster_case.ts";
import type { ClusterNode } from "./cluster_node.ts";

const MIB = 1 << 20;
/** 256 MiB take a minute; `URSULA_TEST_COLD_MIB` asks for more than the gate does. */
const BYTES = Number(Deno.env.get("URSULA_TEST_COLD_MIB") ?? "64") * MIB;
const TEST_MS_MAX = 2_000 * Math.max(50, BYTES / MIB);
const GROUPS = 4;
const FLUSH = ["--cold-flush-bytes", "1MiB", "--cold-flush-interval-ms", "100"];
/** What stays in memory of each group: less than is worth an object. */
const HOT_BYTES_MAX = GROUPS * 2 * MIB;

Deno.test("every byte of what was flushed is read from each node after all were killed", async () => {
  const args = ["--cold-backend", "fs", ...FLUSH];
  await withCluster({ groups: GROUPS, args }, async (cluster) => {
    const bulk = new Bulk({
      bucket: "cold",
      streams: 16,
      bytes: BYTES,
      messageBytesMax: 128 << 10,
    });
    await timed(`${BYTES / MIB} MiB written`, () => bulk.write(cluster.nodes));
    await killAll(cluster);
    for (const node of cluster.nodes) {
      await isMostlyCold(node);
      await timed(`read through node ${node.id}`, () => bulk.check(node));
    }
  }, TEST_MS_MAX);
});

Deno.test("every byte of what was flushed to S3 is read from each node after all were killed", async () => {
  const s3 = await startS3();
  const { args, env } = s3Flags(s3);
  try {
    await withCluster({ groups: GROUPS, args: [...args, ...FLUSH], env }, async (cluster) => {
      const bytes = BYTES / 4;
      const bulk = new Bulk({ bucket: "cold", streams: 8, bytes, messageBytesMax: 64 << 10 });
      await timed(`${bytes / MIB} MiB written`, () => bulk.write(cluster.nodes));
      await killAll(cluster);
      for (const node of cluster.nodes) {
        await isMostlyCold(node);
        await timed(`read through node ${node.id}`, () => bulk.check(node));
      }
    });
  } finally {
    await s3.stop();
  }
});

clusterTest(
  "in memory mode a node that was lost has every byte once it is replaced",
  { groups: GROUPS, memory: true, args: ["--cold-backend", "memory", ...FLUSH] },
  async (cluster) => {
    const bytes = BYTES / 4;
    const bulk = new Bulk({ bucket: "cold", streams: 8, bytes, messageBytesMax: 64 << 10 });
    await bulk.write(cluster.nodes);
    for (const node of cluster.nodes) await isMostlyCold(node);
    const [first, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    // In the end nobody is left who was there when it was written.
    for (const node of [third, second, first]) {
      await node.kill();
      await timed(`node ${node.id} replaced`, () => node.start());
    }
    for (const node of cluster.nodes) await bulk.check(node);
  },
);

async function killAll(cluster: Cluster): Promise<void> {
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  await timed("start", () => cluster.startAll());
}

/** What a node holds in memory is little: the rest lies in objects. */
async function isMostlyCold(node: ClusterNode): Promise<void> {
  await eventually(
    async () => {
      const groups = await node.groups();
      return groups.reduce((sum, { hotBytes }) => sum + hotBytes, 0) < HOT_BYTES_MAX;
    },
    `node ${node.id} has flushed`,
    20_000,
  );
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const done = await work();
  console.log(`  ${what} in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return done;
}

assert.ok(BYTES > 8 * HOT_BYTES_MAX / 4, "less would never leave memory");
