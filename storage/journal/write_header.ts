/**
 * What every write begins with. It tells a torn tail from damage: what lies below a position that
 * some later write calls synced was once whole.
 *
 * | offset | bytes | |
 * | --- | --- | --- |
 * | 0 | 4 | {@linkcode WRITE_MAGIC} |
 * | 4 | 4 | CRC-32 of everything after it, seeded with the segment's salt |
 * | 8 | 4 | the segment's salt |
 * | 12 | 4 | length of the write, this header included |
 * | 16 | 8 | own position in the segment |
 * | 24 | 8 | position up to which the segment was synced before this write |
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { getUint64, putUint64 } from "./format.ts";

/** Bytes of a write header. */
export const WRITE_HEADER_BYTES = 32;

/** First bytes of a write header. */
export const WRITE_MAGIC = 0x57_73_72_55;

/** A write header, decoded. */
export interface WriteHeader {
  readonly length: number;
  readonly synced: number;
}

/** Puts a write header at `at`. */
export function putWriteHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  salt: number,
  length: number,
  position: number,
  synced: number,
): void {
  view.setUint32(at, WRITE_MAGIC, true);
  view.setUint32(at + 8, salt, true);
  view.setUint32(at + 12, length, true);
  putUint64(view, at + 16, position);
  putUint64(view, at + 24, synced);
  view.setUint32(at + 4, crc32(bytes.subarray(at + 8, at + WRITE_HEADER_BYTES), salt), true);
}

/** The header at `at` if it is one, whole, of this segment, and stands where it says. */
export function openWriteHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  salt: number,
  position: number,
): WriteHeader | undefined {
  if (view.getUint32(at, true) !== WRITE_MAGIC || view.getUint32(at + 8, true) !== salt) return;
  const sum = crc32(bytes.subarray(at + 8, at + WRITE_HEADER_BYTES), salt);
  if (sum !== view.getUint32(at + 4, true) || getUint64(view, at + 16) !== position) return;
  return { length: view.getUint32(at + 12, true), synced: getUint64(view, at + 24) };
}
