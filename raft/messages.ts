/**
 * What members say to each other. Plain data: the caller encodes it, and may lose it, double it or
 * deliver it late.
 *
 * @module
 */

import type { Entry, MemberId, Payload, SnapshotMark } from "./types.ts";

/** What every message says. */
export interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  /** The sender's term; in {@linkcode PreVote} and its granted answer the term that is asked for. */
  readonly term: number;
}

/** Would you vote for me in `term`? Changes nobody's state (dissertation §9.6). */
export interface PreVote extends Envelope {
  readonly type: "pre_vote";
  readonly lastIndex: number;
  readonly lastTerm: number;
}

/** Answer to {@linkcode PreVote}. */
export interface PreVoteResponse extends Envelope {
  readonly type: "pre_vote_response";
  readonly granted: boolean;
}

/** RequestVote (paper, figure 2). */
export interface Vote extends Envelope {
  readonly type: "vote";
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader itself asked for this election, so having heard from it is no reason to refuse. */
  readonly transfer: boolean;
}

/** Answer to {@linkcode Vote}. */
export interface VoteResponse extends Envelope {
  readonly type: "vote_response";
  readonly granted: boolean;
}

/** AppendEntries (paper, figure 2). */
export interface Append<P extends Payload> extends Envelope {
  readonly type: "append";
  readonly prevIndex: number;
  readonly prevTerm: number;
  readonly entries: readonly Entry<P>[];
  readonly commit: number;
}

/** The sender holds, durably, what the leader has up to `match`. */
export interface AppendAck extends Envelope {
  readonly type: "append_ack";
  readonly match: number;
}

/** The sender's log does not hold what the append said comes before its entries. */
export interface AppendReject extends Envelope {
  readonly type: "append_reject";
  /** `prevIndex` of the append that is refused. */
  readonly rejected: number;
  /** The highest index at which the two logs may still agree, and the sender's term there. */
  readonly hintIndex: number;
  readonly hintTerm: number;
}

/** The leader lives; also the question of a read index round (dissertation §6.4). */
export interface Heartbeat extends Envelope {
  readonly type: "heartbeat";
  readonly round: number;
  /** The leader's own clock when it sent this; comes back in the answer and means nothing here. */
  readonly sentMs: number;
  readonly commit: number;
}

/** The leader committed up to here, which the receiver is known to hold. Wants no answer. */
export interface Commit extends Envelope {
  readonly type: "commit";
  readonly commit: number;
}

/** Answer to {@linkcode Heartbeat}. */
export interface HeartbeatResponse extends Envelope {
  readonly type: "heartbeat_response";
  readonly round: number;
  readonly sentMs: number;
  /** The sender has no room for entries at present. */
  readonly full: boolean;
}

/**
 * Install a RaftSnapshot (paper §7). Its bytes travel beside this message, in the caller's chunks;
 * the receiving caller steps it once it holds all of them.
 */
export interface InstallSnapshot extends Envelope {
  readonly type: "snapshot";
  readonly mark: SnapshotMark;
}

/** Campaign now: the leader hands over (dissertation §3.10). */
export interface TimeoutNow extends Envelope {
  readonly type: "timeout_now";
}

/** A follower asks for a read index. */
export interface ReadIndex extends Envelope {
  readonly type: "read_index";
  readonly id: number;
}

/** Answer to {@linkcode ReadIndex}; good for every lower id of the same sender too. */
export interface ReadIndexResponse extends Envelope {
  readonly type: "read_index_response";
  readonly id: number;
  readonly index: number;
}

/** Any message. */
export type Message<P extends Payload> =
  | PreVote
  | PreVoteResponse
  | Vote
  | VoteResponse
  | Append<P>
  | AppendAck
  | AppendReject
  | Commit
  | Heartbeat
  | HeartbeatResponse
  | InstallSnapshot
  | TimeoutNow
  | ReadIndex
  | ReadIndexResponse;
