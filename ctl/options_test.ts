import assert from "node:assert/strict";
import { InvalidArgumentError } from "commander";
import { parseCount, parseDuration, parseGroups, parseNodeId, parseNodeIds } from "./options.ts";

Deno.test("parseDuration() takes units, and seconds without one", () => {
  const rows: [text: string, ms: number][] = [
    ["30", 30_000],
    ["1.5", 1_500],
    ["500ms", 500],
    ["20s", 20_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
  ];
  for (const [text, ms] of rows) assert.equal(parseDuration(text), ms);
  for (const text of ["", "s", "-1", "1d", "1 s"]) {
    assert.throws(() => parseDuration(text), InvalidArgumentError, text);
  }
});

Deno.test("parseNodeIds() and parseGroups() take lists, and add up", () => {
  assert.deepEqual(parseNodeIds("1,2,3"), [1, 2, 3]);
  assert.deepEqual(parseNodeIds("3", [1]), [1, 3]);
  assert.deepEqual(parseGroups("0,7"), [0, 7]);
  for (const text of ["", "1,", "0", "a", "1.5", "-1"]) {
    assert.throws(() => parseNodeIds(text), InvalidArgumentError, text);
  }
});

Deno.test("parseNodeId() and parseCount() take whole numbers", () => {
  assert.equal(parseNodeId("12"), 12);
  assert.equal(parseCount("0"), 0);
  for (const text of ["", "x", "-1", "1e3", "0x1"]) {
    assert.throws(() => parseCount(text), InvalidArgumentError, text);
  }
});
