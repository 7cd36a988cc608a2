/**
 * What a segment begins with. A segment gets its name only once this and the write after it are
 * durable, and the segment before it too.
 *
 * | offset | bytes | |
 * | --- | --- | --- |
 * | 0 | 4 | {@linkcode SEGMENT_MAGIC} |
 * | 4 | 4 | CRC-32 of everything after it |
 * | 8 | 4 | format version |
 * | 12 | 4 | journal |
 * | 16 | 8 | sequence |
 * | 24 | 8 | where the writes of the segment before this one end; 0 where there was none |
 * | 32 | 8 | where this segment's restatement ends |
 * | 40 | 4 | salt |
 * | 44 | 20 | zero |
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { FORMAT_VERSION, getUint64, putUint64 } from "./format.ts";

/** Bytes of a segment header. */
export const SEGMENT_HEADER_BYTES = 64;

/** First bytes of a segment. */
export const SEGMENT_MAGIC = 0x4a_73_72_55;

/** A segment header, decoded. */
export interface SegmentHeader {
  readonly version: number;
  readonly journal: number;
  readonly sequence: number;
  readonly previousEnd: number;
  readonly restatementEnd: number;
  readonly salt: number;
}

/** Puts a header of the current version at the beginning of `bytes`. */
export function putSegmentHeader(bytes: Uint8Array, header: Omit<SegmentHeader, "version">): void {
  const view = viewOf(bytes);
  view.setUint32(0, SEGMENT_MAGIC, true);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, header.journal, true);
  putUint64(view, 16, header.sequence);
  putUint64(view, 24, header.previousEnd);
  putUint64(view, 32, header.restatementEnd);
  view.setUint32(40, header.salt, true);
  view.setUint32(4, crc32(bytes.subarray(8, SEGMENT_HEADER_BYTES)), true);
}

/** The header at the beginning of `bytes`; undefined when it is not whole. */
export function openSegmentHeader(bytes: Uint8Array): SegmentHeader | undefined {
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== SEGMENT_MAGIC) return undefined;
  if (view.getUint32(4, true) !== crc32(bytes.subarray(8, SEGMENT_HEADER_BYTES))) return undefined;
  return {
    version: view.getUint32(8, true),
    journal: view.getUint32(12, true),
    sequence: getUint64(view, 16),
    previousEnd: getUint64(view, 24),
    restatementEnd: getUint64(view, 32),
    salt: view.getUint32(40, true),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
