import assert from "node:assert/strict";
import { GroupTrack } from "./group_track.ts";

function track(...terms: number[]): GroupTrack {
  const made = new GroupTrack(0);
  for (const [at, term] of terms.entries()) made.append(at + 1, term);
  return made;
}

Deno.test("termAt() answers the term of live entries and of the mark", () => {
  const group = track(1, 1, 2, 2, 5);
  assert.deepEqual([1, 2, 3, 4, 5].map((index) => group.termAt(index)), [1, 1, 2, 2, 5]);
  assert.equal(group.termAt(6), undefined);
  assert.equal(group.mark(3, 2, false), false);
  assert.deepEqual([3, 4, 5].map((index) => group.termAt(index)), [2, 2, 5]);
});

Deno.test("truncate() forgets entries when they are replaced", () => {
  const group = track(1, 1, 2, 2, 5);
  group.truncate(4);
  assert.equal(group.last, 3);
  group.append(4, 6);
  assert.deepEqual([1, 2, 3, 4, 5].map((index) => group.termAt(index)), [1, 1, 2, 6, undefined]);
  group.truncate(1);
  assert.equal(group.last, 0);
  group.append(1, 7);
  assert.equal(group.termAt(1), 7);
});

Deno.test("mark() discards the log when it does not hold the snapshot's last entry", () => {
  const other = track(1, 1, 1);
  assert.equal(other.mark(2, 4, false), true);
  assert.equal(other.last, 2);
  assert.equal(other.termAt(3), undefined);
  const short = track(1, 1, 1);
  assert.equal(short.mark(9, 1, false), true);
  short.append(10, 2);
  assert.deepEqual([9, 10].map((index) => short.termAt(index)), [1, 2]);
});

Deno.test("mark() keeps the log when it covers all of it and agrees", () => {
  const group = track(1, 2, 2);
  assert.equal(group.mark(3, 2, false), false);
  group.append(4, 2);
  assert.deepEqual([3, 4].map((index) => group.termAt(index)), [2, 2]);
});

Deno.test("mark() discards a log that agrees when it is to replace it", () => {
  const group = track(1, 2, 2);
  group.segmentLast = 3;
  group.segmentBytes = 120;
  assert.equal(group.mark(2, 2, true), true);
  assert.deepEqual([group.last, group.lastTerm, group.segmentLast, group.segmentBytes], [
    2,
    2,
    0,
    0,
  ]);
  assert.deepEqual([2, 3].map((index) => group.termAt(index)), [2, undefined]);
  group.append(3, 2);
  assert.deepEqual([2, 3].map((index) => group.termAt(index)), [2, 2]);
});
