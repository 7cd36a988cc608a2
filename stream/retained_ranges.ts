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
      for (const slice of log.slices(from, to)) {
        yield slice.slab.bytes.subarray(slice.start, slice.end);
      }
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

function* zeros(bytes: number): Generator<Uint8Array, void, void> {
  for (let left = bytes; left > 0; left -= ZEROS_BYTES) {
    yield new Uint8Array(Math.min(left, ZEROS_BYTES));
  }
}
