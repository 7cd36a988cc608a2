/**
 * Flushed bytes that this replica keeps in memory until its own copy of their object is durable.
 *
 * Local, not replicated: on a store that each node has for itself, a reference is committed before
 * the object is written. Exports carry these bytes and hashes leave them out, so that a replica
 * with its copy and one without are equal.
 *
 * @module
 */

import type { StreamLog } from "./log.ts";
import { packRange } from "./packed.ts";
import { RetainedRanges } from "./retained_ranges.ts";
import { sliceOf } from "./slab.ts";
import type { Slice } from "./types.ts";

/** Zeros are written in pieces of this size, in bytes. */
const ZEROS_BYTES = 64 * 1024;

/** One range: the chunks that were flushed. */
export interface PinnedRange {
  readonly number: number;
  readonly at: number;
  readonly log: StreamLog;
}

/** Ranges by object and place. */
export class PinnedRanges {
  readonly #objects = new Map<number, Map<number, StreamLog>>();
  /** Bytes of messages that are held. */
  bytes = 0;

  /** Numbers of the objects, in the order in which they were flushed. */
  objects(): number[] {
    return [...this.#objects.keys()];
  }

  /** Is anything of the object here? */
  has(number: number): boolean {
    return this.#objects.has(number);
  }

  /** The chunks of a range. */
  find(number: number, at: number): StreamLog | undefined {
    return this.#objects.get(number)?.get(at);
  }

  /** Keeps a range, with what its log retains. */
  add({ number, at, log }: PinnedRange): void {
    const ranges = this.#objects.get(number) ?? new Map<number, StreamLog>();
    this.#objects.set(number, ranges.set(at, log));
    this.bytes += log.end - log.start;
  }

  /** Everything that is kept. */
  *all(): Generator<PinnedRange, void, void> {
    for (const [number, ranges] of this.#objects) {
      for (const [at, log] of ranges) yield { number, at, log };
    }
  }

  /** Lets an object go; answers its logs, which the caller releases. */
  take(number: number): StreamLog[] {
    const logs = [...this.#objects.get(number)?.values() ?? []];
    this.#objects.delete(number);
    for (const log of logs) this.bytes -= log.end - log.start;
    return logs;
  }

  /** {@linkcode PinnedRanges.payload}, for as long as whoever asks needs it. */
  retained(number: number, length: number): RetainedRanges {
    const ranges = [...this.#objects.get(number)?.entries() ?? []].sort(([a], [b]) => a - b)
      .map(([at, log]) => ({ at, log, from: log.start, to: log.end }));
    return new RetainedRanges(length, ranges);
  }

  /**
   * All `length` bytes of an object, in order, the same on every replica: zeros where a range was
   * left out because its stream was gone, or trimmed.
   */
  *payload(number: number, length: number): Generator<Slice, void, void> {
    let end = 0;
    const places = [...this.#objects.get(number)?.entries() ?? []].sort(([a], [b]) => a - b);
    for (const [at, log] of places) {
      yield* zeros(at - end);
      end = at;
      for (const slice of packRange(log, log.start, log.end)) {
        yield slice;
        end += slice.end - slice.start;
      }
    }
    yield* zeros(length - end);
  }
}

function* zeros(bytes: number): Generator<Slice, void, void> {
  for (let left = bytes; left > 0; left -= ZEROS_BYTES) {
    yield sliceOf(new Uint8Array(Math.min(left, ZEROS_BYTES)));
  }
}
