import assert from "node:assert/strict";
import type { HeldRange } from "../../stream/mod.ts";
import { type Run, RunGatherer } from "./merge_runs.ts";

const RANGE_BYTES = 10;

/** The `n`th range of a stream. */
function rangeOf(key: string, n: number): HeldRange {
  const [from, to] = [n * RANGE_BYTES, (n + 1) * RANGE_BYTES];
  const piece = {
    ...{ number: 1, term: 1, objectBytes: 1 << 20, at: from, length: RANGE_BYTES, rowBytes: 0 },
    ...{ from, to, rangeFrom: from, rangeTo: to },
  };
  return { key, incarnation: "i", piece };
}

/** Runs of each object that ranges become. */
function gathered(ranges: Iterable<HeldRange>, fullBytes = 1 << 30): Run[][] {
  const gatherer = new RunGatherer(fullBytes);
  const objects: Run[][] = [];
  for (const range of ranges) objects.push(gatherer.add(range) ?? []);
  objects.push(gatherer.end() ?? []);
  return objects.filter((runs) => runs.length > 0);
}

function* rangesOf(streams: number, each: number): Generator<HeldRange> {
  for (let s = 0; s < streams; s++) for (let n = 0; n < each; n++) yield rangeOf(`demo/${s}`, n);
}

Deno.test("RunGatherer gives an object no more than may be applied at once", () => {
  for (const [streams, each] of [[10_000, 1], [5_000, 2], [10, 1_000], [1, 10_000]] as const) {
    const objects = gathered(rangesOf(streams, each));
    const pieces = objects.map((runs) => runs.reduce((sum, run) => sum + run.pieces.length, 0));
    assert.equal(pieces.reduce((sum, count) => sum + count, 0), 10_000);
    assert.ok(Math.max(...pieces) <= 4_096 && objects.every((runs) => runs.length <= 2_048));
    assert.equal(objects.length, each === 1 ? 5 : 3);
  }
});

Deno.test("RunGatherer joins what lies next to each other in a stream, and fills objects", () => {
  const [[one, two, ...more] = [], ...others] = gathered(rangesOf(2, 3));
  assert.deepEqual([one?.from, one?.to, two?.from, two?.to], [0, 30, 0, 30]);
  assert.deepEqual([more, others], [[], []]);
  const gap = [rangeOf("demo/a", 0), rangeOf("demo/a", 2), rangeOf("demo/a", 3)];
  assert.deepEqual(gathered(gap)[0]?.map(({ from, to }) => [from, to]), [[0, 10], [20, 40]]);
  assert.deepEqual(gathered(rangesOf(1, 5), 20).map((runs) => runs[0]?.to), [20, 40, 50]);
});
