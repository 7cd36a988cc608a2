/**
 * A stretch of an object as it lies in a store, made of the object's bytes.
 *
 * @module
 */

import {
  BLOCK_BYTES,
  BLOCK_PAYLOAD_BYTES,
  BlockSums,
  type ColdObject,
  encodeHeader,
  HEADER_BYTES,
  storedBytes,
  SUM_BYTES,
} from "./object.ts";

/**
 * Bytes `start` to `start + length` of what a store holds of an object, without the store. Copies
 * from `payload` before it returns, and makes no more than the blocks of the stretch.
 *
 * @param payload the object's bytes, in any pieces
 * @throws RangeError when the stretch lies outside the object, or `payload` ends before it does
 */
export function storedRange(
  object: ColdObject,
  payload: Iterable<Uint8Array>,
  start: number,
  length: number,
): Uint8Array {
  const size = storedBytes(object);
  const end = start + length;
  if (start < 0 || length < 0 || end > size) {
    throw new RangeError(`an object of ${size} bytes has no bytes ${start} to ${end}`);
  }
  const first = Math.max(0, Math.floor((start - HEADER_BYTES) / BLOCK_BYTES));
  const last = Math.max(first, Math.ceil((end - HEADER_BYTES) / BLOCK_BYTES));
  const from = start < HEADER_BYTES ? 0 : HEADER_BYTES + first * BLOCK_BYTES;
  const bytes = new Uint8Array(Math.min(size, HEADER_BYTES + last * BLOCK_BYTES) - from);
  const header = encodeHeader(object);
  if (from === 0) bytes.set(header);
  const blocks = bytes.subarray(from === 0 ? HEADER_BYTES : 0);
  fill(blocks, payload, first * BLOCK_PAYLOAD_BYTES);
  seal(blocks, new BlockSums(header), first);
  return bytes.subarray(start - from, end - from);
}

/** Puts what the payload has from an offset on into blocks, and leaves room for their sums. */
function fill(blocks: Uint8Array, payload: Iterable<Uint8Array>, offset: number): void {
  let skip = offset;
  let to = 0;
  for (const piece of payload) {
    if (to === blocks.length) return;
    let at = Math.min(skip, piece.length);
    skip -= at;
    while (at < piece.length && to < blocks.length) {
      const blockEnd = Math.min(blocks.length, to - to % BLOCK_BYTES + BLOCK_BYTES) - SUM_BYTES;
      const taken = piece.subarray(at, at + blockEnd - to);
      blocks.set(taken, to);
      at += taken.length;
      to += taken.length;
      if (to === blockEnd) to += SUM_BYTES;
    }
  }
  if (to < blocks.length) throw new RangeError("the object's bytes end before the stretch does");
}

function seal(blocks: Uint8Array, sums: BlockSums, first: number): void {
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength);
  for (let at = 0, block = first; at < blocks.length; at += BLOCK_BYTES, block++) {
    const end = Math.min(blocks.length, at + BLOCK_BYTES) - SUM_BYTES;
    view.setUint32(end, sums.of(block, blocks.subarray(at, end)), true);
  }
}
