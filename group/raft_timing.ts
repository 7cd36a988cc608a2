/**
 * How every group's consensus core is set up: times in ms, sizes in bytes.
 *
 * A leader that dies is replaced within 1.6 election timeouts and a round of votes, which SPEC
 * section 8 wants below 1 s. Shorter ones depose leaders that are only busy.
 */
export const RAFT_TIMING = {
  electionTimeoutMs: 500,
  heartbeatIntervalMs: 100,
  leaseDriftMs: 100,
  inflightEntriesMax: 4_096,
  inflightBytesMax: 2 * 1024 * 1024,
  messageBytesMax: 512 * 1024,
  uncommittedEntriesMax: 16_384,
  uncommittedBytesMax: 64 * 1024 * 1024,
} as const;

/** Entries of all groups that may stay in memory for followers that lack them, in bytes. */
const RETAINED_BYTES_MAX = 512 * 1024 * 1024;
/** And of one group. */
const GROUP_RETAINED_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Of them, what a replica keeps of its group that does not lead, in bytes: the last seconds, as it
 * may lead next. Its journal has the rest.
 */
export const FOLLOWING_BYTES_MAX = 256 * 1024;

/**
 * What a group without a journal keeps beyond that for a follower that gets a RaftSnapshot, in
 * bytes. Few get one at a time.
 */
export const MEMORY_CATCH_UP_BYTES_MAX = 128 * 1024 * 1024;

/** What one of `groups` groups may keep for followers, in bytes. */
export function retainedBytesMax(groups: number): number {
  return Math.min(GROUP_RETAINED_BYTES_MAX, Math.floor(RETAINED_BYTES_MAX / groups));
}
