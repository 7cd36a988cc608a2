/**
 * Memory for records.
 *
 * @module
 */

import type { JournalSlab, RecordSpace } from "../types.ts";

/** A piece of memory; the collector takes it once nobody holds a view of it. */
export class Slab implements JournalSlab {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  live = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.view = new DataView(this.bytes.buffer);
  }
}

/** Bytes `start` to `end` of a slab. */
export class Space implements RecordSpace {
  constructor(readonly slab: Slab, readonly start: number, readonly end: number) {}
}
