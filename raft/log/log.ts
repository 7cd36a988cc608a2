import { invariant } from "../invariant.ts";
import type { Entry, Payload, SnapshotMark } from "../types.ts";
import { entrySize } from "./entry_size.ts";
import { MembershipHistory } from "./membership_history.ts";

/** Dropped slots at the window's front that are worth moving the rest for. */
const HEAD_SLOTS_MAX = 128;

/**
 * The log as the core sees it: a window of entries in memory, below it what only the journal holds,
 * below that the RaftSnapshot; and cursors that say how far each stage has come.
 *
 * `released ≤ applied ≤ taken ≤ min(committed, stable)`; `stable ≤ handed ≤ last`; the window begins
 * at or below `released + 1`.
 */
export class Log<P extends Payload> {
  /** Slots below `#head` are dropped; slot `#head` holds the entry at `first`. */
  #window: Entry<P>[];
  /**
   * Bytes of all entries up to that of each slot, counted from some time on: a sum over entries
   * would touch each, long after the processor last had them at hand.
   */
  #ends: number[];
  #head = 0;
  /** The same up to the entry at `first - 1`. */
  #previousEnd = 0;
  /** Term of the entry at `first - 1`. */
  #previousTerm: number;

  /** Index of the first entry in memory; `last + 1` when there is none. */
  first: number;
  /** Index of the last entry. */
  last: number;
  /** Term of the last entry. */
  lastTerm: number;

  /** A durable RaftSnapshot, or one that is being installed, covers everything up to here. */
  snapshot: SnapshotMark;
  /** A majority holds everything up to here. */
  committed: number;
  /** Everything up to here went out in a ready. */
  handed: number;
  /** Everything up to here is durable on this member. */
  stable: number;
  /** Everything up to here was taken for applying. */
  taken: number;
  /** Everything up to here is applied. */
  applied: number;
  /** Entries up to here may leave memory. */
  released: number;

  /** Memberships since the RaftSnapshot. */
  readonly memberships: MembershipHistory;

  constructor(snapshot: SnapshotMark, entries: readonly Entry<P>[]) {
    this.snapshot = snapshot;
    this.memberships = new MembershipHistory(snapshot.index, snapshot.membership);
    this.#window = [];
    this.#ends = [];
    this.#previousTerm = snapshot.term;
    this.first = snapshot.index + 1;
    this.last = snapshot.index;
    this.lastTerm = snapshot.term;
    this.committed =
      this.taken =
      this.applied =
      this.released =
        snapshot.index;
    for (const entry of entries) this.append(entry);
    this.handed = this.stable = this.last;
  }

  /** A RaftSnapshot was taken over and is not durable yet. */
  get installing(): boolean {
    return this.stable < this.snapshot.index;
  }

  /** Something waits to go out in a ready. */
  get unhanded(): boolean {
    return this.handed < this.last;
  }

  /** Bytes in memory. */
  get bytes(): number {
    return this.#end(this.last) - this.#previousEnd;
  }

  /** Bytes of the entries that may leave memory, and have not. */
  get releasedBytes(): number {
    return this.#end(this.released) - this.#previousEnd;
  }

  /** Term of the entry at `index`; undefined where neither memory nor the RaftSnapshot says it. */
  term(index: number): number | undefined {
    if (index === this.last) return this.lastTerm;
    if (index >= this.first) return this.#window[this.#head + index - this.first]?.term;
    if (index === this.first - 1) return this.#previousTerm;
    return index === this.snapshot.index ? this.snapshot.term : undefined;
  }

  /** The entries `from` to `to`, both included, all of them in memory. */
  slice(from: number, to: number): Entry<P>[] {
    invariant(from >= this.first && to <= this.last, "slice lies in memory");
    const start = this.#head + from - this.first;
    return this.#window.slice(start, start + to - from + 1);
  }

  /** The entries from `from` on, as many as `bytesMax` and `entriesMax` let through, at least one. */
  sliceWithin(from: number, bytesMax: number, entriesMax: number): Entry<P>[] {
    invariant(from >= this.first && from <= this.last, "slice lies in memory");
    const start = this.#head + from - this.first;
    const stop = Math.min(this.#window.length, start + Math.max(1, entriesMax));
    let end = start;
    let bytes = 0;
    while (end < stop) {
      const entry = this.#window[end];
      invariant(entry !== undefined, "window without holes");
      bytes += entrySize(entry);
      if (bytes > bytesMax && end > start) break;
      end++;
    }
    return this.#window.slice(start, end);
  }

  /** Bytes of the entries after `from` up to `to`, as far as they are in memory. */
  bytesBetween(from: number, to: number): number {
    return this.#end(to) - this.#end(from);
  }

  #end(index: number): number {
    if (index < this.first) return this.#previousEnd;
    const end = this.#ends[this.#head + index - this.first];
    invariant(end !== undefined, "an entry of the log");
    return end;
  }

  /** Adds the next entry. */
  append(entry: Entry<P>): void {
    invariant(entry.index === this.last + 1, "entries follow each other");
    this.#ends.push(this.#end(this.last) + entrySize(entry));
    this.#window.push(entry);
    this.last = entry.index;
    this.lastTerm = entry.term;
    if (entry.kind === "membership") this.memberships.push(entry.index, entry.membership);
  }

  /** Forgets the entries from `index` on, which another leader's replace. */
  truncate(index: number): void {
    invariant(index > this.committed, "committed entries stay");
    invariant(index >= this.first, "what is cut off lies in memory");
    this.lastTerm = this.term(index - 1) ?? 0;
    this.#window.length = this.#ends.length = this.#head + index - this.first;
    this.last = index - 1;
    this.handed = Math.min(this.handed, this.last);
    this.stable = Math.min(this.stable, this.last);
    this.memberships.truncate(index);
  }

  /**
   * The highest index up to `index` whose term is not above `term`: the two logs cannot agree
   * between there and `index`. Stops where the terms are not known.
   */
  lastAtOrBelowTerm(index: number, term: number): number {
    let at = Math.min(index, this.last);
    while (at >= this.first && (this.term(at) ?? 0) > term) at--;
    return at;
  }

  /** Is a log that ends at this index and term at least as new as this one (paper §5.4.1)? */
  isUpToDate(lastIndex: number, lastTerm: number): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.last);
  }

  /** Entries up to `index`, as far as they are applied, hence durable, may leave memory. */
  release(index: number): void {
    this.released = Math.max(this.released, Math.min(index, this.applied));
  }

  /**
   * Drops released entries from memory: those up to `index`, and the oldest beyond `bytesMax`. Of
   * those after `keptAfter`, only the oldest beyond `keptBytesMax` go. Says whether that kept any.
   */
  drop(index: number, bytesMax: number, keptAfter = Infinity, keptBytesMax = 0): boolean {
    let to = Math.max(Math.min(index, this.released), this.first - 1);
    let rest = this.bytesBetween(to, this.released);
    while (rest > bytesMax && !(to >= keptAfter && rest <= keptBytesMax)) {
      rest = this.bytesBetween(++to, this.released);
    }
    if (to >= this.first) this.#dropTo(to);
    return rest > bytesMax;
  }

  #dropTo(to: number): void {
    this.#previousTerm = this.term(to) ?? 0;
    this.#previousEnd = this.#end(to);
    const head = this.#head + to + 1 - this.first;
    this.first = to + 1;
    if (head > HEAD_SLOTS_MAX && head * 2 > this.#window.length) {
      this.#window = this.#window.slice(head);
      this.#ends = this.#ends.slice(head);
      this.#head = 0;
    } else {
      // The slots must not keep the entries' payloads alive.
      this.#window.fill(undefined as unknown as Entry<P>, this.#head, head);
      this.#head = head;
    }
  }

  /** A durable RaftSnapshot covers the applied state up to `mark`. */
  compact(mark: SnapshotMark): void {
    if (mark.index <= this.snapshot.index) return;
    invariant(mark.index <= this.applied, "a RaftSnapshot holds applied state");
    this.snapshot = mark;
    this.memberships.compact(mark.index);
  }

  /** Starts anew from a leader's RaftSnapshot, which lies above everything committed here. */
  restore(mark: SnapshotMark): void {
    invariant(mark.index > this.committed, "a RaftSnapshot brings something new");
    this.stable = Math.min(this.stable, this.committed);
    this.#window = [];
    this.#ends = [];
    this.#head = 0;
    this.#previousTerm = mark.term;
    this.#previousEnd = 0;
    this.snapshot = mark;
    this.first = mark.index + 1;
    this.last = this.handed = mark.index;
    this.lastTerm = mark.term;
    this.committed =
      this.taken =
      this.applied =
      this.released =
        mark.index;
    this.memberships.restore(mark.index, mark.membership);
  }
}
