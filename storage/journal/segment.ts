/**
 * One file of a journal while the journal runs.
 *
 * @module
 */

import type { DiskFile } from "../../io/mod.ts";

/** What a group keeps a segment for. */
export interface Pin {
  /** Highest live entry of the group in the segment. */
  last: number;
  /** Bytes of the group's entries in it, those no longer live included. */
  bytes: number;
}

/** A segment, from the moment records are sealed for it. */
export class Segment {
  /** Missing while the file is still being made. */
  file: DiskFile | undefined = undefined;
  /** Where the file lies until it gets its name. */
  temporaryPath = "";
  /** Has the file its name, durably? */
  placed = false;
  /** Up to where the file was written. */
  writtenEnd = 0;
  /** Up to where it is durable. */
  synced = 0;
  /** Where its writes end; known once the next segment begins. */
  end = 0;
  /** Groups that had entries here when the next segment began. */
  readonly pins = new Map<number, Pin>();

  constructor(
    readonly sequence: number,
    readonly path: string,
    readonly salt: number,
    readonly size: number,
  ) {}
}
