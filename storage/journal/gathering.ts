/**
 * Picks the entries of one group out of what a window of a segment shows.
 *
 * @module
 */

import type { StoredEntry } from "../types.ts";
import { JournalDamaged } from "./damaged.ts";
import type { GroupTrack } from "./group_track.ts";
import {
  claimedLength,
  decodeRecord,
  openRecord,
  RECORD_HEADER_BYTES,
  recordBytes,
  type RecordHeader,
} from "./record.ts";
import { entryKindOf } from "./records/entry.ts";
import type { Segment } from "./segment.ts";
import { Slab, Space } from "./slab.ts";
import { openWriteHeader, WRITE_HEADER_BYTES, WRITE_MAGIC } from "./write_header.ts";

/** Entries of one group, gathered one after the other. */
export class Gathering {
  /** Index of the entry that is looked for. */
  next: number;
  through: number;
  readonly #first: number;
  /** What was gathered; live as of when it was settled. */
  readonly entries: StoredEntry[] = [];
  #bytes = 0;
  #isFull = false;
  /** What the log's cuts were: after another one the places are no longer right. */
  #cuts: number;

  /** Entries `from` to `through`, or as many of the first as `bytesMax` lets through: at least one. */
  constructor(
    readonly track: GroupTrack,
    from: number,
    through: number,
    readonly bytesMax: number,
  ) {
    this.next = from;
    this.through = Math.min(through, track.last);
    this.#first = from;
    this.#cuts = track.places.cuts;
  }

  get group(): number {
    return this.track.group;
  }

  /** Is there an entry to look for? */
  get wantsMore(): boolean {
    return this.wants(this.through);
  }

  /** Is there one at or before `last`? */
  wants(last: number): boolean {
    // A mark that has passed it meanwhile took its term along.
    return this.next <= Math.min(last, this.through) && this.next > this.track.markIndex &&
      !this.#isFull && !this.isCut;
  }

  /** Was the log cut since the start, or since it was settled? */
  get isCut(): boolean {
    return this.#cuts !== this.track.places.cuts;
  }

  /**
   * Looks through the first `filled` bytes of a window at `position`; answers how far it came. 0: the
   * window begins with a wanted record that is larger than it.
   * @param end where the segment's records end; @param last the last entry worth looking for
   * @throws JournalDamaged
   */
  take(
    window: Slab,
    filled: number,
    segment: Segment,
    position: number,
    end: number,
    last: number,
  ): number {
    const { bytes, view } = window;
    const { salt, path } = segment;
    const records: RecordHeader[] = [];
    const starts: number[] = [];
    let at = 0;
    while (at + RECORD_HEADER_BYTES <= filled && this.wants(last)) {
      if (isWriteHeader(window, at, salt, position)) {
        at += WRITE_HEADER_BYTES;
        continue;
      }
      const length = claimedLength(view, at);
      const size = recordBytes(length);
      if (size < RECORD_HEADER_BYTES || position + at + size > end) {
        throw new JournalDamaged(path, position + at, "a record is not whole");
      }
      if (!this.#isNext(view, at)) {
        at += size;
        continue;
      }
      if (!this.#admits(length) || at + size > filled) break;
      const record = openRecord(bytes, view, at, salt);
      if (record === undefined) {
        throw new JournalDamaged(path, position + at, "a record is not whole");
      }
      records.push(record);
      starts.push(at + RECORD_HEADER_BYTES);
      this.next++;
      this.#bytes += length;
      at += size;
    }
    if (records.length > 0) this.#keep(bytes, records, starts);
    return at === 0 && !this.wants(last) ? filled : at;
  }

  /** Takes a record that has a slab of its own and is whole. */
  takeWhole(slab: Slab): void {
    const record = decodeRecord(slab.view, 0);
    this.#push(record, slab, RECORD_HEADER_BYTES);
    this.next++;
    this.#bytes += record.length;
  }

  /** Lets go of what was gathered and is no longer live; goes on from there where the log was cut. */
  settle(): void {
    const { track } = this;
    if (!this.isCut) return;
    this.#cuts = track.places.cuts;
    const cut = this.entries.findIndex(({ index, term }) => track.termAt(index) !== term);
    if (cut >= 0) this.entries.length = cut;
    this.#bytes = this.entries.reduce((sum, { payload: { start, end } }) => sum + end - start, 0);
    this.#isFull = false;
    this.next = this.#first + this.entries.length;
    this.through = Math.min(this.through, track.last);
  }

  /** Is the record at `at` the entry looked for? Log Matching (paper §5.3): its term decides. */
  #isNext(view: DataView, at: number): boolean {
    if (view.getUint32(at + 8, true) !== this.track.group) return false;
    const { kind, index, term } = decodeRecord(view, at);
    return index === this.next && entryKindOf(kind) !== undefined &&
      term === this.track.termAt(index);
  }

  #admits(length: number): boolean {
    this.#isFull = this.next > this.#first && this.#bytes + length > this.bytesMax;
    return !this.#isFull;
  }

  /** Copies payloads out of the window, together: it is used again, and mostly holds other groups' records. */
  #keep(window: Uint8Array, records: readonly RecordHeader[], starts: readonly number[]): void {
    const slab = new Slab(records.reduce((sum, { length }) => sum + length, 0));
    let to = 0;
    for (const [at, record] of records.entries()) {
      const start = starts[at] ?? 0;
      slab.bytes.set(window.subarray(start, start + record.length), to);
      this.#push(record, slab, to);
      to += record.length;
    }
  }

  #push({ index, term, kind, length }: RecordHeader, slab: Slab, start: number): void {
    const entryKind = entryKindOf(kind);
    if (entryKind === undefined) throw new Error("invariant: only entries are gathered");
    this.entries.push({
      index,
      term,
      kind: entryKind,
      payload: new Space(slab, start, start + length),
    });
  }
}

function isWriteHeader({ bytes, view }: Slab, at: number, salt: number, position: number): boolean {
  return view.getUint32(at, true) === WRITE_MAGIC &&
    openWriteHeader(bytes, view, at, salt, position + at) !== undefined;
}
