import assert from "node:assert/strict";
import { rareOf } from "./stream.ts";
import { planRead } from "./read.ts";
import { sliceOf } from "./slab.ts";
import { Tables } from "./tables.ts";
import { compareUtf8 } from "./text.ts";
import { table } from "./testing/table_test.ts";

table(
  "planRead() cuts bytes at a message end where one fits, and anywhere where none does",
  `
  read demo/a start          -> refused stream_not_found
  put demo/a type=bytes body=abc
  post demo/a type=bytes body=defgh
  post demo/a type=bytes body=i
  read demo/a start          -> 0..9 "abcdefghi" up-to-date
  read demo/a start max=9    -> 0..9 "abcdefghi" up-to-date
  read demo/a start max=8    -> 0..8 "abcdefgh"
  read demo/a start max=7    -> 0..3 "abc"
  read demo/a start max=3    -> 0..3 "abc"
  read demo/a start max=2    -> 0..2 "ab"
  read demo/a start max=0    -> 0..1 "a"
  read demo/a 4 max=3        -> 4..7 "efg"
  read demo/a 4 max=4        -> 4..8 "efgh"
  read demo/a 8              -> 8..9 "i" up-to-date
  read demo/a 9              -> 9..9 "" up-to-date
  read demo/a now            -> 9..9 "" up-to-date
  read demo/a 12             -> 12..12 "" up-to-date
  read demo/a 0 inc=f.3.2    -> 0..9 "abcdefghi" up-to-date
  read demo/a 0 inc=f.3.1    -> refused incarnation_mismatch tail=9
  put demo/e
  read demo/e start          -> 0..0 "" up-to-date
  `,
);

table(
  "planRead() cuts a batch of appends at the end of an item",
  `
  put demo/a type=bytes body=abc
  post demo/a type=bytes items=de|fghi|j -> appended tail=10
  read demo/a start          -> 0..10 "abcdefghij" up-to-date
  read demo/a start max=9    -> 0..9 "abcdefghi"
  read demo/a start max=8    -> 0..5 "abcde"
  read demo/a start max=4    -> 0..3 "abc"
  read demo/a 3 max=1        -> 3..4 "d"
  read demo/a 6 max=2        -> 6..8 "gh"
  read demo/a 6 max=3        -> 6..9 "ghi"
  `,
);

table(
  "planRead() gives JSON in whole messages",
  `
  put demo/a json=[1,22,333]
  post demo/a json=[4444]
  post demo/a json=[5,6]
  read demo/a start          -> 0..18 "1,22,333,4444,5,6," up-to-date
  read demo/a start max=17   -> 0..16 "1,22,333,4444,5,"
  read demo/a start max=8    -> 0..5 "1,22,"
  read demo/a start max=1    -> 0..2 "1,"
  read demo/a 5 max=1        -> 5..9 "333,"
  read demo/a 9 max=1        -> 9..14 "4444,"
  read demo/a 14 max=3       -> 14..16 "5,"
  read demo/a 3              -> refused offset_not_boundary tail=18
  read demo/a 10             -> refused offset_not_boundary tail=18
  read demo/a 15             -> refused offset_not_boundary tail=18
  read demo/a 18             -> 18..18 "" up-to-date
  read demo/a 19             -> 19..19 "" up-to-date
  `,
);

table(
  "planRead() cuts text between code points, and takes at least one",
  `
  put demo/a body=a\u00e9\u20ac\u{1f600}z
  read demo/a start max=1    -> 0..1 "a"
  read demo/a start max=2    -> 0..1 "a"
  read demo/a start max=3    -> 0..3 "a\u00e9"
  read demo/a start max=5    -> 0..3 "a\u00e9"
  read demo/a 3 max=1        -> 3..6 "\u20ac"
  read demo/a 6 max=1        -> 6..10 "\u{1f600}"
  read demo/a 6 max=4        -> 6..10 "\u{1f600}"
  read demo/a 6 max=5        -> 6..11 "\u{1f600}z" up-to-date
  `,
);

Deno.test("planRead() cuts text that is no UTF-8 where it is asked to", () => {
  const tables = new Tables(0, "f");
  const stream = tables.addStream("demo/a", tables.buckets.obtain("demo"), 1, "text/plain", 0);
  tables.addBytes(stream, { data: sliceOf(new Uint8Array(20).fill(0x80)) }, undefined);
  const plan = planRead(stream, 0, 7, undefined, tables);
  assert.ok("next" in plan);
  assert.equal(plan.next, 7);
});

Deno.test("planRead() refuses offsets below the earliest retained one", () => {
  const tables = new Tables(0, "f");
  const stream = tables.addStream("demo/a", tables.buckets.obtain("demo"), 1, "text/plain", 0);
  tables.addBytes(stream, { data: sliceOf(new Uint8Array(20).fill(0x61)) }, undefined);
  rareOf(stream).earliest = 5;
  for (const from of [4, 0, "start"] as const) {
    const plan = planRead(stream, from, 7, undefined, tables);
    assert.ok("refused" in plan);
    assert.equal(plan.refused, "offset_trimmed");
    assert.equal(plan.facts.earliest, 5);
  }
  for (const from of [5, "now"] as const) {
    assert.ok("next" in planRead(stream, from, 7, undefined, tables));
  }
});

Deno.test("compareUtf8() orders as the bytes do", () => {
  const texts = [
    "",
    "a",
    "ab",
    "b",
    "\u00e9",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\u{10000}",
    "\u{10ffff}",
  ];
  for (const [i, a] of texts.entries()) {
    for (const [j, b] of texts.entries()) {
      assert.equal(Math.sign(compareUtf8(a, b)), Math.sign(i - j), `${i} ${j}`);
    }
  }
});
