import assert from "node:assert/strict";
import { simulate } from "./simulation.ts";

const SEEDS = [3, 17, 41];

Deno.test("simulate() gives the same operations, answers and disks when a seed is run twice", async () => {
  const digests = new Set<string>();
  for (const seed of SEEDS) {
    const [one, other] = [await simulate(seed), await simulate(seed)];
    assert.equal(one.failure, undefined);
    assert.equal(one.digest, other.digest);
    digests.add(one.digest);
  }
  assert.equal(digests.size, SEEDS.length);
});
