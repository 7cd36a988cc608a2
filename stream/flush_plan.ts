/**
 * What a flush takes next.
 *
 * @module
 */

import type { FlushedRange } from "./cold_types.ts";
import type { StreamLog } from "./log.ts";
import { packRange } from "./packed.ts";
import type { Stream } from "./stream.ts";
import type { Slice, StreamKey } from "./types.ts";

/** Usual size of a range, in bytes: its row is read whole to find a message in it. */
export const RANGE_BYTES_MAX = 1024 * 1024;

/** Most ranges of one flush: what applying its command may cost at once. */
export const RANGES_PER_FLUSH_MAX = 8192;

/** What lies in the next object. */
export interface FlushPlan {
  readonly ranges: readonly FlushedRange[];
  /** Bytes of the object. */
  readonly length: number;
  /**
   * The object's bytes, in order. Valid until the next `apply`, unless retained; rows of lengths are
   * in memory of their own.
   */
  readonly slices: readonly Slice[];
}

/** Which streams a plan is made of. */
export interface FlushOptions {
  /** Size of the object, which only a single range exceeds. */
  readonly maxBytes: number;
  /**
   * Size of a range, which only a single message exceeds.
   * @default RANGE_BYTES_MAX, or `maxBytes` where that is less
   */
  readonly rangeBytes?: number;
  /** Leaves a stream out, such as one of which a flush is under way. */
  readonly skips?: (key: StreamKey) => boolean;
}

/** Takes from the streams in order, each to its end, until the object is full. */
export function planFlush(streams: Iterable<Stream>, options: FlushOptions): FlushPlan {
  const { maxBytes, skips, rangeBytes = Math.min(RANGE_BYTES_MAX, maxBytes) } = options;
  const ranges: FlushedRange[] = [];
  const slices: Slice[] = [];
  let length = 0;
  for (const { key, incarnation, log } of streams) {
    if (log === undefined || skips?.(key)) continue;
    for (let from = log.start; from < log.end;) {
      const to = rangeEnd(log, from, rangeBytes);
      const packed = packRange(log, from, to);
      const bytes = packed.reduce((sum, { start, end }) => sum + end - start, 0);
      const full = ranges.length === RANGES_PER_FLUSH_MAX ||
        (length > 0 && length + bytes > maxBytes);
      if (full) return { ranges, length, slices };
      ranges.push({ key, incarnation, from, to, at: length });
      for (const slice of packed) slices.push(slice);
      length += bytes;
      from = to;
    }
  }
  return { ranges, length, slices };
}

function rangeEnd(log: StreamLog, from: number, rangeBytes: number): number {
  const last = log.lastBoundary(Math.min(from + rangeBytes, log.end));
  return last > from ? last : log.nextBoundary(from) ?? log.end;
}
