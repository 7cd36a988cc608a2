/**
 * When streams expire (P§5.1; SPEC section 3, TTL).
 *
 * @module
 */

import { rareOf, type RareParts, type Stream } from "./stream.ts";

/** Bounds of the coarse interval, in ms. */
const COARSE_MS_MIN = 100;
const COARSE_MS_MAX = 60_000;

/** How far apart replicated touches of one stream lie, in ms: a tenth of its TTL, within bounds. */
export function coarseIntervalMs(ttlSeconds: number): number {
  return Math.min(Math.max(ttlSeconds * 100, COARSE_MS_MIN), COARSE_MS_MAX);
}

/** Group time from which the stream may be expired; `Infinity` where it never is. */
export function deadlineOf(rare: RareParts | undefined): number {
  if (rare === undefined) return Infinity;
  let deadline = rare.expiresAtMs ?? Infinity;
  if (rare.ttlSeconds !== undefined) {
    const idle = rare.touchedMs + rare.ttlSeconds * 1000 + coarseIntervalMs(rare.ttlSeconds);
    if (idle < deadline) deadline = idle;
  }
  return deadline;
}

/**
 * Streams with a deadline, the nearest first: a binary heap under the deadline that each had when
 * it was queued. A touch moves a deadline later and leaves the heap alone; the difference is made
 * up when the stream comes to the top. Derived from the streams, never replicated.
 */
export class DeadlineQueue {
  readonly #heap: Stream[] = [];

  /** Queues a stream that has a deadline; once per stream. */
  add(stream: Stream): void {
    const rare = rareOf(stream);
    rare.queuedMs = deadlineOf(rare);
    this.#heap.push(stream);
    this.#up(this.#heap.length - 1);
  }

  /** Up to `limit` streams whose deadline is at or before `nowMs`, earliest first; all stay queued. */
  due(nowMs: number, limit: number): Stream[] {
    const due: Stream[] = [];
    while (due.length < limit) {
      const top = this.#heap[0];
      if (top === undefined || queuedMs(top) > nowMs) break;
      if (top.ended || top.softDeleted) {
        this.#pop();
        continue;
      }
      const deadline = deadlineOf(top.rare);
      if (deadline > queuedMs(top)) {
        rareOf(top).queuedMs = deadline;
        this.#down(0);
        continue;
      }
      this.#pop();
      due.push(top);
    }
    for (const stream of due) this.add(stream);
    return due;
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#down(0);
    }
  }

  #up(from: number): void {
    const heap = this.#heap;
    const stream = heap[from] as Stream; // from < length
    let i = from;
    while (i > 0) {
      const parent = (i - 1) >>> 1;
      const above = heap[parent] as Stream; // parent < i
      if (!before(stream, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = stream;
  }

  #down(from: number): void {
    const heap = this.#heap;
    const stream = heap[from] as Stream; // from < length
    let i = from;
    while (true) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      // Both are within the heap.
      if (right < heap.length && before(heap[right] as Stream, heap[child] as Stream)) {
        child = right;
      }
      const below = heap[child] as Stream;
      if (!before(below, stream)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = stream;
  }
}

function queuedMs(stream: Stream): number {
  return stream.rare === undefined ? Infinity : stream.rare.queuedMs;
}

function before(a: Stream, b: Stream): boolean {
  const difference = queuedMs(a) - queuedMs(b);
  return difference < 0 || (difference === 0 && a.index < b.index);
}
