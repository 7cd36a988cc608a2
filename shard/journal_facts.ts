import type { Journal } from "../storage/journal/mod.ts";

/** What an operator wants to know of a shard's journals. */
export interface JournalFacts {
  /** Bytes on disk. */
  readonly diskBytes: number;
  readonly segments: number;
  /** Bytes written since the start. */
  readonly writtenBytes: number;
  /** Of entries that were written anew, as little else in their segment was still of use. */
  readonly copiedBytes: number;
  /** Turns whose work was written. */
  readonly batches: number;
  readonly fsyncs: number;
  /** How long syncs took: a histogram, see `durations.ts`. */
  readonly syncDurations: Float64Array;
}

/** Puts the facts of a shard's journals together. */
export function journalFactsOf(
  journals: readonly Journal[],
  syncDurations: Float64Array,
): JournalFacts {
  const facts = {
    diskBytes: 0,
    segments: 0,
    writtenBytes: 0,
    copiedBytes: 0,
    batches: 0,
    fsyncs: 0,
    syncDurations,
  };
  for (const journal of journals) {
    const usage = journal.usage();
    facts.diskBytes += usage.diskBytes;
    facts.segments += usage.segments;
    facts.writtenBytes += usage.bytesWritten;
    facts.copiedBytes += usage.bytesCopiedForward;
    facts.batches += usage.batches;
    facts.fsyncs += usage.syncs;
  }
  return facts;
}
