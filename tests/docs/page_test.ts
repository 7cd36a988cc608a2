import assert from "node:assert/strict";
import { blocksOf, isAsSaid } from "./page.ts";

Deno.test("blocksOf() finds commands, their machines, and what they print", () => {
  const page = [
    "# Page",
    "```sh 1 3 again",
    "echo one",
    "```",
    "",
    "```text",
    "one",
    "```",
    "",
    "```sh",
    "for reading",
    "```",
    "```sh any",
    "true",
    "```",
    "Words between.",
    "```text",
    "not what it prints",
    "```",
  ].join("\n");
  assert.deepEqual(blocksOf(page), [
    { line: 2, commands: "echo one\n", machines: [1, 3], again: true, prints: "one\n" },
    { line: 13, commands: "true\n", machines: [1], again: false, prints: undefined },
  ]);
});

Deno.test("isAsSaid() takes dots of omission for anything within a line", () => {
  assert.ok(isAsSaid("joined as 3.1f\n", "joined as 3.…"));
  assert.ok(isAsSaid("  22 a.b\n  21 c\n", "22 a.b\n21 c"));
  assert.ok(!isAsSaid("joined\nas 3", "joined…3"));
  assert.ok(!isAsSaid("22 axb", "22 a.b"));
});
