import assert from "node:assert/strict";
import { EntryIndex, POINT_STRIDE_BYTES } from "./entry_index.ts";
import { Segment } from "./segment.ts";

const [one, two, three] = [1, 2, 3].map((sequence) => new Segment(sequence, `${sequence}`, 1, 1));

/** `segment@position..last` of where to look for each. */
function found(index: EntryIndex, ...entries: number[]): string[] {
  return entries.map((entry) => {
    const place = index.find(entry);
    return place ? `${place.segment.path}@${place.position}..${place.last}` : "nowhere";
  });
}

function given(): EntryIndex {
  const index = new EntryIndex();
  if (!one || !two) assert.fail();
  index.note(one, 1, 100);
  index.note(one, 5, 500);
  index.endSegment(9, 1_000);
  index.note(two, 10, 100);
  return index;
}

Deno.test("find() answers the nearest place at or before the entry", () => {
  const index = given();
  assert.deepEqual(found(index, 0, 1, 4, 5, 9), [
    "nowhere",
    "1@100..9",
    "1@100..9",
    "1@500..9",
    "1@500..9",
  ]);
  assert.deepEqual(found(index, 10, 99), ["2@100..Infinity", "2@100..Infinity"]);
  index.note(two ?? assert.fail(), 12, 300);
  assert.deepEqual(found(index, 11, 12), ["2@100..Infinity", "2@300..Infinity"]);
});

Deno.test("truncate() forgets entries from there on, and goes on in the same segment", () => {
  const index = given();
  index.truncate(12);
  assert.deepEqual(found(index, 9, 10), ["1@500..9", "2@100..Infinity"]);
  index.truncate(5);
  assert.deepEqual(found(index, 4, 5, 10), ["1@100..4", "nowhere", "nowhere"]);
  assert.equal(index.cuts, 2);
  index.note(two ?? assert.fail(), 5, 700);
  assert.deepEqual(found(index, 4, 5), ["1@100..4", "2@700..Infinity"]);
});

Deno.test("forget() and release() let places go", () => {
  const index = given();
  index.forget(8);
  assert.deepEqual(found(index, 9), ["1@500..9"]);
  index.forget(9);
  assert.deepEqual(found(index, 9, 10), ["nowhere", "2@100..Infinity"]);
  const other = given();
  other.place(three ?? assert.fail(), 7, 50, 10);
  other.release(one ?? assert.fail());
  assert.deepEqual(found(other, 6, 7, 8, 10), ["nowhere", "3@50..7", "nowhere", "2@100..Infinity"]);
  assert.equal(other.cuts, 0);
});

Deno.test("place() joins what follows in one segment, and keeps few positions", () => {
  if (!one || !two) assert.fail();
  const index = new EntryIndex();
  for (let entry = 1; entry <= 10_000; entry++) index.place(one, entry, entry * 1_000, 64);
  const positions = new Set(
    Array.from({ length: 10_000 }, (_, at) => index.find(at + 1)?.position),
  );
  assert.equal(positions.size, Math.ceil(10_000 * 64 / POINT_STRIDE_BYTES));
  index.place(one, 10_001, 5_000, 64);
  index.place(one, 10_003, 6_000, 64);
  index.place(two, 10_004, 7_000, 64);
  assert.deepEqual(found(index, 10_001, 10_002, 10_003, 10_004), [
    "1@5000..10001",
    "nowhere",
    "1@6000..10003",
    "2@7000..10004",
  ]);
});
