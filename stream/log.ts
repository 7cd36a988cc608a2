/**
 * The hot bytes of one stream: which slices of which slabs, and where messages end.
 *
 * @module
 */

import { release, retain } from "./slab.ts";
import type { Slab, Slice } from "./types.ts";

/**
 * A growing row of chunks, one per append. A chunk is a slice that holds one message, or several
 * whose ends are kept beside it. What was pushed never changes, so a reader or an export that
 * remembers how many chunks there were may go on reading while the log grows.
 *
 * Chunk `i` lies in `slabs[i]` from `marks[2 * i]`; the stream's offset at its end is
 * `marks[2 * i + 1]`. That is 24 bytes per append, and no object of its own.
 */
export class StreamLog {
  readonly #slabs: Slab[] = [];
  readonly #marks: number[] = [];
  /** Ends of a chunk's messages, counted from its beginning; none where it is one message. */
  #inner: (Uint32Array | undefined)[] | undefined;

  /** How many chunks there are. */
  get chunks(): number {
    return this.#slabs.length;
  }

  /** Offset behind the last chunk. */
  get end(): number {
    return this.endOf(this.#slabs.length - 1);
  }

  /** Adds a chunk and retains its bytes. `ends`: see {@linkcode messageEnds}. */
  push(slab: Slab, start: number, length: number, ends: Uint32Array | undefined): void {
    const end = this.end + length;
    retain(slab, length);
    this.#slabs.push(slab);
    this.#marks.push(start, end);
    if (ends !== undefined) {
      const inner = this.#inner ??= [];
      while (inner.length < this.#slabs.length - 1) inner.push(undefined);
      inner.push(ends);
    }
  }

  /** A log of its own that shares the first `end` bytes; the last chunk may be cut. */
  prefix(end: number): StreamLog {
    const log = new StreamLog();
    for (let i = 0; i < this.#slabs.length; i++) {
      const from = this.startOf(i);
      if (from >= end) break;
      const length = Math.min(this.endOf(i), end) - from;
      let ends = this.innerOf(i);
      if (ends !== undefined && from + length < this.endOf(i)) {
        let count = 0;
        while ((ends[count] ?? Infinity) <= length) count++;
        ends = count > 1 ? ends.subarray(0, count) : undefined;
      }
      log.push(this.slabOf(i), this.positionOf(i), length, ends);
    }
    return log;
  }

  /** Gives all bytes back; the log may not be used afterwards. */
  releaseAll(): void {
    for (let i = 0; i < this.#slabs.length; i++) {
      release(this.slabOf(i), this.endOf(i) - this.startOf(i));
    }
  }

  /** The first chunk that ends behind `offset`; the number of chunks when there is none. */
  chunkAt(offset: number): number {
    let low = 0, high = this.#slabs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.endOf(middle) > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Offset at which chunk `i` begins. */
  startOf(i: number): number {
    return this.endOf(i - 1);
  }

  /** Offset at which chunk `i` ends; 0 for -1. */
  endOf(i: number): number {
    return i < 0 ? 0 : this.#marks[2 * i + 1] as number; // in bounds by contract
  }

  /** The slab that holds chunk `i`. */
  slabOf(i: number): Slab {
    return this.#slabs[i] as Slab; // in bounds by contract
  }

  /** Where in its slab chunk `i` begins. */
  positionOf(i: number): number {
    return this.#marks[2 * i] as number; // in bounds by contract
  }

  /** Ends of the messages in chunk `i`, counted from its beginning; undefined where it is one. */
  innerOf(i: number): Uint32Array | undefined {
    return this.#inner?.[i];
  }

  /** Does a message end, or the stream begin, at `offset`? */
  isBoundary(offset: number): boolean {
    return offset === 0 || this.lastBoundary(offset) === offset;
  }

  /** The last message end at or before `offset`; 0 when there is none. */
  lastBoundary(offset: number): number {
    const i = this.chunkAt(offset);
    const from = this.startOf(i);
    const ends = i < this.#slabs.length ? this.innerOf(i) : undefined;
    if (ends === undefined) return from;
    const before = countUpTo(ends, offset - from);
    return before === 0 ? from : from + (ends[before - 1] as number); // before <= ends.length
  }

  /** The first message end behind `offset`; undefined at or beyond the log's end. */
  nextBoundary(offset: number): number | undefined {
    const i = this.chunkAt(offset);
    if (i === this.#slabs.length) return undefined;
    const ends = this.innerOf(i);
    if (ends === undefined) return this.endOf(i);
    const from = this.startOf(i);
    return from + (ends[countUpTo(ends, offset - from)] as number); // the chunk ends behind offset
  }

  /** The offset `messages` messages behind the boundary `offset`; undefined when there are fewer. */
  advance(offset: number, messages: number): number | undefined {
    let at = offset, left = messages;
    for (let i = this.chunkAt(offset); left > 0; i++) {
      if (i >= this.#slabs.length) return undefined;
      const ends = this.innerOf(i);
      if (ends === undefined) {
        at = this.endOf(i);
        left--;
        continue;
      }
      const from = this.startOf(i);
      const skip = countUpTo(ends, at - from);
      const taken = Math.min(left, ends.length - skip);
      at = from + (ends[skip + taken - 1] as number); // taken > 0: the chunk ends behind `at`
      left -= taken;
    }
    return at;
  }

  /** The slices between two offsets within the log, in order. */
  slices(from: number, to: number): Slice[] {
    const out: Slice[] = [];
    let at = from;
    for (let i = this.chunkAt(from); at < to; i++) {
      const position = this.positionOf(i) - this.startOf(i);
      const end = Math.min(this.endOf(i), to);
      out.push({ slab: this.slabOf(i), start: position + at, end: position + end });
      at = end;
    }
    return out;
  }

  /** The byte at an offset within the log. */
  byteAt(offset: number): number {
    const i = this.chunkAt(offset);
    const position = this.positionOf(i) + offset - this.startOf(i);
    return this.slabOf(i).bytes[position] as number; // in bounds by contract
  }
}

/** How many of the ascending `ends` are at most `limit`. */
function countUpTo(ends: Uint32Array, limit: number): number {
  let low = 0, high = ends.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ends[middle] as number) > limit) high = middle; // middle < ends.length
    else low = middle + 1;
  }
  return low;
}

/** Message ends from message lengths; undefined for a single message. */
export function messageEnds(
  lengths: readonly number[] | Uint32Array | undefined,
): Uint32Array | undefined {
  if (lengths === undefined || lengths.length <= 1) return undefined;
  const ends = new Uint32Array(lengths.length);
  let end = 0;
  for (let i = 0; i < lengths.length; i++) {
    end += lengths[i] as number; // i < length
    ends[i] = end;
  }
  return ends;
}
