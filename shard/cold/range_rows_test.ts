import assert from "node:assert/strict";
import { type ColdPiece, encodeRow } from "../../stream/mod.ts";
import { RangeRows } from "./range_rows.ts";

/** A range of 100 messages of a byte each. */
function pieceAt(number: number, at = 0): ColdPiece {
  const place = { at, length: 200, rowBytes: 100, rangeFrom: 5, rangeTo: 105, from: 5, to: 105 };
  return { number, term: 1, objectBytes: 1_000, ...place };
}

const ROW = encodeRow(Array.from({ length: 100 }, () => 1));
/** Of which two fit and three do not. */
const BYTES_MAX = 1_500;

Deno.test("find() knows what was decoded of late, by group, object and place", () => {
  const rows = new RangeRows(BYTES_MAX);
  const ends = rows.decode(0, pieceAt(1), ROW);
  assert.deepEqual([ends?.length, ends?.[0], ends?.[99]], [100, 1, 100]);
  assert.equal(rows.find(0, pieceAt(1)), ends);
  assert.equal(rows.find(1, pieceAt(1)), undefined);
  assert.equal(rows.find(0, pieceAt(2)), undefined);
  assert.equal(rows.find(0, pieceAt(1, 200)), undefined);
  assert.equal(rows.find(0, { ...pieceAt(1), term: 2 }), undefined);
});

Deno.test("the longest unused goes first, and what is too large is not kept", () => {
  const rows = new RangeRows(BYTES_MAX);
  rows.decode(0, pieceAt(1), ROW);
  rows.decode(0, pieceAt(2), ROW);
  rows.decode(0, pieceAt(2), ROW);
  assert.notEqual(rows.find(0, pieceAt(1)), undefined);
  rows.decode(0, pieceAt(3), ROW);
  const known = [1, 2, 3].map((number) => rows.find(0, pieceAt(number)) !== undefined);
  assert.deepEqual(known, [true, false, true]);
  assert.ok(rows.bytes > 800 && rows.bytes <= BYTES_MAX, `${rows.bytes}`);
  const none = new RangeRows(400);
  assert.equal(none.decode(0, pieceAt(1), ROW)?.length, 100);
  assert.deepEqual([none.find(0, pieceAt(1)), none.bytes], [undefined, 0]);
});

Deno.test("decode() keeps nothing of what is no row of the range", () => {
  const rows = new RangeRows(BYTES_MAX);
  assert.equal(rows.decode(0, { ...pieceAt(1), rangeTo: 104 }, ROW), undefined);
  assert.equal(rows.find(0, pieceAt(1)), undefined);
});
