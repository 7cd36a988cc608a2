import assert from "node:assert/strict";
import { planOf } from "./plan.ts";

const MINUTE_MS = 60_000;

Deno.test("planOf() is the same for a seed, and another one for another", () => {
  assert.deepEqual(planOf(7, 10 * MINUTE_MS, 3), planOf(7, 10 * MINUTE_MS, 3));
  assert.notDeepEqual(planOf(7, 10 * MINUTE_MS, 3), planOf(8, 10 * MINUTE_MS, 3));
});

Deno.test("planOf() restarts and kills every node, and the veteran only at first", () => {
  for (let seed = 1; seed < 50; seed++) {
    for (const minutes of [2, 10, 60]) {
      const totalMs = minutes * MINUTE_MS;
      const { upheavals, veteran } = planOf(seed, totalMs, 3);
      assert.deepEqual(new Set(upheavals.map(({ node }) => node)), new Set([1, 2, 3]));
      assert.deepEqual(new Set(upheavals.map(({ kind }) => kind)), new Set(["restart", "kill"]));
      const last = upheavals.findLast(({ node }) => node === veteran);
      assert.ok(last !== undefined && last.atMs < totalMs / 3, `seed ${seed}, ${minutes} min`);
      assert.ok(upheavals.every(({ atMs }, at) => atMs > (upheavals[at - 1]?.atMs ?? 0)));
      assert.ok(upheavals.some(({ atMs }) => atMs > totalMs * 0.85), "to the end");
    }
  }
});
