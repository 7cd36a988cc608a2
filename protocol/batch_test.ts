import assert from "node:assert/strict";
import fc from "fast-check";
import { BATCH_LENGTH_BYTES, parseBatch } from "./batch.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

Deno.test("parseBatch() finds the lengths of all items", () => {
  assert.deepEqual(parseBatch(bytes(0, 0, 0, 1, 7), 512), [1]);
  assert.deepEqual(parseBatch(bytes(0, 0, 0, 2, 7, 8, 0, 0, 0, 1, 9), 512), [2, 1]);
});

Deno.test("parseBatch() looks at its own part of a buffer only", () => {
  const around = bytes(9, 9, 0, 0, 0, 1, 7, 9);
  assert.deepEqual(parseBatch(around.subarray(2, 7), 512), [1]);
});

Deno.test("parseBatch() refuses a body that is no batch", () => {
  const rows: [body: Uint8Array, code: string][] = [
    [bytes(), "batch_empty"],
    [bytes(0), "batch_truncated"],
    [bytes(0, 0, 0), "batch_truncated"],
    [bytes(0, 0, 0, 1), "batch_truncated"],
    [bytes(0, 0, 0, 2, 7), "batch_truncated"],
    [bytes(255, 255, 255, 255, 7), "batch_truncated"],
    [bytes(128, 0, 0, 0, 7), "batch_truncated"],
    [bytes(0, 0, 0, 0), "batch_item_empty"],
    [bytes(0, 0, 0, 1, 7, 0, 0, 0, 0), "batch_item_empty"],
    [bytes(0, 0, 0, 1, 7, 0, 0, 0), "batch_truncated"],
    [bytes(0, 0, 0, 1, 7, 0, 0, 0, 2, 8), "batch_truncated"],
  ];
  for (const [body, code] of rows) assert.equal(parseBatch(body, 512), code, body.join(" "));
});

Deno.test("parseBatch() takes as many items as it may, and no more", () => {
  const three = bytes(0, 0, 0, 1, 7, 0, 0, 0, 1, 8, 0, 0, 0, 1, 9);
  assert.deepEqual(parseBatch(three, 3), [1, 1, 1]);
  assert.equal(parseBatch(three, 2), "batch_too_large");
});

Deno.test("parseBatch() accounts for every byte, or refuses", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat({ max: 8 }), (body, itemsMax) => {
    const lengths = parseBatch(body, itemsMax);
    if (typeof lengths === "string") return;
    assert.ok(lengths.length > 0 && lengths.length <= itemsMax);
    assert.ok(lengths.every((length) => length > 0));
    const sum = lengths.reduce((total, length) => total + BATCH_LENGTH_BYTES + length, 0);
    assert.equal(sum, body.length);
  }));
});
