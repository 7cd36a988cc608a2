import assert from "node:assert/strict";
import fc from "fast-check";
import { echoOffset, formatOffset, OFFSET_BEYOND_ANY_TAIL, parseOffset } from "./offset.ts";

Deno.test("formatOffset() pads to 20 digits", () => {
  assert.equal(formatOffset(0), "00000000000000000000");
  assert.equal(formatOffset(1234), "00000000000000001234");
  assert.equal(formatOffset(Number.MAX_SAFE_INTEGER), "00009007199254740991");
});

Deno.test("parseOffset() takes back what formatOffset() writes", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (offset) => {
    const text = formatOffset(offset);
    assert.equal(text.length, 20);
    assert.equal(parseOffset(text), offset);
    assert.equal(echoOffset(text), text);
  }));
});

Deno.test("formatOffset() sorts as numbers do", () => {
  fc.assert(fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
    assert.equal(formatOffset(a) < formatOffset(b), a < b);
  }));
});

Deno.test("parseOffset() reads every accepted form", () => {
  const rows: [string, number | string][] = [
    ["-1", "start"],
    ["now", "now"],
    ["0", 0],
    ["7", 7],
    ["00000000000000000007", 7],
    ["0000000000000000_0000000000000042", 42],
    ["0000000000000001_0000000000000000", OFFSET_BEYOND_ANY_TAIL],
    ["9007199254740993", OFFSET_BEYOND_ANY_TAIL],
    ["99999999999999999999", OFFSET_BEYOND_ANY_TAIL],
    ["0000000000000000_9999999999999999", OFFSET_BEYOND_ANY_TAIL],
  ];
  for (const [text, expected] of rows) assert.equal(parseOffset(text), expected, text);
});

Deno.test("parseOffset() refuses everything else", () => {
  const refused = [
    "",
    "-",
    "-2",
    "--1",
    "Now",
    "now ",
    "+1",
    "1.0",
    "1e3",
    "0x10",
    "0,1",
    "0 1",
    "0/1",
    "000000000000000000000",
    "0_0",
    "0000000000000000_000000000000004",
    "0000000000000000-0000000000000042",
    "000000000000000a_0000000000000042",
    "0000000000000000_00000000000000x2",
    "٣",
  ];
  for (const text of refused) assert.equal(parseOffset(text), undefined, text);
});

Deno.test("parseOffset() never throws", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
    const offset = parseOffset(text);
    if (typeof offset === "number") assert.match(echoOffset(text), /^[0-9]{20}$/);
  }));
});

Deno.test("echoOffset() keeps digits that a number can't hold", () => {
  assert.equal(echoOffset("9007199254740993"), "00009007199254740993");
  assert.equal(echoOffset("0000000000000000_9999999999999999"), "00009999999999999999");
  assert.equal(echoOffset("0000000000000001_0000000000000000"), "99999999999999999999");
});
