/**
 * The words of the state machine: what a command asks, what applying it answers, what a read finds.
 *
 * @module
 */

import type {
  ColdRead,
  CondemnObjects,
  FlushStreams,
  ForgetObjects,
  ForkProof,
  PublishSnapshot,
  RepackStreams,
  StageObject,
  StreamSnapshot,
} from "./cold_types.ts";

/** A piece of memory that many slices share; `live` counts the bytes that some slice still needs. */
export interface Slab {
  readonly bytes: Uint8Array;
  /** Bytes of this slab held by streams. Kept by {@linkcode retain} and {@linkcode release} alone. */
  live: number;
}

/** Bytes `start` to `end` (exclusive) of a slab. Never copied; never written again once shared. */
export interface Slice {
  readonly slab: Slab;
  readonly start: number;
  readonly end: number;
}

/** `bucket + "/" + stream id`; a bucket id holds no `/`, so the first one ends it. */
export type StreamKey = string;

/**
 * Bytes in stored form. Bytes streams: as they came, one message, or one for each item of a batch of
 * appends. JSON streams: each message without insignificant white space, followed by one `,` (0x2C)
 * as separator.
 */
export interface Body {
  readonly data: Slice;
  /** Stored length of each message, separator included; left out when all of `data` is one message. */
  readonly lengths?: readonly number[] | Uint32Array;
}

/** The idempotent producer of an append (P§5.2.1). */
export interface ProducerStamp {
  readonly id: string;
  readonly epoch: number;
  readonly seq: number;
}

/**
 * Proof that a fork's home group keeps its path free (SPEC section 7).
 *
 * A create that follows a `moved` to the group where a fork lives names the link's home and token
 * with deadline 0: it meets that very fork, or is refused `fork_too_late`, and never makes a
 * stream where its path does not belong.
 */
export interface Reservation {
  /** Group that holds the path. */
  readonly home: number;
  /** Index of the entry that reserved it there. */
  readonly token: number;
  /** Group time of the source's group, in ms, after which the fork may no longer be created. */
  readonly deadlineMs: number;
}

/** PUT (P§5.1), plain or fork. */
export interface CreateStream {
  readonly type: "create";
  readonly key: StreamKey;
  /** As the client wrote it. Absent: `application/octet-stream`, or the source's on a fork. */
  readonly contentType?: string;
  readonly ttlSeconds?: number;
  readonly expiresAtMs?: number;
  readonly closed: boolean;
  readonly body?: Body;
  readonly fork?: {
    readonly source: StreamKey;
    /** Absent: the source's tail. */
    readonly offset?: number;
    /** Bytes, or JSON messages, past `offset`; 0 when not asked for. */
    readonly subOffset: number;
    /** Needed where anchor or end lie in an object: see `GroupState.proveFork`. */
    readonly proof?: ForkProof;
  };
  /** Set when the fork's path belongs to another group than this one. */
  readonly reservation?: Reservation;
}

/** POST (P§5.2, P§5.3); an empty body with `closed` is close-only. */
export interface AppendStream {
  readonly type: "append";
  readonly key: StreamKey;
  readonly contentType?: string;
  readonly body?: Body;
  readonly closed: boolean;
  readonly producer?: ProducerStamp;
  readonly streamSeq?: string;
  /** If-Match: the offset that must be the tail. */
  readonly ifMatch?: number;
  /** The incarnation that the request names. */
  readonly incarnation?: string;
}

/** DELETE (P§5.4). */
export interface DeleteStream {
  readonly type: "delete";
  readonly key: StreamKey;
  readonly incarnation?: string;
}

/** A read pushes a TTL deadline back (SPEC section 3, TTL). */
export interface TouchStreams {
  readonly type: "touch";
  readonly keys: readonly StreamKey[];
}

/** Ends the named streams whose deadline the entry's stamp has passed; others stay as they are. */
export interface ExpireStreams {
  readonly type: "expire";
  readonly keys: readonly StreamKey[];
}

/** Phases of a bucket as its home group orders them (SPEC section 2). */
export type BucketPhase = "open" | "closed";

/** In the home group: decide to create or delete a bucket; answers the intent's new version. */
export interface IntendBucket {
  readonly type: "intend_bucket";
  readonly bucket: string;
  readonly action: "create" | "delete";
}

/** In every group: take over a phase, if `version` is higher than the group's. */
export interface SetBucket {
  readonly type: "set_bucket";
  readonly bucket: string;
  readonly phase: BucketPhase;
  readonly version: number;
}

/** In the home group: the intent of that version is finished everywhere. */
export interface SettleBucket {
  readonly type: "settle_bucket";
  readonly bucket: string;
  readonly version: number;
  /** What came of it: `closed` means deleted everywhere and forgets the bucket's record but for its version. */
  readonly phase: BucketPhase;
}

/** In a fork's home group: keep its path free while it is made elsewhere. */
export interface ReservePath {
  readonly type: "reserve";
  readonly key: StreamKey;
  /** Group where the fork will live. */
  readonly target: number;
  readonly deadlineMs: number;
}

/** In a fork's home group: the fork lives in the reservation's target from now on. */
export interface LinkPath {
  readonly type: "link";
  readonly key: StreamKey;
  readonly token: number;
}

/** In a fork's home group: drop the reservation or link with this token; harmless when it is gone. */
export interface UnlinkPath {
  readonly type: "unlink";
  readonly key: StreamKey;
  readonly token: number;
}

/** In a fork's own group: its home has dropped the link of a fork that ended; forget the errand. */
export interface ForgetUnlink {
  readonly type: "forget_unlink";
  readonly key: StreamKey;
  readonly token: number;
}

/** Everything that goes through a group's log. */
export type Command =
  | CreateStream
  | AppendStream
  | DeleteStream
  | TouchStreams
  | ExpireStreams
  | IntendBucket
  | SetBucket
  | SettleBucket
  | ReservePath
  | LinkPath
  | UnlinkPath
  | ForgetUnlink
  | FlushStreams
  | RepackStreams
  | CondemnObjects
  | ForgetObjects
  | StageObject
  | PublishSnapshot;

/** Names of refusals. The table with status and wording is `protocol/errors.ts`. */
export type Refusal =
  | "bucket_not_found"
  | "bucket_busy"
  | "stream_not_found"
  | "stream_gone"
  | "stream_exists"
  | "path_reserved"
  | "incarnation_mismatch"
  | "stream_closed"
  | "producer_epoch_stale"
  | "producer_epoch_start"
  | "producer_gap"
  | "producer_limit"
  | "content_type_mismatch"
  | "offset_mismatch"
  | "stream_seq_conflict"
  | "offset_trimmed"
  | "offset_not_boundary"
  | "fork_source_not_found"
  | "fork_source_gone"
  | "fork_offset_beyond_tail"
  | "fork_sub_offset_invalid"
  | "fork_too_late"
  | "snapshot_beyond_tail"
  | "snapshot_conflict";

/** What every answer about a stream that exists says of it. */
export interface StreamFacts {
  readonly incarnation: string;
  readonly contentType: string;
  readonly json: boolean;
  readonly tail: number;
  /** Earliest retained offset; 0 unless trimmed. */
  readonly earliest: number;
  readonly closed: boolean;
  readonly ttlSeconds?: number;
  readonly expiresAtMs?: number;
  readonly createdAtMs: number;
  readonly lastWriteAtMs: number;
}

/** The answer to a command. `facts` is as of right after the command, and present where a stream is. */
export type Outcome =
  | { readonly ok: "created" | "existed"; readonly facts: StreamFacts }
  | {
    /** `repeated`: a duplicate of what was applied before; nothing changed. */
    readonly ok: "appended" | "repeated";
    readonly facts: StreamFacts;
    /** Highest accepted, where the request named a producer. */
    readonly producer?: { readonly epoch: number; readonly seq: number };
  }
  | { readonly ok: "deleted"; readonly incarnation: string }
  | { readonly ok: "done" }
  | {
    readonly ok: "bucket";
    readonly phase: BucketPhase;
    readonly version: number;
    /** Before the command, was the bucket open as far as its home group knows? */
    readonly existed: boolean;
    /** Streams of the bucket in this group, soft-deleted ones included. */
    readonly streams: number;
  }
  | { readonly ok: "reserved"; readonly token: number }
  | {
    /** References were taken over. */
    readonly ok: "stored";
    /** Which ranges of the command; the others no longer are what it says. */
    readonly applied: readonly number[];
    /** Bytes of messages that these ranges hold. */
    readonly bytes: number;
  }
  /** `repeated`: it was published before; nothing changed. */
  | { readonly ok: "published"; readonly facts: StreamFacts; readonly repeated: boolean }
  /** The object's number was used or condemned before: nothing changed, upload it under another. */
  | { readonly ok: "condemned" }
  /** An offset lies within a cold range: nothing changed, propose it with a proof. */
  | { readonly ok: "unproven" }
  | {
    readonly ok: "moved";
    readonly target: number;
    readonly token: number;
    readonly linked: boolean;
  }
  | {
    readonly refused: Refusal;
    readonly facts?: StreamFacts;
    readonly producerEpoch?: number;
    readonly expectedSeq?: number;
    readonly lastStreamSeq?: string;
  };

/** Where a read begins: an offset, the earliest byte (`-1` and none), or the tail (`now`). */
export type ReadFrom = number | "start" | "now";

/** A stretch of a stream, ready to be written out. */
export interface ReadPlan {
  readonly facts: StreamFacts;
  /** Resolved start. */
  readonly from: number;
  /** Where the next read goes on. */
  readonly next: number;
  /**
   * In order, without gaps, `next - from` bytes together. Looked up when one first asks, which must
   * be before the next `apply`, and kept; throws where some of the bytes lie in objects.
   */
  readonly slices: readonly Slice[];
  /** Where some of the bytes lie in objects; absent otherwise. */
  readonly cold?: ColdRead;
  /** `next` is the tail. */
  readonly upToDate: boolean;
  /** The StreamSnapshot that the stream begins with; undefined where there is none. */
  readonly snapshot: StreamSnapshot | undefined;
}
