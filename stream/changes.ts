/**
 * Which streams changed since somebody last asked, for waking live readers.
 *
 * @module
 */

import type { Stream } from "./stream.ts";
import type { StreamKey } from "./types.ts";

/** What happened to one incarnation of a stream in one batch. */
export class StreamChange {
  closed = false;
  /** Deleted, soft-deleted or expired: live reads of the incarnation end. */
  ended = false;
  /** The tail after the batch. */
  tail: number;

  /** @param from the tail before the batch: bytes from here to `tail` are new */
  constructor(readonly key: StreamKey, readonly incarnation: string, readonly from: number) {
    this.tail = from;
  }

  /** Were bytes appended? */
  get appended(): boolean {
    return this.tail > this.from;
  }
}

/** Collects one entry per stream between two calls of {@linkcode Changes.take}. */
export class Changes {
  #streams: Stream[] = [];

  /** The stream's entry; to be called before its tail moves. */
  of(stream: Stream): StreamChange {
    if (stream.change !== undefined) return stream.change;
    this.#streams.push(stream);
    return stream.change = new StreamChange(stream.key, stream.incarnation, stream.tail);
  }

  /** The entries since the last call, in the order in which streams first changed. */
  take(): StreamChange[] {
    const streams = this.#streams;
    if (streams.length === 0) return [];
    this.#streams = [];
    const taken: StreamChange[] = [];
    for (const stream of streams) {
      if (stream.change !== undefined) taken.push(stream.change);
      stream.change = undefined;
    }
    return taken;
  }
}
