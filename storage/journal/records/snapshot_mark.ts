/**
 * A RaftSnapshot that is durable elsewhere covers the group up to the header's index, which had
 * the header's term. No payload.
 *
 * @module
 */

/** Record kind of a snapshot mark. */
export const SNAPSHOT_MARK_KIND = 5;

/** Flag: entries after the mark went too, since the log did not agree with the snapshot (paper §7). */
export const SNAPSHOT_MARK_DISCARDS = 1;
