import assert from "node:assert/strict";
import { parseRange } from "./range.ts";

function check(length: number, rows: readonly (readonly [header: string, expected: string])[]) {
  for (const [header, expected] of rows) {
    const found = parseRange(header, length);
    const text = typeof found === "object" ? `${found.from}..${found.to}` : String(found);
    assert.equal(text, expected, header);
  }
}

Deno.test("parseRange() reads one range, open to the right, or from the end", () => {
  check(10, [
    ["bytes=0-0", "0..1"],
    ["bytes=0-9", "0..10"],
    ["bytes=3-5", "3..6"],
    ["Bytes= 3-5 ", "3..6"],
    ["bytes=3-", "3..10"],
    ["bytes=9-", "9..10"],
    ["bytes=3-99999999999999999999999", "3..10"],
    ["bytes=-3", "7..10"],
    ["bytes=-10", "0..10"],
    ["bytes=-11", "0..10"],
    ["bytes=007-08", "7..9"],
  ]);
});

Deno.test("parseRange() says when a range lies outside", () => {
  check(10, [
    ["bytes=10-", "not_satisfiable"],
    ["bytes=10-20", "not_satisfiable"],
    ["bytes=99999999999999999999999-", "not_satisfiable"],
    ["bytes=-0", "not_satisfiable"],
  ]);
  check(0, [["bytes=0-", "not_satisfiable"], ["bytes=-1", "undefined"]]);
});

Deno.test("parseRange() ignores what is no single range of bytes", () => {
  const headers = [
    "",
    "bytes",
    "bytes=",
    "bytes=-",
    "bytes=5-3",
    "bytes=a-b",
    "bytes=1-2,4-5",
    "bytes=1 - 2",
    "bytes=+1-2",
    "bytes=0x1-2",
    "items=0-1",
    "0-1",
  ];
  check(10, headers.map((header) => [header, "undefined"]));
  assert.equal(parseRange(null, 10), undefined);
});
