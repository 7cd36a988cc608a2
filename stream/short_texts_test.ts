import assert from "node:assert/strict";
import { SHORT_TEXT_BYTES_MAX, shortText } from "./short_texts.ts";

const encoder = new TextEncoder();

/** Reads `text` from the middle of other bytes. */
function read(text: string): string | undefined {
  const bytes = encoder.encode(`<<${text}>>`);
  return shortText(bytes, 2, bytes.length - 2);
}

Deno.test("shortText() reads each of many texts, more than are kept, again and again", () => {
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 20_000; i++) {
      const text = `bucket-${i % 7}/${(i * 7919).toString(36)}`;
      assert.equal(read(text), text);
    }
  }
});

Deno.test("shortText() tells apart what differs in length alone, or in one character", () => {
  const longest = "x".repeat(SHORT_TEXT_BYTES_MAX);
  for (const text of ["", "a", "aa", "ab", "ba", "\u0000", "\u0000\u0000", "\u007f", longest]) {
    assert.equal(read(text), text);
    assert.equal(read(text), text);
  }
});

Deno.test("shortText() leaves what is not ASCII to others", () => {
  for (const text of ["é", "plainé", "é then plain", "日本"]) assert.equal(read(text), undefined);
});
