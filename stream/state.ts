/**
 * The state machine of one group.
 *
 * @module
 */

import { applyAppend } from "./append.ts";
import { applyIntend, applySet, applySettle } from "./bucket_commands.ts";
import type { BucketView } from "./buckets.ts";
import type { StreamChange } from "./changes.ts";
import { applyCondemn, applyFlush, applyForget, applyRepack } from "./cold_commands.ts";
import { ColdState } from "./cold_state.ts";
import type { StreamSnapshot } from "./cold_types.ts";
import { applyCreate } from "./create.ts";
import { EXPORT_PIECE_BYTES, exportTables } from "./export.ts";
import { hashTables } from "./hash.ts";
import { type ImportOptions, importTables } from "./import.ts";
import { applyDelete, applyExpire, applyTouch, touchWanted } from "./lifecycle.ts";
import type { PathEntry, UnlinkErrand } from "./paths.ts";
import { type MessagePlan, readMessages } from "./messages.ts";
import { planRead } from "./read.ts";
import { applyPublish, applyStage } from "./snapshots.ts";
import { factsOf, type HomeLink } from "./stream.ts";
import type { ReadRefusal } from "./stretch.ts";
import { Tables } from "./tables.ts";
import { ownText } from "./text.ts";
import type {
  Command,
  Outcome,
  ReadFrom,
  ReadPlan,
  Refusal,
  ReservePath,
  StreamFacts,
  StreamKey,
} from "./types.ts";

/** A path whose stream is, or is about to be, in another group. */
export interface MovedPath {
  readonly moved: number;
  readonly token: number;
  /** False while the fork is still being made. */
  readonly linked: boolean;
}

/** One stream of a listing. */
export interface ListedStream {
  readonly streamId: string;
  readonly facts: StreamFacts;
}

/** See the module's documentation (`mod.ts`) for how to drive it. */
export class GroupState {
  #tables: Tables;
  #cold: ColdState;

  /**
   * `formation`: a short id of the cluster's life, part of every incarnation. `pinsFlushed`: keep
   * what is flushed in memory until `cold.unpin`, for stores that each node has for itself.
   */
  constructor(
    options: { readonly group: number; readonly formation: string; readonly pinsFlushed?: boolean },
  ) {
    this.#tables = new Tables(options.group, options.formation, options.pinsFlushed);
    this.#cold = new ColdState(this.#tables);
  }

  /** What lies, or is to lie, in objects. */
  get cold(): ColdState {
    return this.#cold;
  }

  /** Index of the last entry applied; 0 before the first. */
  get index(): number {
    return this.#tables.index;
  }

  /** Group time: the stamp of the last entry applied, in ms. */
  get stampMs(): number {
    return this.#tables.stampMs;
  }

  /** Streams, soft-deleted ones included. */
  get streamCount(): number {
    return this.#tables.streams.size;
  }

  /** Bytes of messages that lie in no object yet; what forks inherit counts once. */
  get hotBytes(): number {
    return this.#tables.hotBytes;
  }

  /**
   * What messages in memory take with all that belongs to them, pinned ones included; what bounds
   * should watch.
   */
  get hotFootprint(): number {
    return this.#tables.hotFootprint;
  }

  /**
   * Applies one entry, wholly or not at all.
   *
   * @param index of the entry in the group's log; rises
   * @param stampMs the leader's group time for the entry; never goes back
   * @throws Error when index or stamp go back: a bug, and the state must not be used any more
   */
  apply(command: Command, index: number, stampMs: number): Outcome {
    const tables = this.#tables;
    if (!(index > tables.index)) throw new Error("applied index must rise");
    if (!(stampMs >= tables.stampMs)) throw new Error("group time must not go back");
    tables.index = index;
    tables.stampMs = stampMs;
    switch (command.type) {
      case "append":
        return applyAppend(tables, command, stampMs);
      case "create":
        return applyCreate(tables, command, index, stampMs);
      case "delete":
        return applyDelete(tables, command);
      case "touch":
        return applyTouch(tables, command, stampMs);
      case "expire":
        return applyExpire(tables, command, stampMs);
      case "intend_bucket":
        return applyIntend(tables.buckets, command, index);
      case "set_bucket":
        return applySet(tables.buckets, command, stampMs);
      case "settle_bucket":
        return applySettle(tables.buckets, command, stampMs);
      case "reserve":
        return applyReserve(tables, command, index);
      case "link":
        tables.paths.link(command.key, command.token);
        return { ok: "done" };
      case "unlink":
        tables.paths.unlink(command.key, command.token);
        return { ok: "done" };
      case "forget_unlink":
        tables.paths.forgetErrand(command.key, command.token);
        return { ok: "done" };
      case "flush":
        return applyFlush(tables, command, stampMs);
      case "repack":
        return applyRepack(tables, command, stampMs);
      case "condemn":
        return applyCondemn(tables, command);
      case "forget":
        return applyForget(tables, command);
      case "stage":
        return applyStage(tables, command, stampMs);
      case "publish":
        return applyPublish(tables, command, stampMs);
    }
  }

  /** A stream's facts, or why there are none. */
  find(key: StreamKey): StreamFacts | { readonly refused: Refusal } | MovedPath {
    const stream = this.#tables.streams.get(key);
    if (stream === undefined) return this.#elsewhere(key);
    return stream.softDeleted ? { refused: "stream_gone" } : factsOf(stream);
  }

  /** The StreamSnapshot that a stream begins with; undefined where there is none. */
  snapshot(key: StreamKey): StreamSnapshot | undefined {
    const stream = this.#tables.streams.get(key);
    return stream?.softDeleted === false ? stream.rare?.snapshot : undefined;
  }

  /** The link of the fork at `key`, soft-deleted or not; undefined where there is none. */
  linkOf(key: StreamKey): HomeLink | undefined {
    return this.#tables.streams.get(key)?.rare?.link;
  }

  /**
   * Plans a read. Its slices stay valid until the next `apply`; who keeps them longer retains them.
   *
   * @param maxBytes cap of the answer; a single larger JSON message comes whole
   * @param incarnation the one that the request names, if it does
   */
  read(
    key: StreamKey,
    from: ReadFrom,
    maxBytes: number,
    incarnation?: string,
  ): ReadPlan | ReadRefusal | { readonly refused: Refusal } | MovedPath {
    const stream = this.#tables.streams.get(key);
    if (stream === undefined) return this.#elsewhere(key);
    if (stream.softDeleted) return { refused: "stream_gone" };
    return planRead(stream, from, maxBytes, incarnation, this.#tables);
  }

  /**
   * What lies between two offsets, and where messages end; as {@linkcode GroupState.read} otherwise.
   *
   * @param from the beginning may lie within a message, if it is not below the earliest offset
   * @param to likewise; at most the tail counts
   */
  readMessages(
    key: StreamKey,
    from: number,
    to: number,
    incarnation?: string,
  ): MessagePlan | ReadRefusal | { readonly refused: Refusal } | MovedPath {
    const stream = this.#tables.streams.get(key);
    if (stream === undefined) return this.#elsewhere(key);
    if (stream.softDeleted) return { refused: "stream_gone" };
    return readMessages(stream, from, to, incarnation, this.#tables);
  }

  /** Streams of a bucket, soft-deleted ones left out, by id in byte order. `after` is exclusive. */
  listStreams(
    bucket: string,
    prefix: string,
    after: string | undefined,
    limit: number,
  ): ListedStream[] {
    const record = this.#tables.buckets.get(bucket);
    if (record === undefined) return [];
    const behind = after === undefined ? undefined : `${bucket}/${after}`;
    return record.list(`${bucket}/${prefix}`, behind, limit).map((stream) => ({
      streamId: stream.key.slice(bucket.length + 1),
      facts: factsOf(stream),
    }));
  }

  /** Open buckets by id in byte order. `after` is exclusive. */
  listBuckets(prefix: string, after: string | undefined, limit: number): BucketView[] {
    return this.#tables.buckets.list(prefix, after, limit);
  }

  /** What the group knows of a bucket; undefined where it is gone or never was. */
  bucket(id: string): BucketView | undefined {
    return this.#tables.buckets.view(id);
  }

  /** Buckets of this home group whose create or delete is not finished everywhere. */
  pendingIntents(): BucketView[] {
    return this.#tables.buckets.intents();
  }

  /** Paths reserved for forks that should have been linked or given up by `nowMs`. */
  pendingReservations(nowMs: number): PathEntry[] {
    return this.#tables.paths.reservations(nowMs);
  }

  /** Links of forks that ended here, to be dropped in their home groups. */
  pendingUnlinks(): UnlinkErrand[] {
    return this.#tables.paths.errands();
  }

  /** Streams whose deadline is at or before `nowMs`, the most overdue first. */
  due(nowMs: number, limit: number): StreamKey[] {
    return this.#tables.deadlines.due(nowMs, limit).map((stream) => stream.key);
  }

  /** Should a read at `nowMs` be followed by a `touch` command? */
  touchWanted(key: StreamKey, nowMs: number): boolean {
    const stream = this.#tables.streams.get(key);
    return stream !== undefined && touchWanted(stream, nowMs);
  }

  /** What changed since the last call: one entry per incarnation. */
  takeChanged(): StreamChange[] {
    return this.#tables.changes.take();
  }

  /**
   * The state as it is at the first pull, in pieces, exact however much is applied between pulls.
   * One at a time; to give it up early, call `return()`. Pieces may be joined and split at will.
   *
   * @param pieceBytes how large a piece becomes; only a single larger record exceeds it
   */
  export(pieceBytes: number = EXPORT_PIECE_BYTES): Generator<Uint8Array, void, void> {
    return exportTables(this.#tables, pieceBytes);
  }

  /** A state from the pieces of {@linkcode GroupState.export}. @throws Error on damaged input */
  static async import(
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: ImportOptions,
  ): Promise<GroupState> {
    const state = new GroupState(options);
    state.#tables = await importTables(chunks, options);
    state.#cold = new ColdState(state.#tables);
    return state;
  }

  /** 64 bits over all that is replicated, as hex: equal on all replicas at the same index. */
  stateHash(): string {
    return hashTables(this.#tables);
  }

  #elsewhere(key: StreamKey): { readonly refused: Refusal } | MovedPath {
    const path = this.#tables.paths.get(key);
    if (path === undefined) return { refused: "stream_not_found" };
    return { moved: path.target, token: path.token, linked: path.linked };
  }
}

/** In a fork's home group: keeps the path free, under the entry's index as token. */
function applyReserve(tables: Tables, command: ReservePath, index: number): Outcome {
  const { key, target, deadlineMs } = command;
  const stream = tables.streams.get(key);
  if (stream !== undefined) {
    return stream.softDeleted
      ? { refused: "stream_exists" }
      : { refused: "stream_exists", facts: factsOf(stream) };
  }
  const path = tables.paths.get(key);
  if (path !== undefined) return path.linked ? tables.absent(key) : { refused: "path_reserved" };
  if (tables.buckets.of(key)?.phase !== "open") return { refused: "bucket_not_found" };
  tables.paths.add({ key: ownText(key), target, token: index, deadlineMs, linked: false });
  return { ok: "reserved", token: index };
}
