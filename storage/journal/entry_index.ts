/**
 * Where a group's entries lie in the segments: enough to begin reading close to each, at about a
 * byte of memory for an entry of ordinary size.
 *
 * @module
 */

import type { Segment } from "./segment.ts";

/** Of a run, every record that lies so far behind the last one known is made known too. */
export const POINT_STRIDE_BYTES = 128 << 10;

/** Where to look for an entry. */
export interface EntryPlace {
  readonly segment: Segment;
  /** Position of a record of the group, at or before the one looked for, that a walk may begin at. */
  readonly position: number;
  /** Last entry that the same walk comes by. */
  readonly last: number;
  /** Position of a record at or behind the one of `last`. */
  readonly end: number;
}

/** Entries without a gap that lie in one segment in their order; others may lie between them. */
class Run {
  /** Index and position in turn. The first is the run's first entry. */
  readonly points: number[];
  /** Position of the newest record, even where it is no longer live. */
  end: number;
  #nextPoint: number;

  constructor(readonly segment: Segment, public last: number, position: number) {
    this.points = [last, position];
    this.end = position;
    this.#nextPoint = position + POINT_STRIDE_BYTES;
  }

  get first(): number {
    return this.points[0] ?? Infinity;
  }

  /** Takes in the next entry; false when it is none of this run. */
  extend(segment: Segment, index: number, position: number): boolean {
    if (segment !== this.segment || index !== this.last + 1 || position <= this.end) return false;
    this.last = index;
    this.end = position;
    if (position >= this.#nextPoint) {
      this.points.push(index, position);
      this.#nextPoint = position + POINT_STRIDE_BYTES;
    }
    return true;
  }

  cut(last: number): void {
    this.last = Math.min(this.last, last);
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
  /** What the next entry, or the next copied one, probably belongs to. */
  #tail: Run | undefined = undefined;
  #copies: Run | undefined = undefined;

  /** An entry lies at `position`. */
  note(segment: Segment, index: number, position: number): void {
    if (this.#tail?.extend(segment, index, position)) return;
    this.#runs.push(this.#tail = new Run(segment, index, position));
  }

  /** A copy of an older entry lies at `position`. */
  noteCopy(segment: Segment, index: number, position: number): void {
    if (this.#copies?.extend(segment, index, position)) return;
    this.#runs.push(this.#copies = new Run(segment, index, position));
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

  /** Where to look for the entry at `index`; undefined where it lies nowhere. */
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
    if (this.#tail && !isKept(this.#tail)) this.#tail = undefined;
    if (this.#copies && !isKept(this.#copies)) this.#copies = undefined;
  }
}
