/**
 * What the journal must know of a group while it runs: enough to restate it, to tell which
 * segments it still needs, and which copies of an entry are the live ones. It grows with the
 * group's changes of term, and hardly with its entries.
 *
 * @module
 */

import { EntryIndex } from "./entry_index.ts";

/** One group, as of the last record sealed. */
export class GroupTrack {
  term = 0;
  votedFor: string | undefined = undefined;
  markIndex = 0;
  markTerm = 0;
  /** Index of the last live entry, or of the mark when there is none after it. */
  last = 0;
  /** Term of the entry at `last`. */
  lastTerm = 0;
  /** Highest live entry that lies in the segment now written to; 0 where there is none. */
  segmentLast = 0;
  /** Bytes of this group's entries in that segment. */
  segmentBytes = 0;
  /** Once `segmentBytes` are more, the position of the entry at hand is kept in `places`. */
  nextPoint = 0;
  /** Where its entries lie. */
  readonly places = new EntryIndex();
  /** Where a run of entries of one term begins, ascending. */
  #runFirst: number[] = [];
  #runTerm: number[] = [];

  constructor(readonly group: number) {}

  /** An entry that follows `last`. Earlier ones were cut off with {@linkcode truncate}. */
  append(index: number, term: number): void {
    if (term !== this.lastTerm || this.#runFirst.length === 0) {
      this.#runFirst.push(index);
      this.#runTerm.push(term);
      this.lastTerm = term;
    }
    this.last = index;
  }

  /** Entries from `index` on are no longer live. */
  truncate(index: number): void {
    while ((this.#runFirst.at(-1) ?? -1) >= index) {
      this.#runFirst.pop();
      this.#runTerm.pop();
    }
    this.last = index - 1;
    this.lastTerm = this.#runTerm.at(-1) ?? this.markTerm;
    this.segmentLast = Math.min(this.segmentLast, this.last);
    this.nextPoint = 0;
    this.places.truncate(index);
  }

  /**
   * Moves the mark; answers whether that discards the entries after it: where the log does not hold
   * the mark's entry (paper §7), or when it `replacesLog`.
   */
  mark(index: number, term: number, replacesLog: boolean): boolean {
    const discards = replacesLog || this.termAt(index) !== term;
    this.markIndex = index;
    this.markTerm = term;
    if (discards) {
      this.#runFirst = [];
      this.#runTerm = [];
      this.last = index;
      this.lastTerm = term;
      this.segmentLast = 0;
      this.segmentBytes = 0;
      this.nextPoint = 0;
      this.places.truncate(0);
      return true;
    }
    this.places.forget(index);
    while ((this.#runFirst[1] ?? Infinity) <= index + 1) {
      this.#runFirst.shift();
      this.#runTerm.shift();
    }
    return false;
  }

  /** Term of the live entry at `index`, or of the mark there; undefined where there is neither. */
  termAt(index: number): number | undefined {
    if (index > this.last) return undefined;
    for (let at = this.#runFirst.length - 1; at >= 0; at--) {
      if ((this.#runFirst[at] ?? Infinity) <= index) return this.#runTerm[at];
    }
    return index === this.markIndex ? this.markTerm : undefined;
  }
}
