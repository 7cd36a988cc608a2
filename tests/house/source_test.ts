import assert from "node:assert/strict";
import { blankComments, isTestFile, lineAt, roomOf, sourceFiles } from "./source.ts";

Deno.test("blankComments() blanks comments and nothing else", () => {
  const rows: [text: string, blanked: string][] = [
    ["a; // b", "a;     "],
    ["a /* b\n c */ d", "a     \n      d"],
    ['"// a" // b', '"// a"     '],
    ["'/*' /* b */", "'/*'        "],
    ["`http://x` // b", "`http://x`     "],
    ['x = /"/; // b', 'x = /"/;     '],
    ["f(/[/*]/g) // b", "f(/[/*]/g)     "],
    ['"\\"//" // b', '"\\"//"     '],
    ["a / b / c // d", "a / b / c     "],
  ];
  for (const [text, blanked] of rows) assert.equal(blankComments(text), blanked);
});

Deno.test("roomOf() is the first folder", () => {
  assert.equal(roomOf("node/config/mod.ts"), "node");
  assert.equal(roomOf("mod.ts"), "");
});

Deno.test("isTestFile() knows tests by their names and folders", () => {
  assert.ok(isTestFile("raft/core_test.ts"));
  assert.ok(isTestFile("tests/sim/disk.ts"));
  assert.ok(!isTestFile("raft/core.ts"));
});

Deno.test("lineAt() counts from 1", () => {
  assert.equal(lineAt("a\nb", 0), 1);
  assert.equal(lineAt("a\nb", 2), 2);
});

Deno.test("sourceFiles() finds this file", async () => {
  const files = await sourceFiles();
  assert.ok(files.some(({ path }) => path === "tests/house/source_test.ts"));
});
