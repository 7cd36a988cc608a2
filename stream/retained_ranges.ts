/**
 * Bytes of an object, read bit by bit while entries go on being applied.
 *
 * @module
 */

import type { StreamLog } from "./log.ts";
import { encodeRow } from "./packed.ts";
import { release, retain } from "./slab.ts";
import type { Slab } from "./types.ts";

/** Zeros are written in pieces of this size, in bytes. */
const ZEROS_BYTES = 64 * 1024;

/** A stretch of a log between two ends of messages, and where in the object its packed form begins. */
export interface PlacedRange {
  readonly at: number;
  /** One that does not change, or a view. */
  readonly log: StreamLog;
  readonly from: number;
  readonly to: number;
}

/** A chunk as long as this is a part of its own; shorter ones are put together. */
const CHUNK_BYTES_MIN = 4 * 1024;
/** Below this a copy byte by byte is cheaper than a view to copy from. */
const COPIED_BYTES_MIN = 32;
/** What is put together at a time: others go on between two parts. */
const GATHERED_BYTES = 64 * 1024;

/**
 * The packed forms of ranges, zeros between them, retained from the beginning. A slice for each
 * message would cost more than all the rest, so they are made range by range, as they are asked for.
 */
export class RetainedRanges {
  /**
   * @param length of the object
   * @param ranges in the order of their places
   */
  constructor(readonly length: number, private readonly ranges: readonly PlacedRange[]) {
    this.#count(retain);
  }

  /** The object's bytes, in order; may be asked for again. */
  *parts(): Generator<Uint8Array, void, void> {
    let end = 0;
    for (const { at, log, from, to } of this.ranges) {
      yield* zeros(at - end);
      const row = encodeRow(log.lengths(from, to));
      if (row.length > 0) yield row;
      yield* gathered(log, from, to);
      end = at + row.length + to - from;
    }
    yield* zeros(this.length - end);
  }

  /** Gives the bytes back, once. */
  release(): void {
    this.#count(release);
  }

  #count(by: (slab: Slab, bytes: number) => void): void {
    for (const { log, from, to } of this.ranges) {
      for (let i = log.chunkAt(from), at = from; at < to; i++) {
        const end = Math.min(log.endOf(i), to);
        by(log.slabOf(i), end - at);
        at = end;
      }
    }
  }
}

/** The bytes of a log between two offsets. */
function* gathered(log: StreamLog, from: number, to: number): Generator<Uint8Array, void, void> {
  let out = new Uint8Array(Math.min(GATHERED_BYTES, to - from));
  let filled = 0;
  for (let i = log.chunkAt(from), at = from; at < to; i++) {
    const end = Math.min(log.endOf(i), to);
    const length = end - at;
    const { bytes } = log.slabOf(i);
    const start = log.positionOf(i) + at - log.startOf(i);
    const isLarge = length >= CHUNK_BYTES_MIN;
    if (filled > 0 && (isLarge || filled + length > out.length)) {
      yield out.subarray(0, filled);
      out = new Uint8Array(Math.min(GATHERED_BYTES, to - at));
      filled = 0;
    }
    if (isLarge) {
      yield bytes.subarray(start, start + length);
    } else if (length >= COPIED_BYTES_MIN) {
      out.set(bytes.subarray(start, start + length), filled);
      filled += length;
    } else {
      for (let b = start; b < start + length; b++) out[filled++] = bytes[b] as number; // in bounds
    }
    at = end;
  }
  if (filled > 0) yield out.subarray(0, filled);
}

function* zeros(bytes: number): Generator<Uint8Array, void, void> {
  for (let left = bytes; left > 0; left -= ZEROS_BYTES) {
    yield new Uint8Array(Math.min(left, ZEROS_BYTES));
  }
}
