/**
 * Streams with hot bytes, in the order in which they got them: what a flush takes first.
 *
 * @module
 */

import type { Stream } from "./stream.ts";

/**
 * Derived from the streams, never replicated: an import queues them in order of creation. Times
 * are kept in whole seconds, which fit a machine word.
 */
export class HotQueue {
  readonly #since = new Map<Stream, number>();

  /** Since when the longest waiting stream has hot bytes, in ms; undefined where none has. */
  get oldestMs(): number | undefined {
    for (const seconds of this.#since.values()) return seconds * 1000;
    return undefined;
  }

  /** The stream got hot bytes, and had none. */
  add(stream: Stream, stampMs: number): void {
    this.#since.set(stream, Math.floor(stampMs / 1000));
  }

  /** Some of the stream's hot bytes were flushed; with what is left it waits anew. */
  flushed(stream: Stream, stampMs: number): void {
    this.#since.delete(stream);
    if (stream.log !== undefined && stream.log.chunks > 0) this.add(stream, stampMs);
  }

  /** The stream ended. */
  remove(stream: Stream): void {
    this.#since.delete(stream);
  }

  /** The streams, the one that waits longest first. */
  streams(): Iterable<Stream> {
    return this.#since.keys();
  }
}
