import assert from "node:assert/strict";
import type { StoredGroup } from "../storage/types.ts";
import { behind, leadsThrough } from "./replica.ts";

const membership = { voters: [], outgoing: [], learners: [] };

/** A group whose journal has a mark, and after it entries of these terms. */
function stored(index: number, term: number, ...terms: number[]): StoredGroup {
  const payload = { slab: { bytes: new Uint8Array(0), live: 0 }, start: 0, end: 0 };
  return {
    term: 9,
    votedFor: "2.s",
    snapshotIndex: index,
    snapshotTerm: term,
    entries: terms.map((of, at) => ({ index: index + 1 + at, term: of, kind: "noop", payload })),
  };
}

/** `index:term` of what is kept. */
function kept(index: number, term: number, found: StoredGroup | undefined): string {
  const left = behind({ index, term, membership }, found);
  return (left?.entries ?? []).map((entry) => `${entry.index}:${entry.term}`).join(" ");
}

Deno.test("behind() keeps what follows when the journal leads through the mark", () => {
  assert.equal(kept(0, 0, stored(0, 0, 1, 1)), "1:1 2:1", "there is no RaftSnapshot");
  assert.equal(kept(5, 2, stored(5, 2, 2, 3)), "6:2 7:3", "the journal's own mark");
  assert.equal(kept(7, 3, stored(5, 2, 2, 3, 3)), "8:3", "the entry is there");
  assert.equal(kept(8, 3, stored(5, 2, 2, 3, 3)), "", "the entry is the last one");
  assert.ok(leadsThrough({ index: 8, term: 3, membership }, stored(5, 2, 2, 3, 3)));
});

Deno.test("behind() drops all entries when the journal does not lead through the mark", () => {
  const cases: [why: string, index: number, term: number, found: StoredGroup][] = [
    ["another entry is there", 7, 4, stored(5, 2, 2, 3, 3)],
    ["an older term's mark of the same index", 5, 3, stored(5, 2, 2, 3)],
    ["the log ends before it", 9, 3, stored(5, 2, 2, 3, 3)],
    ["the log is empty", 6, 2, stored(5, 2)],
    ["nothing but a vote was ever written", 6, 2, stored(0, 0)],
  ];
  for (const [why, index, term, found] of cases) {
    assert.equal(kept(index, term, found), "", why);
    assert.equal(leadsThrough({ index, term, membership }, found), false, why);
    const { term: at, votedFor } = behind({ index, term, membership }, found) ?? {};
    assert.deepEqual([at, votedFor], [9, "2.s"], "term and vote stay");
  }
});

Deno.test("behind() answers undefined when the journal knows nothing of the group", () => {
  assert.equal(behind({ index: 5, term: 1, membership }, undefined), undefined);
  assert.equal(leadsThrough({ index: 5, term: 1, membership }, undefined), false);
  assert.equal(leadsThrough({ index: 0, term: 0, membership }, undefined), true);
});
