import assert from "node:assert/strict";
import fc from "fast-check";
import { parseJsonc } from "./jsonc.ts";

Deno.test("parseJsonc() allows comments and trailing commas", () => {
  const text = '{ // one\n "a": [1, 2, /* two */ ], /* three\n */ "b": 3, \n}';
  assert.deepEqual(parseJsonc(text), { a: [1, 2], b: 3 });
});

Deno.test("parseJsonc() leaves strings alone when they look like comments or commas", () => {
  const value = { url: "http://a//b", "/* c */": ",]", quote: '\\"// ,}' };
  assert.deepEqual(parseJsonc(JSON.stringify(value)), value);
});

Deno.test("parseJsonc() reads all of JSON as JSON.parse() does", () => {
  fc.assert(fc.property(fc.json(), (text) => {
    assert.deepEqual(parseJsonc(text), JSON.parse(text));
  }));
});

Deno.test("parseJsonc() throws when the text is broken", () => {
  for (const text of ["", "{", "{,}", '{"a": /* }', "[1,,2]"]) {
    assert.throws(() => parseJsonc(text), SyntaxError, text);
  }
});
