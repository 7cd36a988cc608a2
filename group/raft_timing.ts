/** How every group's consensus core is set up: times in ms, sizes in bytes. */
export const RAFT_TIMING = {
  electionTimeoutMs: 500,
  heartbeatIntervalMs: 100,
  leaseDriftMs: 100,
  inflightEntriesMax: 4_096,
  inflightBytesMax: 8 * 1024 * 1024,
  messageBytesMax: 1024 * 1024,
  uncommittedEntriesMax: 16_384,
  uncommittedBytesMax: 64 * 1024 * 1024,
  retainedBytesMax: 16 * 1024 * 1024,
  readLease: true,
} as const;
