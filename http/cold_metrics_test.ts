import assert from "node:assert/strict";
import type { ColdFacts, ShardFacts } from "../shard/mod.ts";
import { givenPlane } from "../tests/given/plane.ts";
import { coldLines, coldMetrics } from "./cold_metrics.ts";

const COLD: ColdFacts = {
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

function shardOf(id: number, cold: ColdFacts | undefined): ShardFacts {
  return {
    id,
    hotBytes: { now: 0, max: 0, refused: 0 },
    disk: { freeBytes: undefined, low: false, refused: 0 },
    plane: undefined,
    kept: { now: 0, max: 0, refused: 0 },
    cold,
  };
}

Deno.test("coldMetrics() adds up the shards", () => {
  assert.deepEqual(coldMetrics([shardOf(0, COLD), shardOf(1, { ...COLD, objects: 100 })]), {
    objects: 101,
    bytes: 4,
    hot_bytes: 6,
    pinned_bytes: 8,
    backlog_bytes: 14,
    flushes: 10,
    flushed_bytes: 12,
    upload_failures: 14,
    read_failures: 16,
    failures: 30,
    backpressure_events: 18,
    deleted_objects: 20,
    merges: 30,
    merged_bytes: 32,
    cache_bytes: 22,
    fetches: 24,
    blocks_found: 26,
    blocks_missed: 28,
  });
});

Deno.test("coldLines() are in the Prometheus text format", () => {
  const lines = coldLines([shardOf(0, COLD)]);
  assert.deepEqual(lines.slice(0, 3), [
    "# HELP ursula_cold_objects Objects that the groups know of.",
    "# TYPE ursula_cold_objects gauge",
    "ursula_cold_objects 1",
  ]);
  assert.ok(lines.includes("# TYPE ursula_cold_backpressure_total counter"));
  assert.ok(lines.includes("ursula_cold_backpressure_total 9"));
});

Deno.test("a node that keeps all in memory has no figures of a cold tier", () => {
  assert.equal(coldMetrics([shardOf(0, undefined)]), null);
  assert.deepEqual(coldLines([shardOf(0, undefined)]), []);
});

Deno.test("a node's metrics have figures of its cold tier, and of each group's part", async () => {
  const bare = await givenPlane();
  assert.equal((await (await bare.ask("GET", "/__ursula/metrics")).json()).cold, null);
  await bare.close();
  const { ask, close } = await givenPlane({}, {
    cold: {
      backend: { kind: "memory" },
      formation: "f0f0f0f0f0f0f0f0",
      flushIntervalMs: 1_000,
      flushMinHotBytes: 1 << 20,
      flushMaxBytes: 1 << 20,
      flushesMax: 1,
      hotBytesPerGroupMax: 64 << 20,
      keepsMs: 3_600_000,
      cacheBytesMax: 1 << 20,
    },
  });
  await ask("PUT", "/v1/stream/a", "abc");
  const { cold, raft_groups } = await (await ask("GET", "/__ursula/metrics")).json();
  assert.deepEqual([cold.objects, cold.backlog_bytes, cold.failures], [0, 3, 0]);
  assert.deepEqual(raft_groups.map((group: { cold_bytes: number }) => group.cold_bytes), [0, 0]);
  assert.match(await (await ask("GET", "/metrics")).text(), /^ursula_cold_hot_bytes 3$/m);
  await close();
});
