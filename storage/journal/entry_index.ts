/**
 * Where a group's entries lie in the segments: enough to begin reading close to each, at about a
 * byte of memory for an entry of ordinary size.
 *
 * @module
 */

import type { Segment } from "./segment.ts";

/** Of the group's bytes, so many may lie between two records whose positions are kept. */
export const POINT_STRIDE_BYTES = 4 << 10;

/** Where to look for an entry. */
export interface EntryPlace {
  readonly segment: Segment;
  /** Position of a record of the group, at or before the one looked for, that a walk may begin at. */
  readonly position: number;
  /** Last entry that the same walk comes by; Infinity where more are still being added. */
  readonly last: number;
  /** They all begin before this position; Infinity where more are still being added. */
  readonly end: number;
}

/** Entries without a gap that lie in one segment in their order; others may lie between them. */
class Run {
  /** Index and position in turn. The first is the run's first entry. */
  readonly points: number[];
  last = Infinity;
  end = Infinity;

  constructor(readonly segment: Segment, index: number, position: number) {
    this.points = [index, position];
  }

  get first(): number {
    return this.points[0] ?? Infinity;
  }

  cut(last: number): void {
    if (this.last !== Infinity) this.last = Math.min(this.last, last);
    while ((this.points.at(-2) ?? 0) > last) this.points.length -= 2;
  }

  /** Position of the last point at or before `index`. */
  pointFor(index: number): number {
    const { points } = this;
    let low = 0;
    let high = points.length >> 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((points[2 * middle] ?? Infinity) <= index) low = middle;
      else high = middle;
    }
    return points[2 * low + 1] ?? 0;
  }
}

/** The places of one group's entries. What lies in them must be checked against the log's terms. */
export class EntryIndex {
  /** How often entries ceased to be live, other than by a RaftSnapshot that covers them. */
  cuts = 0;
  #runs: Run[] = [];
  /** What appended entries belong to, in the segment that is being written. */
  #tail: Run | undefined = undefined;
  /** What the next one placed probably belongs to. */
  #placed: Run | undefined = undefined;
  /** Bytes that were placed there since its last point. */
  #placedBytes = 0;

  /**
   * An entry was appended at `position`. Told of the first in a segment, the first after others were
   * cut off, and some of those that follow: they need not be all.
   */
  note(segment: Segment, index: number, position: number): void {
    if (this.#tail !== undefined) this.#tail.points.push(index, position);
    else this.#runs.push(this.#tail = new Run(segment, index, position));
  }

  /** Appending goes on in another segment: `last` was the last entry in this one, which ends at `end`. */
  endSegment(last: number, end: number): void {
    if (this.#tail === undefined) return;
    this.#tail.last = last;
    this.#tail.end = end;
    this.#tail = undefined;
  }

  /**
   * An entry lies at `position`: one that was found at the start, or a copy of an older one.
   * @param bytes of its record
   */
  place(segment: Segment, index: number, position: number, bytes: number): void {
    const run = this.#placed;
    if (segment === run?.segment && index === run.last + 1 && position >= run.end) {
      if (this.#placedBytes >= POINT_STRIDE_BYTES) {
        run.points.push(index, position);
        this.#placedBytes = 0;
      }
      this.#placedBytes += bytes;
      run.last = index;
      run.end = position + 1;
      return;
    }
    const next = new Run(segment, index, position);
    next.last = index;
    next.end = position + 1;
    this.#placedBytes = bytes;
    this.#runs.push(this.#placed = next);
  }

  /** Entries from `index` on are no longer live. */
  truncate(index: number): void {
    this.cuts++;
    this.#keep((run) => run.first < index);
    for (const run of this.#runs) run.cut(index - 1);
  }

  /** Entries up to `index` are not asked for any more. */
  forget(index: number): void {
    this.#keep((run) => run.last > index);
  }

  /** A segment goes. */
  release(segment: Segment): void {
    this.#keep((run) => run.segment !== segment);
  }

  /** Where to look for the live entry at `index`; undefined where it lies nowhere. */
  find(index: number): EntryPlace | undefined {
    for (const run of this.#runs) {
      if (index < run.first || index > run.last) continue;
      const { segment, last, end } = run;
      return { segment, position: run.pointFor(index), last, end };
    }
    return undefined;
  }

  #keep(isKept: (run: Run) => boolean): void {
    if (this.#runs.every(isKept)) return;
    this.#runs = this.#runs.filter(isKept);
    if (this.#placed && !isKept(this.#placed)) this.#placed = undefined;
    if (this.#tail && !isKept(this.#tail)) this.#tail = undefined;
  }
}
