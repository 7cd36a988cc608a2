import assert from "node:assert/strict";
import { wrongLengths } from "./lengths.ts";
import { sourceFile, sourceFiles } from "./source.ts";

function files(...lengths: number[]) {
  return lengths.map((lines, at) => sourceFile(`node/${at}.ts`, "\n".repeat(lines)));
}

Deno.test("files are short", async () => {
  assert.deepEqual(wrongLengths(await sourceFiles()), []);
});

Deno.test("wrongLengths() complains when one file is too long", () => {
  assert.deepEqual(wrongLengths(files(...Array(19).fill(10), 501)), [
    "node/19.ts: 501 lines, at most 500: split it",
  ]);
  assert.deepEqual(wrongLengths(files(...Array(19).fill(10), 500)), []);
  assert.equal(wrongLengths([sourceFile("raft/a_test.ts", "\n".repeat(801))]).length, 1);
});

Deno.test("wrongLengths() complains when files are long on the whole", () => {
  assert.deepEqual(wrongLengths(files(10, 150, 160)), ["the median file has 150 lines"]);
  assert.deepEqual(wrongLengths(files(...Array(8).fill(10), 400, 400)), [
    "one file in ten has 400 lines or more",
  ]);
});
