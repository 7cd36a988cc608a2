/**
 * The end of a run: every byte of every stream through every node, and that the replicas agree.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Cluster } from "../cluster/cluster.ts";
import type { ClusterNode } from "../cluster/cluster_node.ts";
import { eventually } from "../http/expect.ts";
import { bootstrap, BUCKET, head, read, readSnapshot } from "./operations.ts";
import type { Requests } from "./requests.ts";
import type { StreamModel } from "./stream_model.ts";

const AGREE_MS_MAX = 30_000;
const READERS = 8;
const LISTED_MAX = 1_000;

/** Compares everything; answers how many bytes. @throws Error at the first difference */
export async function verify(
  cluster: Cluster,
  requests: Requests,
  streams: readonly StreamModel[],
): Promise<number> {
  await cluster.ready();
  await eventually(() => agree(cluster), "all replicas have applied the same", AGREE_MS_MAX);
  let bytes = 0;
  await Promise.all(cluster.nodes.map(async (node) => {
    await verifyListing(node, requests, streams);
    const left = [...streams];
    const reader = async () => {
      for (let model = left.pop(); model !== undefined; model = left.pop()) {
        await head(requests, model, node);
        await read(requests, model, model.earliest, () => 0, node);
        await readSnapshot(requests, model, node);
        await bootstrap(requests, model, node);
        bytes += model.tail - model.earliest;
      }
    };
    await Promise.all(Array.from({ length: READERS }, reader));
  }));
  return bytes;
}

/** The bucket lists these streams and no others, each with its tail. */
async function verifyListing(
  node: ClusterNode,
  requests: Requests,
  streams: readonly StreamModel[],
): Promise<void> {
  const path = `${BUCKET}/streams?limit=${LISTED_MAX}`;
  const { status, text } = await requests.send({ method: "GET", path }, node);
  assert.equal(status, 200, text);
  const listed = (JSON.parse(text) as { streams: { stream_id: string; tail_offset: number }[] })
    .streams.map(({ stream_id, tail_offset }) => [`${BUCKET}/${stream_id}`, tail_offset]);
  const expected = streams.map(({ path, tail }) => [path, tail]).sort();
  assert.deepEqual(listed.sort(), expected, `what node ${node.id} lists`);
}

/** Do the replicas of each group say the same of it? */
async function agree(cluster: Cluster): Promise<boolean> {
  const told = await Promise.all(cluster.nodes.map(groupsOf));
  return new Set(told).size === 1;
}

async function groupsOf({ url }: ClusterNode): Promise<string> {
  const response = await fetch(`${url}/__ursula/metrics`, { signal: AbortSignal.timeout(5_000) });
  const { raft_groups } = await response.json() as { raft_groups: Record<string, unknown>[] };
  return JSON.stringify(raft_groups.map((group) => [
    group.id,
    group.last_applied_index,
    group.committed_index,
    group.streams,
    group.cold_bytes,
    group.cold_objects_lacking,
  ]));
}
