/**
 * A RaftSnapshot that is durable elsewhere covers the group up to the header's index, which had
 * the header's term. No payload.
 *
 * @module
 */

/** Record kind of a snapshot mark. */
export const SNAPSHOT_MARK_KIND = 5;

/**
 * Flag: all entries that were laid down before are void, those after the mark too. The log did not
 * agree with the RaftSnapshot (paper §7), or that is a leader's, put in place of the log.
 */
export const SNAPSHOT_MARK_DISCARDS = 1;
