import assert from "node:assert/strict";
import { patterned } from "../tests/cold/expectations.ts";
import { BLOCK_BYTES, Blocks, Joined } from "./body_pieces.ts";

function blocksOf(bytes: Uint8Array, announced: number | undefined, pieceBytes: number) {
  const seen: Uint8Array[] = [];
  let pauses = 0;
  const blocks = new Blocks(announced, (block) => seen.push(block), () => {
    pauses++;
    return Promise.resolve();
  });
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    blocks.add(bytes.slice(at, at + pieceBytes));
  }
  const kept = blocks.end();
  assert.deepEqual(seen, kept);
  return { kept, pauses };
}

Deno.test("Blocks keep every byte in blocks of one length, whatever was announced", () => {
  const bytes = patterned(2 * BLOCK_BYTES + 9);
  for (const announced of [undefined, 0, 5, bytes.length, 10 * BLOCK_BYTES]) {
    for (const pieceBytes of [1_000, 65_536, BLOCK_BYTES, bytes.length]) {
      const { kept } = blocksOf(bytes, announced, pieceBytes);
      const whole = new Uint8Array(kept.flatMap((block) => [...block]));
      assert.ok(whole.length === bytes.length && whole.every((byte, at) => byte === bytes[at]));
      assert.ok(kept.every(({ length }) => length <= BLOCK_BYTES));
      assert.ok(kept.length <= 4, `${kept.length} blocks`);
    }
  }
});

Deno.test("Blocks take no more memory than was announced, and pause between two", () => {
  const { kept, pauses } = blocksOf(patterned(100), 100, 1);
  assert.deepEqual(kept.map(({ buffer }) => buffer.byteLength), [100]);
  assert.equal(pauses, 0);
  assert.equal(blocksOf(patterned(3 * BLOCK_BYTES), undefined, 65_536).pauses, 2);
  assert.deepEqual(blocksOf(new Uint8Array(0), undefined, 1).kept, []);
});

Deno.test("Joined has every byte in order, whatever was announced and however it comes", () => {
  const bytes = patterned(10_000);
  for (const announced of [0, 1, 5_000, 9_999, 10_000, 20_000]) {
    for (const pieceBytes of [1, 999, 10_000]) {
      const joined = new Joined(announced);
      const memory = new Uint8Array(pieceBytes);
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        const piece = bytes.subarray(at, at + pieceBytes);
        // The next piece comes in the same memory.
        memory.set(piece);
        joined.add(memory.subarray(0, piece.length));
      }
      assert.deepEqual(joined.end(), bytes);
    }
  }
  assert.equal(new Joined(0).end().length, 0);
});
