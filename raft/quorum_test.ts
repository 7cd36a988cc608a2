import assert from "node:assert/strict";
import { majorityReached, tally } from "./quorum.ts";
import { SeededRandom } from "./testing/random.ts";
import { Progress } from "./tracker/progress.ts";

function members(matches: readonly number[]): Progress[] {
  return matches.map((match, i) => {
    const progress = new Progress(`${i}`, 1, 0, 1, 1);
    progress.match = match;
    return progress;
  });
}

Deno.test("majorityReached() is what more than half have reached, whatever the order", () => {
  const random = new SeededRandom(1);
  for (let i = 0; i < 2000; i++) {
    const matches = Array.from({ length: 1 + random.below(7) }, () => random.below(10));
    const reached = majorityReached(members(matches), (progress) => progress.match);
    const have = (index: number) => matches.filter((match) => match >= index).length;
    assert.ok(have(reached) * 2 > matches.length);
    assert.ok(have(reached + 1) * 2 <= matches.length);
  }
});

Deno.test("majorityReached() is without bound when nobody has to agree", () => {
  assert.equal(majorityReached([], (progress) => progress.match), Infinity);
});

Deno.test("tally() wants a majority of each half", () => {
  const voters = ["a", "b", "c"];
  const votes = (granted: string, refused = "") =>
    new Map([
      ...[...granted].map((id) => [id, true] as const),
      ...[...refused].map((id) => [id, false] as const),
    ]);
  const simple = { voters, outgoing: [], learners: [] };
  assert.equal(tally(simple, votes("a")), "open");
  assert.equal(tally(simple, votes("ab")), "won");
  assert.equal(tally(simple, votes("a", "bc")), "lost");
  assert.equal(tally(simple, votes("ad")), "open", "others' votes do not count");
  const joint = { voters, outgoing: ["c", "d", "e"], learners: [] };
  assert.equal(tally(joint, votes("ab")), "open");
  assert.equal(tally(joint, votes("abde")), "won");
  assert.equal(tally(joint, votes("ab", "de")), "lost");
  const even = { voters: ["a", "b", "c", "d"], outgoing: [], learners: [] };
  assert.equal(tally(even, votes("ab", "c")), "open");
  assert.equal(tally(even, votes("ab", "cd")), "lost");
});
