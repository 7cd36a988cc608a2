/**
 * What the journal hands out and takes in.
 *
 * @module
 */

/** A piece of memory that records are built in and read into; see `Slab` of the stream room. */
export interface JournalSlab {
  readonly bytes: Uint8Array;
  live: number;
}

/** The payload bytes of a record, inside a slab. */
export interface RecordSpace {
  readonly slab: JournalSlab;
  readonly start: number;
  readonly end: number;
}

/** Kinds of Raft entries, as stored. */
export type StoredEntryKind = "command" | "noop" | "membership";

/** An entry as it was found at start. */
export interface StoredEntry {
  readonly index: number;
  readonly term: number;
  readonly kind: StoredEntryKind;
  readonly payload: RecordSpace;
}

/** What the journal knows of one group at start. */
export interface StoredGroup {
  /** 0 where none was ever written. */
  term: number;
  votedFor: string | undefined;
  /** Index and term that the group's newest RaftSnapshot stands for; 0 and 0 where there is none. */
  snapshotIndex: number;
  snapshotTerm: number;
  /** In order, without gaps, from `snapshotIndex + 1` or earlier. */
  entries: StoredEntry[];
}

/**
 * Where a shard's groups put their records. Everything between two `flush` calls is one batch: one
 * write, one fdatasync. A record is reserved, filled and sealed within one synchronous stretch.
 */
export interface RecordLog {
  /** Room for a record with a payload of `length` bytes; the caller fills `start` to `end`. */
  reserve(length: number): RecordSpace;
  /** Makes the filled space an entry of the current batch. A later entry of the group with the same or a lower index replaces those from there on. */
  sealEntry(
    space: RecordSpace,
    group: number,
    index: number,
    term: number,
    kind: StoredEntryKind,
  ): void;
  /** Adds term and vote to the current batch. */
  putHardState(group: number, term: number, votedFor: string | undefined): void;
  /**
   * Adds to the current batch: a durable RaftSnapshot covers `group` up to `index`. Entries after
   * it stay where the log holds an entry of `term` at `index`; otherwise they are void (paper §7).
   *
   * @param replacesLog a leader's RaftSnapshot was put in place of the log: everything that was
   *   laid down of the group before is void, entries after `index` too, whatever their terms
   */
  putSnapshotMark(group: number, index: number, term: number, replacesLog?: boolean): void;
  /**
   * Ends the batch and makes it durable. Resolves in order of the calls; rejects once and for all
   * when a write or sync failed. Answers undefined where nothing has to be waited for (memory mode,
   * or an empty batch with none outstanding).
   */
  flush(): Promise<void> | undefined;
}

/** A log that also gives back what was put into it. */
export interface ReadableLog extends RecordLog {
  /**
   * Entries `from` to `through` of a group, or as many of the first as make up `bytesMax` bytes of
   * payload, at least one; without gaps, in memory of their own. Those that are durable are found;
   * undefined where the first is gone, was never there, was replaced, or is not durable yet.
   *
   * @throws JournalDamaged when an entry is not whole any more
   * @throws DiskError
   */
  readEntries(
    group: number,
    from: number,
    through: number,
    bytesMax: number,
  ): Promise<readonly StoredEntry[] | undefined>;
}
