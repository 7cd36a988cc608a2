/**
 * The form of a RaftSnapshot's file: header, meta, frames, footer. All numbers are little-endian.
 *
 * | header | bytes | |
 * | --- | --- | --- |
 * | 0 | 4 | magic |
 * | 4 | 4 | CRC-32 of everything after it, meta included |
 * | 8 | 4 | format version |
 * | 12 | 4 | group |
 * | 16 | 8 | index |
 * | 24 | 8 | term |
 * | 32 | 4 | length of the meta that follows |
 *
 * A frame is the length of its bytes (4), their CRC-32 (4) and the bytes. One with `GAP_LENGTH` for
 * length is a gap: its second number says how many bytes that mean nothing follow. The footer is a frame's
 * head with `FOOTER_LENGTH` for length and the CRC-32 of the total, then that total of
 * the frames' bytes (8).
 *
 * @module
 */

import { crc32 } from "node:zlib";

/** Of all files of RaftSnapshots that are written. */
export const FORMAT_VERSION = 2;

/** The oldest version that can be read: it had no gaps. A reader refuses what is older, or newer. */
export const FORMAT_VERSION_MIN = 1;

/** Bytes of the header, meta left out. */
export const HEADER_BYTES = 36;

/** Bytes before those of a frame. */
export const FRAME_HEAD_BYTES = 8;

/** Bytes of the footer. */
export const FOOTER_BYTES = 16;

/** Most bytes of one frame: bounds what a reader allocates. */
export const FRAME_BYTES_MAX = 256 << 10;

/** Most bytes of the meta. */
export const META_BYTES_MAX = 64 << 10;

/**
 * Where the frames of a received RaftSnapshot begin: its header and meta are known last, and fit in
 * before them with a gap behind.
 */
export const RECEIVED_FRAMES_START = HEADER_BYTES + META_BYTES_MAX + FRAME_HEAD_BYTES;

const MAGIC = 0x53_73_72_55;
const FOOTER_LENGTH = 0xffff_ffff;
const GAP_LENGTH = 0xffff_fffe;

/** What a file says of itself. */
export interface SnapshotHeader {
  readonly group: number;
  readonly index: number;
  readonly term: number;
}

/** The head of a frame, or the footer's. */
export interface FrameHead {
  readonly length: number;
  readonly sum: number;
  readonly isFooter: boolean;
  /** Bytes of the gap that this is the head of; undefined where it is none. */
  readonly gap: number | undefined;
}

/** Header and meta as they are written. */
export function encodeHeader({ group, index, term }: SnapshotHeader, meta: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + meta.length);
  const view = viewOf(bytes);
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, group, true);
  view.setBigUint64(16, BigInt(index), true);
  view.setBigUint64(24, BigInt(term), true);
  view.setUint32(32, meta.length, true);
  bytes.set(meta, HEADER_BYTES);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

/** Length of the meta, as the header claims; undefined when it is no header. */
export function claimedMeta(header: Uint8Array): number | undefined {
  const view = viewOf(header);
  const length = view.getUint32(32, true);
  return view.getUint32(0, true) === MAGIC && length <= META_BYTES_MAX ? length : undefined;
}

/** Decodes header and meta together; undefined when they are not whole. */
export function decodeHeader(
  bytes: Uint8Array,
): SnapshotHeader & { readonly version: number } | undefined {
  const view = viewOf(bytes);
  if (crc32(bytes.subarray(8)) !== view.getUint32(4, true)) return undefined;
  return {
    version: view.getUint32(8, true),
    group: view.getUint32(12, true),
    index: Number(view.getBigUint64(16, true)),
    term: Number(view.getBigUint64(24, true)),
  };
}

/** Puts a frame's head in front of its bytes, which are at `at + FRAME_HEAD_BYTES` already. */
export function putFrameHead(bytes: Uint8Array, at: number, length: number): void {
  const view = viewOf(bytes);
  const start = at + FRAME_HEAD_BYTES;
  view.setUint32(at, length, true);
  view.setUint32(at + 4, crc32(bytes.subarray(start, start + length)), true);
}

/** The head of a gap of `length` bytes. */
export function encodeGapHead(length: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEAD_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, GAP_LENGTH, true);
  view.setUint32(4, length, true);
  return bytes;
}

/** Reads a frame's head, or the footer's. */
export function frameHead(bytes: Uint8Array): FrameHead {
  const view = viewOf(bytes);
  const length = view.getUint32(0, true);
  const sum = view.getUint32(4, true);
  const gap = length === GAP_LENGTH ? sum : undefined;
  return { length, sum, isFooter: length === FOOTER_LENGTH, gap };
}

/** The footer as it is written. */
export function encodeFooter(total: number): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, FOOTER_LENGTH, true);
  view.setBigUint64(8, BigInt(total), true);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
