/** A follower that was down for longer than logs reach back is caught up by RaftSnapshots. */

import assert from "node:assert/strict";
import { clusterTest } from "./cluster_case.ts";
import type { ClusterNode } from "./cluster_node.ts";
import { Load } from "./load.ts";
import { contentOf } from "./read_back.ts";

const BODY_BYTES = 1 << 20;
const BODIES = 112;
const GROUPS = 2;

clusterTest(
  "a follower that missed more than the log holds is caught up, and may then be needed",
  // A log is cut at 16 MiB: 112 MiB on two groups cut both, more than once.
  { groups: GROUPS },
  (cluster) =>
    Load.during(cluster, { streams: 12, readers: 6, paceMs: 30 }, async (load) => {
      const third = cluster.node(3);
      await third.kill();
      const before = performance.now();
      const paths = await bulk(cluster.node(1));
      console.log(`  ${BODIES} MiB written in ${Math.round(performance.now() - before)} ms`);
      const started = performance.now();
      await load.fault("start of node 3, far behind", () => third.start(), { gapMsMax: 10_000 });
      console.log(`  caught up ${Math.round(performance.now() - started)} ms after its start`);
      // Node 3 makes the majority now.
      await load.fault("SIGKILL of node 2", () => cluster.node(2).kill());
      for (const [at, path] of paths.entries()) {
        const text = await contentOf(third, path);
        assert.ok(text === content(at), `${path} through node 3: ${text.length} bytes`);
      }
      await load.fault("start of node 2", () => cluster.node(2).start());
    }),
);

/** Writes all bodies to streams that lie in all groups; answers the paths. */
async function bulk(node: ClusterNode): Promise<string[]> {
  const paths = Array.from({ length: 8 }, (_, at) => `/v1/stream/bulk/s${at}`);
  await Promise.all(paths.map(async (path, at) => {
    await sent(node, path, "PUT", undefined);
    for (let n = 0; n < BODIES / paths.length; n++) await sent(node, path, "POST", body(at));
  }));
  return paths;
}

async function sent(
  node: ClusterNode,
  path: string,
  method: string,
  body: string | undefined,
): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const response = await fetch(node.url + path, {
      method,
      headers: { "content-type": "text/plain" },
      body,
    });
    const text = await response.text();
    if (response.status === 201 || response.status === 204) return;
    // Refused for want of room, nothing applied: it is repeated as it is.
    const overloaded = response.status === 503 && text.includes('"overloaded"');
    if (!overloaded || performance.now() > deadline) {
      throw new Error(`${method} ${path}: ${response.status} ${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function body(at: number): string {
  return String.fromCharCode(97 + at).repeat(BODY_BYTES);
}

function content(at: number): string {
  return body(at).repeat(BODIES / 8);
}
