import assert from "node:assert/strict";
import { groupOf, journalOf, shardOf } from "./placement.ts";

Deno.test("groupOf() places a key where it was placed before, for ever", () => {
  // Computed apart from this code: a change here moves streams away from their data.
  const hashes: [key: string, hash: number][] = [
    ["", 2872998923],
    ["a", 444641715],
    ["demo", 2043020345],
    ["demo/hello", 3917045407],
    ["üñí/ça va 😀", 4233153259],
    ["_default/x".repeat(30), 2242177184],
  ];
  for (const [key, hash] of hashes) {
    assert.equal(groupOf(key, 2 ** 32), hash, key);
    for (const groups of [1, 2, 3, 64, 100]) assert.equal(groupOf(key, groups), hash % groups);
  }
});

Deno.test("groupOf() spreads names that differ in little", () => {
  const groups = 64;
  const perGroup = 200;
  for (
    const nameOf of [
      (n: number) => `demo/${n}`,
      (n: number) => `demo/sensor-${String(n).padStart(8, "0")}`,
      (n: number) => `tenant${n}/events`,
      (n: number) => `demo/é${n}`,
    ]
  ) {
    const counts = new Array<number>(groups).fill(0);
    for (let n = 0; n < groups * perGroup; n++) counts[groupOf(nameOf(n), groups)]!++; // in range
    // Five standard deviations of an even spread.
    const most = perGroup + 5 * Math.sqrt(perGroup);
    const least = perGroup - 5 * Math.sqrt(perGroup);
    assert.ok(Math.max(...counts) < most, `${nameOf(1)}: ${Math.max(...counts)}`);
    assert.ok(Math.min(...counts) > least, `${nameOf(1)}: ${Math.min(...counts)}`);
  }
});

Deno.test("journalOf() and shardOf() give every group one owner when there are 1 to 5 of each", () => {
  const groups = Array.from({ length: 64 }, (_, group) => group);
  for (let journals = 1; journals <= 5; journals++) {
    assert.deepEqual(new Set(groups.map((group) => journalOf(group, journals))).size, journals);
    for (let shards = 1; shards <= 5; shards++) {
      const owners = groups.map((group) => shardOf(journalOf(group, journals), shards));
      assert.ok(owners.every((owner) => owner >= 0 && owner < shards));
      assert.equal(new Set(owners).size, Math.min(journals, shards));
    }
  }
  assert.deepEqual([0, 1, 5, 8].map((group) => journalOf(group, 4)), [0, 1, 1, 0]);
  assert.deepEqual([0, 1, 2, 3].map((journal) => shardOf(journal, 2)), [0, 1, 0, 1]);
});
