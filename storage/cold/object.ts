/**
 * The form of an object: a header, then its bytes in blocks that each carry a checksum. What the
 * bytes mean is said by whoever refers to them; ranges of many streams lie side by side. All numbers
 * are little-endian.
 *
 * | header | bytes | |
 * | --- | --- | --- |
 * | 0 | 4 | magic |
 * | 4 | 4 | CRC-32 of everything after it: the header's sum |
 * | 8 | 4 | format version |
 * | 12 | 4 | bytes of a block, its sum included |
 * | 16 | 4 | group |
 * | 20 | 4 | length of the formation id |
 * | 24 | 8 | number |
 * | 32 | 8 | term |
 * | 40 | 8 | bytes of all blocks, their sums left out |
 * | 48 | 64 | formation id, then zeros |
 * | 112 | 16 | zeros |
 *
 * A block is 65,532 bytes, in the last one what is left, and their CRC-32. That does not begin at
 * zero but at the CRC-32 of the header's sum and the block's number: a block of another object, or
 * of another place in this one, does not pass. Who knows an object's {@linkcode ColdObject} knows
 * its header and where each block lies, so a range is read and checked with nothing but its blocks.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { type ColdObjectName, FORMATION_BYTES_MAX, objectKey } from "./keys.ts";

/** Everything there is to know of an object to read it. */
export interface ColdObject extends ColdObjectName {
  /** Bytes that it holds; the file is somewhat longer. */
  readonly bytes: number;
}

/** Of all objects that are written; a reader refuses any other. */
export const FORMAT_VERSION = 1;
/** Bytes of the header. */
export const HEADER_BYTES = 128;
/** Bytes of a block as it lies in a store. */
export const BLOCK_BYTES = 64 << 10;
/** Bytes of a block's checksum, behind what it is of. */
export const SUM_BYTES = 4;
/** Bytes of an object that a block holds. */
export const BLOCK_PAYLOAD_BYTES = BLOCK_BYTES - SUM_BYTES;

const MAGIC = 0x6f_43_72_55;

/** Blocks of an object. */
export function blockCount({ bytes }: Pick<ColdObject, "bytes">): number {
  return Math.ceil(bytes / BLOCK_PAYLOAD_BYTES);
}

/** Bytes of an object as it lies in a store. */
export function storedBytes(object: Pick<ColdObject, "bytes">): number {
  return HEADER_BYTES + object.bytes + blockCount(object) * SUM_BYTES;
}

/** Where a block begins in what lies in a store. */
export function blockStart(block: number): number {
  return HEADER_BYTES + block * BLOCK_BYTES;
}

/** The block that holds a byte of an object. */
export function blockAt(offset: number): number {
  return Math.floor(offset / BLOCK_PAYLOAD_BYTES);
}

/** The header as it is written. @throws RangeError when a number or the formation does not fit */
export function encodeHeader(object: ColdObject): Uint8Array {
  // Whatever has a key fits.
  objectKey(object);
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const formation = new TextEncoder().encode(object.formation);
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, FORMAT_VERSION, true);
  view.setUint32(12, BLOCK_BYTES, true);
  view.setUint32(16, object.group, true);
  view.setUint32(20, formation.length, true);
  view.setBigUint64(24, BigInt(object.number), true);
  view.setBigUint64(32, BigInt(object.term), true);
  view.setBigUint64(40, BigInt(object.bytes), true);
  bytes.set(formation, 48);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

/** What a header says; undefined when it is not whole, or of another version. */
export function decodeHeader(bytes: Uint8Array): ColdObject | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length !== HEADER_BYTES || view.getUint32(0, true) !== MAGIC) return undefined;
  if (view.getUint32(4, true) !== crc32(bytes.subarray(8))) return undefined;
  if (view.getUint32(8, true) !== FORMAT_VERSION || view.getUint32(12, true) !== BLOCK_BYTES) {
    return undefined;
  }
  const length = Math.min(view.getUint32(20, true), FORMATION_BYTES_MAX);
  return {
    formation: new TextDecoder().decode(bytes.subarray(48, 48 + length)),
    group: view.getUint32(16, true),
    number: Number(view.getBigUint64(24, true)),
    term: Number(view.getBigUint64(32, true)),
    bytes: Number(view.getBigUint64(40, true)),
  };
}

/** Makes and checks the sums of one object's blocks. */
export class BlockSums {
  readonly #seeded = new Uint8Array(8);
  readonly #view = new DataView(this.#seeded.buffer);

  /** @param header as {@linkcode encodeHeader} makes it */
  constructor(header: Uint8Array) {
    this.#seeded.set(header.subarray(4, 8));
  }

  /** The sum of a block, which is `payload`. */
  of(block: number, payload: Uint8Array): number {
    this.#view.setUint32(4, block, true);
    return crc32(payload, crc32(this.#seeded));
  }

  /** Is this block, its sum included, what was written? */
  isWhole(block: number, stored: Uint8Array): boolean {
    const end = stored.length - SUM_BYTES;
    const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
    return this.of(block, stored.subarray(0, end)) === view.getUint32(end, true);
  }
}
