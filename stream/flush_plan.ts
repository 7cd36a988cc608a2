/**
 * What a flush takes next.
 *
 * @module
 */

import type { FlushedRange } from "./cold_types.ts";
import type { StreamLog } from "./log.ts";
import { packRange, rowBytesOf } from "./packed.ts";
import { RetainedRanges } from "./retained_ranges.ts";
import type { Stream } from "./stream.ts";
import type { Slice, StreamKey } from "./types.ts";

/** Usual size of a range, in bytes: its row is read whole to find a message in it. */
export const RANGE_BYTES_MAX = 1024 * 1024;

/** Most ranges of one flush: what applying its command may cost at once. */
const RANGES_PER_FLUSH_MAX = 2048;

/** Most messages of one flush: likewise. */
export const MESSAGES_PER_FLUSH_MAX = 256 * 1024;

/** What lies in the next object. Its bytes are valid until the next `apply`, unless retained. */
export class FlushPlan {
  readonly ranges: FlushedRange[] = [];
  /** Bytes of the object. */
  length = 0;
  /** The log of each range. */
  readonly #logs: StreamLog[] = [];

  /** The object's bytes, in order; rows of lengths are in memory of their own. */
  get slices(): Slice[] {
    return this.ranges.flatMap(({ from, to }, i) => packRange(this.#log(i), from, to));
  }

  /** The object's bytes, for as long as whoever asks needs them. */
  retained(): RetainedRanges {
    const views = new Map<StreamLog, StreamLog>();
    const ranges = this.ranges.map(({ from, to, at }, i) => {
      const log = this.#log(i);
      const view = views.get(log) ?? log.view();
      views.set(log, view);
      return { at, log: view, from, to };
    });
    return new RetainedRanges(this.length, ranges);
  }

  /** Adds a range whose packed form has so many bytes. */
  add(range: Omit<FlushedRange, "at">, log: StreamLog, bytes: number): void {
    this.ranges.push({ ...range, at: this.length });
    this.#logs.push(log);
    this.length += bytes;
  }

  #log(i: number): StreamLog {
    return this.#logs[i] as StreamLog; // one for each range
  }
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
  const plan = new FlushPlan();
  let messages = 0;
  for (const { key, incarnation, log } of streams) {
    if (log === undefined || skips?.(key)) continue;
    for (let from = log.start; from < log.end;) {
      const to = rangeEnd(log, from, rangeBytes);
      const lengths = log.lengths(from, to);
      const bytes = rowBytesOf(lengths) + to - from;
      messages += lengths.length;
      const full = plan.ranges.length === RANGES_PER_FLUSH_MAX ||
        (plan.length > 0 && plan.length + bytes > maxBytes) ||
        (plan.length > 0 && messages > MESSAGES_PER_FLUSH_MAX);
      if (full) return plan;
      plan.add({ key, incarnation, from, to }, log, bytes);
      from = to;
    }
  }
  return plan;
}

function rangeEnd(log: StreamLog, from: number, rangeBytes: number): number {
  const last = log.lastBoundary(Math.min(from + rangeBytes, log.end));
  if (last <= from) return log.nextBoundary(from) ?? log.end;
  // Each has a byte at least.
  if (last - from <= MESSAGES_PER_FLUSH_MAX) return last;
  return Math.min(last, log.advance(from, MESSAGES_PER_FLUSH_MAX).at);
}
