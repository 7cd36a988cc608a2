/**
 * The Durable Streams state machine of one group: streams, their hot bytes, buckets, and the paths
 * of forks that live elsewhere.
 *
 * Pure and deterministic: no I/O, no clock, no randomness. What goes in is the group's log, entry by
 * entry; the same entries leave the same state on every replica, which
 * {@linkcode GroupState.stateHash} shows.
 *
 * ## Driving it
 *
 * ```ts
 * // Leader, for a request: header first, body copied once, into the slab it stays in.
 * const header = encodeHeader(command, groupTimeMs);   // valid until the next call
 * const space = log.reserve(header.length + bodyLength);
 *
 * // Every replica, for an entry that committed:
 * const { command, stampMs } = decode(slab, start, end);
 * const outcome = state.apply(command, index, stampMs);
 *
 * // After a batch of entries:
 * for (const change of state.takeChanged()) wakeReaders(change);
 * ```
 *
 * - **Time** is the leader's stamp in each entry and never goes back. Between entries the leader
 *   asks {@linkcode GroupState.due} with its own group time and proposes `expire`; nothing expires
 *   by itself, so that all replicas agree. After a read it asks
 *   {@linkcode GroupState.touchWanted} and proposes `touch` where the answer is yes.
 * - **Memory.** A body is a {@linkcode Slice} of a {@linkcode Slab}; an append that is accepted
 *   retains its slice, the end of the stream releases it. Forks retain what they share. A slab with
 *   `live` 0 is needed by no stream. Slices of a {@linkcode ReadPlan} are safe until the next
 *   `apply`; who needs them longer calls {@linkcode retain}.
 * - **Reads** change nothing and copy nothing.
 * - **A refusal changes nothing.** An outcome carries the stream's facts wherever there is one.
 * - **Bodies** are in stored form before they get here: {@linkcode normalizeJson} for JSON, as they
 *   came otherwise. What the request alone shows to be wrong (an empty append, both TTL and expiry)
 *   is refused before it becomes a command.
 *
 * ## Errands
 *
 * Some operations take steps in several groups. After a change of leadership the new leader
 * finishes them from {@linkcode GroupState.pendingIntents} (buckets),
 * {@linkcode GroupState.pendingReservations} and {@linkcode GroupState.pendingUnlinks} (forks).
 * Each step may be repeated. How versions and tokens make that safe: `buckets.ts` and `paths.ts`.
 *
 * To settle an overdue reservation: have the target's group time pass the deadline by any entry,
 * then ask it for {@linkcode GroupState.linkOf}; with this token there `link`, else `unlink`.
 *
 * ## Cold tier
 *
 * Hot bytes go to objects by `flush`, which {@linkcode ColdState.planFlush} prepares; the outcome
 * says which ranges were taken, or `condemned`: upload again under {@linkcode ColdState.nextNumber}.
 * Where {@linkcode ReadPlan.cold} is present, fetch the rows of the ranges that it `startsIn` and
 * `endsIn`, call {@linkcode settleRead}, then fetch the pieces. A fork may need a proof
 * ({@linkcode ColdState.proveFork}). Objects go in three steps: `condemn`, deletion, `forget`. On a
 * store that each node has for itself, `pinsFlushed` keeps flushed bytes until
 * {@linkcode ColdState.unpin}. The whole: `docs/architecture.md`, "Cold tier".
 *
 * ## Snapshots
 *
 * {@linkcode GroupState.export} yields the state as of its first pull, in bounded pieces, while
 * entries go on being applied; {@linkcode GroupState.import} builds a state from them that answers
 * every further entry the same.
 *
 * @module
 */

export * from "./types.ts";
export * from "./cold_types.ts";
export type { ColdState, HeldRange } from "./cold_state.ts";
export { type FlushOptions, type FlushPlan, RANGE_BYTES_MAX } from "./flush_plan.ts";
export type { ColdRange } from "./cold_ranges.ts";
export { type BytesWanted, settleRead, type Settling } from "./cold_read.ts";
export type { BucketIntent, BucketView } from "./buckets.ts";
export { StreamChange } from "./changes.ts";
export {
  bodyOf,
  COMMAND_VERSION,
  decode,
  type DecodedCommand,
  encodeHeader,
  HEADER_BYTES_MAX,
  headerLength,
  KEYS_PER_COMMAND_MAX,
  writeHeader,
} from "./codec.ts";
export { DEFAULT_CONTENT_TYPE, isJson, mediaType } from "./content_type.ts";
export { coarseIntervalMs } from "./deadlines.ts";
export { EXPORT_PIECE_BYTES } from "./export.ts";
export type { ImportOptions } from "./import.ts";
export {
  JSON_DEPTH_MAX,
  type JsonFault,
  normalizedBytesMax,
  type NormalizedJson,
  normalizeJson,
  type NormalizeOptions,
} from "./json.ts";
export { type ColdMessages, endsWithin, type HotMessages, type MessagePlan } from "./messages.ts";
export type { ObjectName, ObjectView } from "./objects.ts";
export { decodeRow, encodeRow, mergePacked, unpackRange } from "./packed.ts";
export type { PathEntry, UnlinkErrand } from "./paths.ts";
export { PRODUCER_IDLE_MS, PRODUCERS_PER_STREAM_MAX } from "./producers.ts";
export type { RetainedRanges } from "./retained_ranges.ts";
export {
  copySlices,
  newSlab,
  release,
  retain,
  SLAB_BYTES,
  type SlabAllocator,
  sliceOf,
} from "./slab.ts";
export { GroupState, type ListedStream, type MovedPath } from "./state.ts";
export type { HomeLink } from "./stream.ts";
export type { ReadRefusal } from "./stretch.ts";
export { compareUtf8 } from "./text.ts";
