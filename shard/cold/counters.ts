/** What a shard did with its cold tier since its start, for operators; who does it counts it. */
export class ColdCounters {
  /** Flushes that took effect. */
  flushes = 0;
  /** Bytes of the objects that they made. */
  flushedBytes = 0;
  /** Puts that failed, each repetition anew. */
  uploadFailures = 0;
  /** What was refused because a group had too many hot bytes. */
  refusals = 0;
  /** Reads of clients that got no answer because of the store. */
  readFailures = 0;
  /** Objects that were removed from the store. */
  deletedObjects = 0;
  /** Objects that took the place of others. */
  merges = 0;
  /** Bytes of messages in these. */
  mergedBytes = 0;
}
