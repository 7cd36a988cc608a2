/**
 * The layout of a frame: length of the payload (u32), type (u8), kind (u8), call (u32), payload. All
 * numbers are little-endian.
 *
 * What is longer than a frame goes as one that begins it, its payload led by the whole length (u32),
 * and frames that go on with it. They follow each other in the bulk lane; control frames come between.
 *
 * @module
 */

import { FRAME_BYTES_MAX } from "./bounds.ts";

/** Length of what precedes a payload. */
export const FRAME_HEADER_BYTES = 10;
/** A frame with all that belongs to it. */
export const WHOLE_FRAME_BYTES_MAX = FRAME_HEADER_BYTES + FRAME_BYTES_MAX;
/** Payload of a frame that begins something longer: its whole length comes first. */
export const BEGIN_LENGTH_BYTES = 4;

/** What the sender says of itself from time to time: see `ping.ts`. */
export const PING = 1;
/** The sender's formation id: it has one now. */
export const FORMED = 2;
/** So many bytes of frames were read on this connection: `call` counts them, modulo 2^32. */
export const READ = 3;
/** From who dialled: takes no answer. */
export const MESSAGE = 4;
/** From who dialled: `call` numbers it. */
export const CALL = 5;
/** From who accepted, to the call of that number. */
export const ANSWER = 6;
/** Goes on with what began last. */
export const CONTINUED = 7;
/** Added to MESSAGE, CALL or ANSWER: the first part of one. */
export const BEGINS = 0x80;

/** Writes a header; answers where the payload goes. */
export function writeFrameHeader(
  into: Uint8Array,
  at: number,
  length: number,
  type: number,
  kind: number,
  call: number,
): number {
  writeU32(into, at, length);
  into[at + 4] = type;
  into[at + 5] = kind;
  writeU32(into, at + 6, call);
  return at + FRAME_HEADER_BYTES;
}

/** Writes a number below 2^32. */
export function writeU32(into: Uint8Array, at: number, value: number): void {
  into[at] = value;
  into[at + 1] = value >>> 8;
  into[at + 2] = value >>> 16;
  into[at + 3] = value >>> 24;
}

/** Reads what {@linkcode writeU32} wrote; the caller has looked that it is there. */
export function readU32(from: Uint8Array, at: number): number {
  return ((from[at] as number) | ((from[at + 1] as number) << 8) |
    ((from[at + 2] as number) << 16) | ((from[at + 3] as number) << 24)) >>> 0;
}
