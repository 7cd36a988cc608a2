/**
 * The body of an append batch (SPEC section 4): items, each with its length before it.
 *
 * @module
 */

import type { ErrorCode } from "./errors.ts";

/** Bytes of the length that stands before each item: `uint32`, big-endian. */
export const BATCH_LENGTH_BYTES = 4;

/**
 * Lengths of the items, in order: each lies {@linkcode BATCH_LENGTH_BYTES} behind the end of the
 * one before it. Answers a code where the body is no batch, or has more than `itemsMax` items.
 */
export function parseBatch(body: Uint8Array, itemsMax: number): readonly number[] | ErrorCode {
  if (body.length === 0) return "batch_empty";
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  const lengths: number[] = [];
  let at = 0;
  while (at < body.length) {
    if (lengths.length === itemsMax) return "batch_too_large";
    if (body.length - at < BATCH_LENGTH_BYTES) return "batch_truncated";
    const length = view.getUint32(at);
    if (length === 0) return "batch_item_empty";
    at += BATCH_LENGTH_BYTES + length;
    if (at > body.length) return "batch_truncated";
    lengths.push(length);
  }
  return lengths;
}
