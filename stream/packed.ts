/**
 * The form of one range of a stream in an object: a row of message lengths (`lengths.ts`), then the
 * bytes as the stream has them. The row is left out where all is one message. A JSON stream's items
 * are its messages, each with the comma behind it.
 *
 * How long the row is stands in the reference, so that bytes are read without it.
 *
 * @module
 */

import { lengthsBytes, readLengths, writeLengths } from "./lengths.ts";
import { messageEnds, type StreamLog } from "./log.ts";
import { copySlices, sliceOf } from "./slab.ts";
import type { Slice } from "./types.ts";

/** Bytes of the row for messages of these lengths. */
export function rowBytesOf(lengths: readonly number[] | Uint32Array): number {
  return lengths.length > 1 ? lengthsBytes(lengths) : 0;
}

/** The row; without bytes for one message. */
export function encodeRow(lengths: readonly number[] | Uint32Array): Uint8Array {
  const row = new Uint8Array(rowBytesOf(lengths));
  if (row.length > 0) writeLengths(lengths, row, 0);
  return row;
}

/**
 * Ends of a range's messages, counted from its beginning.
 *
 * @param row the bytes that {@linkcode encodeRow} made
 * @param bytes how many bytes the messages have together
 * @returns undefined when the row is not of so many bytes
 */
export function decodeRow(row: Uint8Array, bytes: number): Uint32Array | undefined {
  if (row.length === 0) return Uint32Array.of(bytes);
  return messageEnds(readLengths(row, 0, row.length, bytes));
}

/** The packed form of what lies in the chunks of a log between two ends of messages. */
export function packRange(log: StreamLog, from: number, to: number): Slice[] {
  const row = encodeRow(log.lengths(from, to));
  const slices = log.slices(from, to);
  return row.length === 0 ? slices : [sliceOf(row), ...slices];
}

/** A packed range: ends of its messages and its bytes; undefined when it is not whole. */
export function unpackRange(
  packed: Uint8Array,
  rowBytes: number,
): { readonly ends: Uint32Array; readonly data: Uint8Array } | undefined {
  if (rowBytes > packed.length) return undefined;
  const ends = decodeRow(packed.subarray(0, rowBytes), packed.length - rowBytes);
  return ends === undefined ? undefined : { ends, data: packed.subarray(rowBytes) };
}

/**
 * Several packed ranges that follow one another as one, for merging small ones.
 * @returns parts, and how long the row at their beginning is; undefined when one is not whole
 */
export function mergePacked(
  ranges: readonly { readonly packed: Uint8Array; readonly rowBytes: number }[],
): { readonly parts: Uint8Array[]; readonly rowBytes: number } | undefined {
  const all: Uint32Array[] = [];
  const data: Uint8Array[] = [];
  let count = 0;
  for (const { packed, rowBytes } of ranges) {
    const range = unpackRange(packed, rowBytes);
    if (range === undefined) return undefined;
    all.push(range.ends);
    data.push(range.data);
    count += range.ends.length;
  }
  const lengths = new Uint32Array(count);
  let at = 0;
  for (const ends of all) {
    let before = 0;
    for (const end of ends) {
      lengths[at++] = end - before;
      before = end;
    }
  }
  const row = encodeRow(lengths);
  return { parts: [row, ...data], rowBytes: row.length };
}

/** The packed form in one piece of memory. */
export function packedCopy(log: StreamLog, from: number, to: number): Uint8Array {
  return copySlices(packRange(log, from, to));
}
