/**
 * The hot bytes of one stream: which slices of which slabs, and where messages end.
 *
 * @module
 */

import { ColdRanges } from "./cold_ranges.ts";
import { release, retain } from "./slab.ts";
import type { Slab, Slice } from "./types.ts";

/** What lies below the chunks of a log whose first chunk is not the stream's beginning. */
class Below {
  /** Offset at which the first chunk begins. */
  start = 0;
  /** Bytes that the first chunk lost at its front; its place and its messages' ends are as before. */
  cut = 0;
  /** Ranges in objects, between what is inherited and `start`. */
  cold: ColdRanges | undefined = undefined;
  /** The log that a fork's first bytes lie in, and how many they are. */
  origin: StreamLog | undefined = undefined;
  inherited = 0;
}

/**
 * The bytes that one stream appended: a growing row of chunks, one per append, and below them what
 * was flushed. What a fork inherits stays in its source's log, which lives as long as the fork.
 *
 * A chunk is a slice that holds one message, or several whose ends are kept beside it. What was
 * pushed never changes, and what is flushed is left out of a copy, so a reader or an export that
 * holds a {@linkcode StreamLog.view} and remembers how many chunks there were may go on reading.
 *
 * Chunk `i` lies in `slabs[i]` from `marks[2 * i]`; the stream's offset at its end is
 * `marks[2 * i + 1]`. That is 24 bytes per append, and no object of its own.
 */
export class StreamLog {
  #slabs: Slab[] = [];
  #marks: number[] = [];
  /** Chunks at the front of the arrays that were taken out. */
  #first = 0;
  /** Ends of a chunk's messages, counted from its beginning; none where it is one message. */
  #inner: (Uint32Array | undefined)[] | undefined;
  #below: Below | undefined;

  /** A log that goes on where `inherited` bytes of another end; where those are stays looked up. */
  static inheriting(source: StreamLog, inherited: number): StreamLog {
    let origin = source;
    while (origin.origin !== undefined && inherited <= origin.inherited) origin = origin.origin;
    const log = new StreamLog();
    const below = log.#below = new Below();
    below.start = below.inherited = inherited;
    below.origin = origin;
    return log;
  }

  /** A log without chunks that goes on at `start`. */
  static from(start: number): StreamLog {
    const log = new StreamLog();
    if (start > 0) log.#below = new Below();
    if (log.#below !== undefined) log.#below.start = start;
    return log;
  }

  /** Moves the beginning of a log without chunks. */
  skipTo(start: number): void {
    (this.#below ??= new Below()).start = start;
  }

  /** The log as it is now, whatever is flushed; it retains nothing. */
  view(): StreamLog {
    const log = new StreamLog();
    log.#slabs = this.#slabs;
    log.#marks = this.#marks;
    log.#inner = this.#inner;
    log.#first = this.#first;
    if (this.#below !== undefined) {
      const below = log.#below = Object.assign(new Below(), this.#below);
      below.cold = below.cold?.view();
    }
    return log;
  }

  /** Offset at which the first chunk begins: what lies before it is cold, inherited or trimmed. */
  get start(): number {
    return this.#below === undefined ? 0 : this.#below.start;
  }

  /** The log that holds the first {@linkcode StreamLog.inherited} bytes. */
  get origin(): StreamLog | undefined {
    return this.#below?.origin;
  }

  /** How many bytes are another log's. */
  get inherited(): number {
    return this.#below === undefined ? 0 : this.#below.inherited;
  }

  /** Ranges in objects; undefined where there never were any. */
  get cold(): ColdRanges | undefined {
    return this.#below?.cold;
  }

  /** The same, made on first need. */
  obtainCold(): ColdRanges {
    const below = this.#below ??= new Below();
    return below.cold ??= new ColdRanges();
  }

  /** How many chunks there are. */
  get chunks(): number {
    return this.#slabs.length - this.#first;
  }

  /** Offset behind the last chunk. */
  get end(): number {
    return this.endOf(this.chunks - 1);
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

  /**
   * Takes the chunks before `to`, an end of a message, out into a log of their own, which has what
   * they retain.
   */
  takeBefore(to: number): StreamLog {
    const taken = StreamLog.from(this.start);
    const below = this.#below ??= new Below();
    const i = this.chunkAt(to);
    const begun = i < this.chunks && this.startOf(i) < to;
    const cut = begun ? to - this.#endsFrom(i) : 0;
    const behind = this.#first + (begun ? i + 1 : i);
    taken.#slabs = this.#slabs.slice(this.#first, behind);
    taken.#marks = this.#marks.slice(2 * this.#first, 2 * behind);
    taken.#inner = this.#inner?.slice(this.#first, behind);
    if (below.cut > 0) (taken.#below ??= new Below()).cut = below.cut;
    if (begun) {
      taken.#marks[2 * i + 1] = to;
      const ends = this.#innerOf(i);
      if (ends !== undefined && taken.#inner !== undefined) {
        taken.#inner[i] = ends.subarray(0, countUpTo(ends, cut));
      }
    }
    this.#first += i;
    below.start = to;
    below.cut = cut;
    this.#tidy();
    return taken;
  }

  /** Leaves chunks that were taken out behind, before they are many beside the others. */
  #tidy(): void {
    if (this.#first * 4 < this.chunks) return;
    this.#slabs = this.#slabs.slice(this.#first);
    this.#marks = this.#marks.slice(2 * this.#first);
    this.#inner = this.#inner?.slice(this.#first);
    this.#first = 0;
  }

  /** Gives all bytes back; the log may not be used afterwards. */
  releaseAll(): void {
    for (let i = 0; i < this.chunks; i++) {
      release(this.slabOf(i), this.endOf(i) - this.startOf(i));
    }
  }

  /** The first chunk that ends behind `offset`; the number of chunks when there is none. */
  chunkAt(offset: number): number {
    let low = 0, high = this.chunks;
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

  /** Offset at which chunk `i` ends; for -1 where the first one begins. */
  endOf(i: number): number {
    return i < 0 ? this.start : this.#marks[2 * (this.#first + i) + 1] as number; // in bounds by contract
  }

  /** The slab that holds chunk `i`. */
  slabOf(i: number): Slab {
    return this.#slabs[this.#first + i] as Slab; // in bounds by contract
  }

  /** Where in its slab chunk `i` begins. */
  positionOf(i: number): number {
    const position = this.#marks[2 * (this.#first + i)] as number; // in bounds by contract
    return i === 0 && this.#below !== undefined ? position + this.#below.cut : position;
  }

  /** Ends of the messages in chunk `i`, counted from its beginning; undefined where it is one. */
  endsOf(i: number): Uint32Array | undefined {
    const ends = this.#innerOf(i);
    const cut = this.startOf(i) - this.#endsFrom(i);
    if (ends === undefined) return undefined;
    const rest = ends.subarray(countUpTo(ends, cut));
    if (rest.length <= 1) return undefined;
    return cut === 0 ? rest : rest.map((end) => end - cut);
  }

  /** How many ends {@linkcode StreamLog.endsOf} answers. */
  endCount(i: number): number {
    const ends = this.#innerOf(i);
    if (ends === undefined) return 0;
    const count = ends.length - countUpTo(ends, this.startOf(i) - this.#endsFrom(i));
    return count <= 1 ? 0 : count;
  }

  /** The same, counted from where the chunk once began. */
  #innerOf(i: number): Uint32Array | undefined {
    return this.#inner?.[this.#first + i];
  }

  /** Offset from which the ends of chunk `i` count. */
  #endsFrom(i: number): number {
    const from = this.startOf(i);
    return i === 0 && this.#below !== undefined ? from - this.#below.cut : from;
  }

  /** Does a message end, or the first chunk begin, at `offset`? */
  isBoundary(offset: number): boolean {
    return this.lastBoundary(offset) === offset;
  }

  /** The last message end at or before `offset`, which is in the chunks; `start` without one. */
  lastBoundary(offset: number): number {
    const i = this.chunkAt(offset);
    const from = this.startOf(i);
    const ends = i < this.chunks ? this.#innerOf(i) : undefined;
    if (ends === undefined) return from;
    const base = this.#endsFrom(i);
    const before = countUpTo(ends, offset - base);
    return before === 0 ? from : base + (ends[before - 1] as number); // before <= ends.length
  }

  /** The first message end behind `offset`; undefined at or beyond the log's end. */
  nextBoundary(offset: number): number | undefined {
    const i = this.chunkAt(offset);
    if (i === this.chunks) return undefined;
    const ends = this.#innerOf(i);
    if (ends === undefined) return this.endOf(i);
    const base = this.#endsFrom(i);
    return base + (ends[countUpTo(ends, offset - base)] as number); // the chunk ends behind offset
  }

  /**
   * The offset up to `messages` messages behind the boundary `offset`, as many as there are, and
   * how many are missing.
   */
  advance(offset: number, messages: number): { readonly at: number; readonly left: number } {
    let at = offset, left = messages;
    for (let i = this.chunkAt(offset); left > 0 && i < this.chunks; i++) {
      const ends = this.#innerOf(i);
      if (ends === undefined) {
        at = this.endOf(i);
        left--;
        continue;
      }
      const base = this.#endsFrom(i);
      const skip = countUpTo(ends, at - base);
      const taken = Math.min(left, ends.length - skip);
      at = base + (ends[skip + taken - 1] as number); // taken > 0: the chunk ends behind `at`
      left -= taken;
    }
    return { at, left };
  }

  /** How many messages lie between two boundaries within the chunks. */
  countOf(from: number, to: number): number {
    let count = 0;
    for (let i = this.chunkAt(from); i < this.chunks && this.startOf(i) < to; i++) {
      const ends = this.#innerOf(i), base = this.#endsFrom(i);
      count += ends === undefined ? 1 : countUpTo(ends, to - base) - countUpTo(ends, from - base);
    }
    return count;
  }

  /** Their lengths: there may be hundreds of thousands. */
  lengths(from: number, to: number): Uint32Array {
    const lengths = new Uint32Array(this.countOf(from, to));
    let at = from, found = 0;
    for (let i = this.chunkAt(from); at < to; i++) {
      const ends = this.#innerOf(i), base = this.#endsFrom(i);
      if (ends === undefined) {
        lengths[found++] = this.endOf(i) - at;
        at = this.endOf(i);
        continue;
      }
      for (let j = countUpTo(ends, at - base); j < ends.length && at < to; j++) {
        const end = base + (ends[j] as number); // j < length
        lengths[found++] = end - at;
        at = end;
      }
    }
    return lengths;
  }

  /** Where messages end behind `from` and up to `to`, both within the log. */
  ends(from: number, to: number): number[] {
    const found: number[] = [];
    for (let i = this.chunkAt(from); i < this.chunks && this.startOf(i) < to; i++) {
      const ends = this.#innerOf(i), base = this.#endsFrom(i);
      if (ends === undefined) {
        if (this.endOf(i) <= to) found.push(this.endOf(i));
        continue;
      }
      for (let j = countUpTo(ends, from - base); j < ends.length; j++) {
        const end = base + (ends[j] as number); // j < length
        if (end > to) break;
        found.push(end);
      }
    }
    return found;
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
export function countUpTo(ends: Uint32Array, limit: number): number {
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
