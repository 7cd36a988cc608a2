/**
 * What a journal is told when it is opened, and what it tells of itself.
 *
 * @module
 */

import type { Clock, Disk, LogLine, Random } from "../../io/mod.ts";

/** How {@linkcode Journal.open} opens a journal. */
export interface JournalOptions {
  readonly disk: Disk;
  /** Folder of the segments; several journals may share it. Made where it is missing. */
  readonly directory: string;
  /** Which of the folder's journals. Fixed with the data. */
  readonly number: number;
  /**
   * Size of a segment in bytes; a larger record gets a segment of its own.
   * @default 33554432
   */
  readonly segmentBytes?: number;
  /** Does {@linkcode Journal.flush} wait for fdatasync? Terms and votes are synced always. */
  readonly sync: boolean;
  /** Must there be a journal already? Then none is made, and its absence is an error. */
  readonly mustExist?: boolean;
  readonly random: Random;
  /** Takes a line for the operator. */
  readonly log: LogLine;
  /**
   * Hears once of the failure after which the journal takes nothing more: of a write, a sync, or the
   * work in the background, which no flush may be waiting for. Not of one that makes `open` reject.
   */
  readonly onFatal?: (error: Error) => void;
  /** For {@linkcode JournalOptions.onSync}, and for pauses of work that nobody waits for. */
  readonly clock?: Clock;
  /** How long each sync took, in ms. */
  readonly onSync?: (durationMs: number) => void;
}

/** Figures of {@linkcode Journal.usage}. */
export interface JournalUsage {
  readonly segments: number;
  /** Bytes of all segments on disk, the spare one left out. */
  readonly diskBytes: number;
  /** Sequence numbers. */
  readonly oldestSegment: number;
  readonly newestSegment: number;
  readonly segmentsRemoved: number;
  readonly batches: number;
  readonly syncs: number;
  readonly bytesWritten: number;
  readonly bytesCopiedForward: number;
}
