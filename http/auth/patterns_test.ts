import assert from "node:assert/strict";
import fc from "fast-check";
import { BucketPatterns } from "./patterns.ts";

Deno.test("BucketPatterns.match() takes the whole name, * standing for any text", () => {
  const rows: [string, string[], string[]][] = [
    ["*", ["", "a", "a/b", "*"], []],
    ["team-*", ["team-", "team-a"], ["team", "xteam-a", ""]],
    ["*-log", ["-log", "a-log"], ["a-logs"]],
    ["a*a", ["aa", "aba"], ["a", "ab"]],
    ["a*b*c", ["abc", "a.b.c", "abbc"], ["ac", "acb", "abcd"]],
    ["_default", ["_default"], ["_defaultx", "default", "_Default"]],
    ["a.c", ["a.c"], ["abc"]],
    ["**", ["", "a"], []],
  ];
  for (const [pattern, taken, others] of rows) {
    const patterns = new BucketPatterns([pattern]);
    for (const bucket of taken) assert.ok(patterns.match(bucket), `${pattern} ${bucket}`);
    for (const bucket of others) assert.ok(!patterns.match(bucket), `${pattern} ${bucket}`);
  }
  assert.ok(!new BucketPatterns([]).match(""));
  assert.ok(new BucketPatterns(["a", "b"]).match("b"));
});

Deno.test("BucketPatterns.match() agrees with a regular expression", () => {
  const text = fc.stringMatching(/^[ab*]{0,8}$/);
  fc.assert(fc.property(text, text, (pattern, bucket) => {
    const parts = pattern.split("*").map((part) => part.replaceAll("*", "\\*"));
    const expected = new RegExp(`^${parts.join("[^]*")}$`).test(bucket);
    assert.equal(new BucketPatterns([pattern]).match(bucket), expected);
  }));
});

Deno.test("BucketPatterns.match() is quick whatever is asked", () => {
  const patterns = new BucketPatterns(["*a".repeat(400) + "b"]);
  const startMs = performance.now();
  assert.ok(!patterns.match("a".repeat(1_000)));
  assert.ok(performance.now() - startMs < 100);
});
