import assert from "node:assert/strict";
import { simulate } from "./simulation.ts";

const RUNS = [1, 3, 5].flatMap((nodes) => [3, 17].map((seed) => ({ seed, nodes })));

Deno.test("simulate() gives the same operations, answers and disks when a seed is run twice", async () => {
  const digests = new Set<string>();
  for (const { seed, nodes } of RUNS) {
    const [one, other] = [await simulate(seed, { nodes }), await simulate(seed, { nodes })];
    assert.equal(one.failure, undefined);
    assert.equal(one.digest, other.digest);
    digests.add(one.digest);
  }
  assert.equal(digests.size, RUNS.length);
});
