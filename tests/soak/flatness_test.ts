import assert from "node:assert/strict";
import { isConstant, judge, medianOf } from "./flatness.ts";
import type { Sample } from "./samples.ts";

const MiB = 1 << 20;
const TOTAL_MS = 300_000;

/** Samples of node 1 every 5 s. */
function curve(memory: (atMs: number) => number): Sample[] {
  return Array.from({ length: TOTAL_MS / 5_000 }, (_, at) => {
    return {
      atMs: at * 5_000,
      node: 1,
      memory: memory(at * 5_000),
      handles: 50,
      disk: 0,
      objects: 9,
    };
  });
}

Deno.test("medianOf() is the middle one", () => {
  assert.equal(medianOf([3, 1, 2]), 2);
  assert.equal(medianOf([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(medianOf([])));
});

Deno.test("judge() finds flat what grows at first, and what swings", () => {
  const settled = curve((atMs) => Math.min(200, 50 + atMs / 500) * MiB);
  assert.ok(judge(settled, 1, "memory", TOTAL_MS).isFlat);
  const swings = curve((atMs) => (200 + 60 * Math.sin(atMs / 7_000)) * MiB);
  assert.ok(judge(swings, 1, "memory", TOTAL_MS).isFlat);
  assert.ok(judge(settled, 1, "handles", TOTAL_MS).isFlat);
});

Deno.test("judge() does not find flat what goes on growing", () => {
  const grows = curve((atMs) => (200 + atMs / 2_000) * MiB);
  const { isFlat, middle, last, most } = judge(grows, 1, "memory", TOTAL_MS);
  assert.ok(!isFlat);
  assert.ok(last > most && most > middle);
});

Deno.test("judge() does not find flat what nobody looked at", () => {
  assert.ok(!judge([], 1, "memory", TOTAL_MS).isFlat);
  assert.ok(!judge(curve(() => MiB), 2, "memory", TOTAL_MS).isFlat);
});

Deno.test("isConstant() lets a load change by a quarter", () => {
  assert.ok(isConstant(40, 50) && isConstant(40, 30));
  assert.ok(!isConstant(40, 51) && !isConstant(40, 29));
  assert.ok(!isConstant(NaN, 40));
});
