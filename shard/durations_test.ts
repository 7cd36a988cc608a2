import assert from "node:assert/strict";
import { DURATION_BOUNDS_MS, durationFactsOf, Durations } from "./durations.ts";

const BUCKETS = DURATION_BOUNDS_MS.length + 1;

Deno.test("Durations.record() puts a value into the first bucket whose bound is not below it", () => {
  const durations = new Durations();
  for (const ms of [0, 0.1, 0.11, 30_000, 30_001]) durations.record(ms);
  const { cumulative, count, sumMs } = durationFactsOf([durations.cells]);
  assert.deepEqual([cumulative[0], cumulative[1]], [2, 3]);
  assert.deepEqual(cumulative.slice(-2), [4, 5]);
  assert.deepEqual([cumulative.length, count], [BUCKETS, 5]);
  assert.equal(sumMs, 0.1 + 0.11 + 30_000 + 30_001);
});

Deno.test("Durations.record() counts each bound into its own bucket", () => {
  const durations = new Durations();
  for (const bound of DURATION_BOUNDS_MS) durations.record(bound);
  const { cumulative } = durationFactsOf([durations.cells]);
  assert.deepEqual(cumulative.slice(0, -1), DURATION_BOUNDS_MS.map((_, at) => at + 1));
});

Deno.test("durationFactsOf() adds up shards, and keeps rows apart", () => {
  const [one, other] = [new Durations(2), new Durations(2)];
  one.record(3, 0);
  one.record(7, 1);
  other.record(8, 1);
  const recorded = [one.cells, other.cells];
  assert.deepEqual(
    [0, 1].map((row) => durationFactsOf(recorded, row)).map(({ count, sumMs }) => [count, sumMs]),
    [[1, 3], [2, 15]],
  );
});

Deno.test("durationFactsOf() is empty when nothing was recorded", () => {
  const { cumulative, count, sumMs } = durationFactsOf([]);
  assert.deepEqual([new Set(cumulative), count, sumMs], [new Set([0]), 0, 0]);
});
