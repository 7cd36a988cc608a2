/**
 * Facts of a node as operators get them, where a test needs any.
 *
 * @module
 */

import type { NodeFacts } from "../../http/context.ts";
import { Traffic } from "../../http/traffic.ts";
import { type ColdFacts, Durations, type GroupFacts, type ShardFacts } from "../../shard/mod.ts";

/** Facts of a group that node 2 of three leads, seen from node 1, but for what is given. */
export function groupFacts(more: Partial<GroupFacts> = {}): GroupFacts {
  return {
    id: 0,
    shard: 0,
    member: "1.a",
    followers: [],
    leader: "2.b",
    leads: false,
    voters: ["1.a", "2.b", "3.c"],
    learners: [],
    term: 1,
    lastIndex: 1,
    commitIndex: 1,
    appliedIndex: 1,
    ready: true,
    caughtUp: true,
    coldLacking: 0,
    votes: true,
    hasRoom: true,
    proposals: 0,
    proposalBytes: 0,
    overloads: 0,
    hotBytes: 0,
    coldBytes: 0,
    streams: 0,
    ...more,
  };
}

/** Facts of a shard that has done nothing, without disk, clients and cold tier. */
export function shardFacts(more: Partial<ShardFacts> = {}): ShardFacts {
  return {
    id: 0,
    appends: 0,
    appendBytes: 0,
    reads: 0,
    loopDelay: new Durations().cells,
    writeGapMs: 0,
    diskSlow: false,
    waitsFor: [],
    hotBytes: { now: 0, max: 0, refused: 0 },
    writes: { now: 0, max: 0, refused: 0 },
    kept: { now: 0, max: 0, refused: 0 },
    disk: { freeBytes: undefined, low: false, refused: 0 },
    journal: undefined,
    plane: undefined,
    cold: undefined,
    groups: [],
    ...more,
  };
}

/** Facts of node 1 with these shards, which hears nodes 2 and 3. */
export function nodeFacts(
  shards: readonly ShardFacts[],
  more: Partial<NodeFacts> = {},
): NodeFacts {
  return {
    nodeId: 1,
    clusterId: "c",
    version: "0",
    uptimeMs: 0,
    process: undefined,
    stopping: false,
    draining: false,
    groups: shards.flatMap(({ groups }) => groups),
    shards,
    hears: (member) => ["2.b", "3.c"].includes(member),
    ...more,
  };
}

/** A cold tier every figure of which is another. */
export const COLD_FACTS: ColdFacts = {
  objects: 1,
  bytes: 2,
  hotBytes: 3,
  pinnedBytes: 4,
  flushes: 5,
  flushedBytes: 6,
  uploadFailures: 7,
  readFailures: 8,
  refusals: 9,
  deletedObjects: 10,
  merges: 15,
  mergedBytes: 16,
  cacheBytes: 11,
  fetches: 12,
  blocksFound: 13,
  blocksMissed: 14,
};

/** A shard with something in every figure, as if it had been at work. */
export function busyShard(id: number, groups: readonly GroupFacts[]): ShardFacts {
  const [loopDelay, syncs, traffic] = [new Durations(), new Durations(), new Traffic()];
  for (const ms of [0.3, 1.5, 700]) loopDelay.record(ms + id);
  for (const ms of [0.05, 0.7, 40_000]) syncs.record(ms);
  for (let operation = 0; operation < 4; operation++) {
    traffic.record(operation, 204, 0.2);
    traffic.record(operation, 503, 12 + id);
  }
  return shardFacts({
    id,
    appends: 100 + id,
    appendBytes: 25_600 + id,
    reads: 200 + id,
    loopDelay: loopDelay.cells,
    writeGapMs: 3 + id,
    diskSlow: id === 1,
    waitsFor: [5 + id, 7 + id],
    hotBytes: { now: 11, max: 12, refused: 13 },
    kept: { now: 14, max: 15, refused: 16 },
    disk: { freeBytes: 1e12, low: false, refused: 3 },
    journal: {
      diskBytes: 1 << 20,
      segments: 2,
      writtenBytes: 1 << 30,
      copiedBytes: 77,
      batches: 500,
      fsyncs: 501,
      syncDurations: syncs.cells,
    },
    plane: {
      liveReaders: { now: 17, max: 18, refused: 19 },
      bodies: { now: 20, max: 21, refused: 22 },
      traffic: { responses: traffic.responses, durations: traffic.durations },
    },
    cold: COLD_FACTS,
    groups,
  });
}
