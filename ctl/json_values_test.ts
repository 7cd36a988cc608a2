import assert from "node:assert/strict";
import fc from "fast-check";
import { JsonValues } from "./json_values.ts";

const decoder = new TextDecoder();

/** The lines of a text that comes in pieces of these lengths. */
function linesOf(text: string, lengths: readonly number[]): { lines: string[]; stored: number } {
  const bytes = new TextEncoder().encode(text);
  const values = new JsonValues();
  const lines: string[] = [];
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    for (const line of values.push(bytes.subarray(at, at + length))) {
      lines.push(decoder.decode(line));
    }
    at += length;
  }
  return { lines, stored: values.storedBytes };
}

Deno.test("JsonValues makes a line of each value, of its very bytes", () => {
  const text = '[{"a":[1,{"b":"],}"}]},"\\"[\\\\",12345678901234567890,1.0,[],null]';
  const { lines, stored } = linesOf(text, []);
  assert.deepEqual(lines, [
    '{"a":[1,{"b":"],}"}]}\n',
    '"\\"[\\\\"\n',
    "12345678901234567890\n",
    "1.0\n",
    "[]\n",
    "null\n",
  ]);
  // Stored, each value has one byte behind it; the array has the brackets, and one comma less.
  assert.equal(stored, text.length - 1);
});

Deno.test("JsonValues makes nothing of an empty array", () => {
  assert.deepEqual(linesOf("[]", []), { lines: [], stored: 0 });
});

Deno.test("JsonValues keeps a value of which only the beginning came", () => {
  const values = new JsonValues();
  assert.equal(values.push(new TextEncoder().encode('[1,{"a":')).length, 1);
  assert.equal(values.storedBytes, 2);
});

Deno.test("JsonValues does not care where the pieces are cut", () => {
  fc.assert(fc.property(
    fc.array(fc.jsonValue(), { maxLength: 8 }),
    fc.array(fc.nat({ max: 12 }), { maxLength: 40 }),
    (all, lengths) => {
      const { lines } = linesOf(JSON.stringify(all), lengths);
      assert.deepEqual(lines, all.map((value) => JSON.stringify(value) + "\n"));
    },
  ));
});
