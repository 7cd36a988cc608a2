/**
 * One replica of one Raft group: its consensus core, its streams, and who waits on them.
 *
 * A group decides nothing about time or files: its shard calls {@linkcode Group.absorb} and
 * {@linkcode Group.complete} around each durable write, and {@linkcode Group.tick} now and then.
 * It never forwards: a replica that does not lead says so, and the router decides what follows.
 *
 * @module
 */
export { Group } from "./group.ts";
export type { GroupOptions } from "./group_options.ts";
export type { Answer, Eventually, ReadAnswer, ReadRequest, Unavailable } from "./answers.ts";
export type { Completion } from "./completion.ts";
export { BOOTSTRAP_AGE_MS_MAX } from "./bootstraps.ts";
export type {
  BootstrapAnswer,
  BootstrapBounds,
  BootstrapBroken,
  BootstrapRequest,
  BootstrapStart,
  BootstrapStretch,
  PublishedSnapshot,
  StretchPlan,
} from "./bootstraps.ts";
export { KEPT_BYTES_MAX, KeptBytes } from "./kept_bytes.ts";
export type { CommandPayload } from "./payload.ts";
export {
  FOLLOWING_BYTES_MAX,
  MEMORY_CATCH_UP_BYTES_MAX,
  RAFT_TIMING,
  retainedBytesMax,
} from "./raft_timing.ts";
export { joinSlices } from "./slices.ts";
export type { SnapshotSource } from "./snapshot_source.ts";
export type { RaftMessage } from "./wire.ts";
export { readMessage, splitBatch, wholeItem, type WireItem } from "./wire_reader.ts";
export { WireWriter } from "./wire_writer.ts";
export type { LiveEvent, Watcher } from "./watch.ts";
