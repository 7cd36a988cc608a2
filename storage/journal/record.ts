/**
 * What all records share: a header, a checksum, and where the payload lies.
 *
 * | offset | bytes | |
 * | --- | --- | --- |
 * | 0 | 4 | CRC-32 of everything after it, payload included, seeded with the segment's salt |
 * | 4 | 4 | length of the payload |
 * | 8 | 4 | group |
 * | 12 | 1 | kind |
 * | 13 | 1 | flags of the kind |
 * | 14 | 2 | zero |
 * | 16 | 8 | index |
 * | 24 | 8 | term |
 * | 32 | | payload, and up to 7 bytes that mean nothing |
 *
 * The salt is random and no client learns it: neither bytes that a client sent nor bytes that an
 * earlier file left behind pass for a record.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { aligned, getUint64, putUint64 } from "./format.ts";

/** Bytes before a record's payload. */
export const RECORD_HEADER_BYTES = 32;

/** Longest payload: its length is 32 bits, and sizes must stay whole in 31. */
export const RECORD_PAYLOAD_BYTES_MAX = (1 << 30) - 1;

/** A record's header, decoded. */
export interface RecordHeader {
  readonly length: number;
  readonly group: number;
  readonly kind: number;
  readonly flags: number;
  readonly index: number;
  readonly term: number;
}

/** Bytes that a record with a payload of `length` takes. */
export function recordBytes(length: number): number {
  return RECORD_HEADER_BYTES + aligned(length);
}

/** Fills the header at `at`, in front of a payload of `length` that is already there. */
export function sealRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  length: number,
  group: number,
  kind: number,
  flags: number,
  index: number,
  term: number,
  salt: number,
): void {
  view.setUint32(at + 4, length, true);
  view.setUint32(at + 8, group, true);
  view.setUint32(at + 12, kind | (flags << 8), true);
  putUint64(view, at + 16, index);
  putUint64(view, at + 24, term);
  const end = at + RECORD_HEADER_BYTES + length;
  view.setUint32(at, crc32(bytes.subarray(at + 4, end), salt), true);
}

/** Length of the payload as the header at `at` has it; nothing is verified. */
export function claimedLength(view: DataView, at: number): number {
  return view.getUint32(at + 4, true);
}

/** The record at `at`, whose payload must lie in `bytes` whole; undefined when its checksum is wrong. */
export function openRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  salt: number,
): RecordHeader | undefined {
  const length = claimedLength(view, at);
  const sum = crc32(bytes.subarray(at + 4, at + RECORD_HEADER_BYTES + length), salt);
  return sum === recordSum(view, at) ? decodeRecord(view, at) : undefined;
}

/** The checksum as the header at `at` has it. */
export function recordSum(view: DataView, at: number): number {
  return view.getUint32(at, true);
}

/** The header at `at`; nothing is verified. */
export function decodeRecord(view: DataView, at: number): RecordHeader {
  return {
    length: claimedLength(view, at),
    group: view.getUint32(at + 8, true),
    kind: view.getUint8(at + 12),
    flags: view.getUint8(at + 13),
    index: getUint64(view, at + 16),
    term: getUint64(view, at + 24),
  };
}
