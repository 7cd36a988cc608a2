/**
 * Builds writes in memory, in the form in which the file will have them.
 *
 * @module
 */

import { aligned, SLAB_BYTES } from "./format.ts";
import { RECORD_HEADER_BYTES, sealRecord } from "./record.ts";
import type { Segment } from "./segment.ts";
import { Slab, Space } from "./slab.ts";
import { putWriteHeader, WRITE_HEADER_BYTES } from "./write_header.ts";

/** Bytes of a slab that a write consists of. */
export interface Range {
  readonly slab: Slab;
  readonly start: number;
  readonly end: number;
}

/** A write that is complete but for its header's last words; see {@linkcode finishPart}. */
export interface Part {
  readonly segment: Segment;
  readonly position: number;
  readonly length: number;
  /** In the order of the file. The first begins with the room for the write header. */
  readonly ranges: readonly Range[];
  /** The batch that is written with this part; 0 when it goes on in another segment. */
  ticket: number;
}

/** Fills in a part's write header, right before it is written. */
export function finishPart(part: Part): void {
  const first = part.ranges[0];
  if (first === undefined) throw new Error("invariant: a write has a header");
  const { bytes, view } = first.slab;
  const { salt, synced } = part.segment;
  putWriteHeader(bytes, view, first.start, salt, part.length, part.position, synced);
}

/** The write under construction. Records are laid into slabs one after the other. */
export class Batch {
  #slab = new Slab(SLAB_BYTES);
  #cursor = 0;
  /** The shared slab and how far it is used, while a large record has a slab of its own. */
  #parked: { slab: Slab; cursor: number } | undefined = undefined;
  #pending: Space | undefined = undefined;
  #ranges: Range[] = [];
  #rangeStart = 0;
  /** Position in the file of the write under construction; -1 when there is none. */
  #partStart = -1;
  /** Position in the file of the next record. */
  #position: number;

  /** @param segment where the records will go; @param position its first free byte */
  constructor(public segment: Segment, position: number) {
    this.#position = position;
  }

  /** Is a write under construction? */
  get open(): boolean {
    return this.#partStart >= 0;
  }

  /** First byte of the segment that no record was laid for. */
  get position(): number {
    return this.#position;
  }

  /** Goes on in another segment. */
  moveTo(segment: Segment, position: number): void {
    this.segment = segment;
    this.#position = position;
  }

  /** Room for a payload; undefined when the segment has none left. */
  reserve(length: number): Space | undefined {
    const need = RECORD_HEADER_BYTES + aligned(length);
    if (!this.begin(need)) return undefined;
    if (this.#cursor + need > this.#slab.bytes.length) this.#nextSlab(need);
    const start = this.#cursor + RECORD_HEADER_BYTES;
    return this.#pending = new Space(this.#slab, start, start + length);
  }

  /** Makes the reserved space a record; answers the bytes it takes. */
  seal(
    space: unknown,
    group: number,
    kind: number,
    flags: number,
    index: number,
    term: number,
  ): number {
    const pending = this.#pending;
    if (pending === undefined || space !== pending) {
      throw new Error("invariant: a record is sealed right after it was reserved");
    }
    this.#pending = undefined;
    const { bytes, view } = pending.slab;
    const { start, end } = pending;
    const at = start - RECORD_HEADER_BYTES;
    sealRecord(bytes, view, at, end - start, group, kind, flags, index, term, this.segment.salt);
    const size = aligned(end) - at;
    this.#cursor += size;
    this.#position += size;
    return size;
  }

  /** Begins a write unless one is open; false when the segment has no room for it and `need` bytes. */
  begin(need: number): boolean {
    const isOpen = this.#partStart >= 0;
    const header = isOpen ? 0 : WRITE_HEADER_BYTES;
    if (this.#position + header + need > this.segment.size) return false;
    if (isOpen) return true;
    if (this.#cursor + WRITE_HEADER_BYTES > this.#slab.bytes.length) {
      this.#nextSlab(WRITE_HEADER_BYTES);
    }
    this.#rangeStart = this.#cursor;
    this.#partStart = this.#position;
    this.#cursor += WRITE_HEADER_BYTES;
    this.#position += WRITE_HEADER_BYTES;
    return true;
  }

  /** Ends the write; undefined when none is open. */
  end(): Part | undefined {
    if (this.#partStart < 0) return undefined;
    this.#endRange();
    const part: Part = {
      segment: this.segment,
      position: this.#partStart,
      length: this.#position - this.#partStart,
      ranges: this.#ranges,
      ticket: 0,
    };
    this.#ranges = [];
    this.#partStart = -1;
    this.#pending = undefined;
    return part;
  }

  #nextSlab(need: number): void {
    if (this.#partStart >= 0) this.#endRange();
    const parked = this.#parked;
    if (parked !== undefined && parked.cursor + need <= parked.slab.bytes.length) {
      this.#slab = parked.slab;
      this.#cursor = parked.cursor;
      this.#parked = undefined;
    } else {
      const isLarge = need > SLAB_BYTES / 2;
      if (isLarge && parked === undefined) {
        this.#parked = { slab: this.#slab, cursor: this.#cursor };
      }
      if (!isLarge) this.#parked = undefined;
      this.#slab = new Slab(isLarge ? need : SLAB_BYTES);
      this.#cursor = 0;
    }
    this.#rangeStart = this.#cursor;
  }

  #endRange(): void {
    if (this.#cursor > this.#rangeStart) {
      this.#ranges.push({ slab: this.#slab, start: this.#rangeStart, end: this.#cursor });
    }
    this.#rangeStart = this.#cursor;
  }
}
