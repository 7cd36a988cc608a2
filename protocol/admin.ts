/**
 * What the admin plane and its clients say to each other (SPEC section 11): paths, and the JSON of
 * answers. Nodes are named by their ids, groups by their numbers.
 *
 * @module
 */

import type { ErrorCode } from "./errors.ts";

/** All of the admin plane's own paths begin so. */
export const ADMIN_PREFIX = "/__ursula";

/** Paths of the admin plane, each with the method that it takes. */
export const ADMIN_PATHS = {
  /** `GET`: {@linkcode NodeMetrics}; on the client plane too. */
  metrics: `${ADMIN_PREFIX}/metrics`,
  /** `POST`: {@linkcode RaftSnapshotTaken}. */
  snapshot: (group: number): string => `${ADMIN_PREFIX}/raft/${group}/snapshot`,
  /** `POST`: {@linkcode LogPurged}. */
  purge: (group: number): string => `${ADMIN_PREFIX}/raft/${group}/purge`,
  /** `POST`: {@linkcode LeaderTransferred}. */
  transfer: (group: number, node: number): string =>
    `${ADMIN_PREFIX}/raft/${group}/leader/transfer/${node}`,
  /** `POST`: {@linkcode GroupMembers}. */
  learner: (group: number, node: number): string =>
    `${ADMIN_PREFIX}/raft/${group}/learners/${node}`,
  /** `POST`: {@linkcode GroupMembers}. */
  membership: (group: number, voters: readonly number[]): string =>
    `${ADMIN_PREFIX}/raft/${group}/membership?voters=${voters.join(",")}`,
  /** `POST` to drain the node, `DELETE` to lift it: {@linkcode Maintenance}. */
  maintenance: `${ADMIN_PREFIX}/leadership-shed/maintenance`,
  /** `POST`: {@linkcode ColdFlushed}. Both ids as they are; they are percent-encoded here. */
  flushCold: (bucket: string, stream: string): string =>
    `${ADMIN_PREFIX}/flush-cold/${encodeURIComponent(bucket)}/${encodeURIComponent(stream)}`,
} as const;

/** This node's replica has written a RaftSnapshot. */
export interface RaftSnapshotTaken {
  readonly group: number;
  /** Index of the last entry that it covers. */
  readonly index: number;
}

/** This node's replica holds no log entries that its RaftSnapshot covers. */
export interface LogPurged {
  readonly group: number;
  /** Index of the first entry that is left, or comes next. */
  readonly first_index: number;
}

/** A group is led by the node that was asked for. */
export interface LeaderTransferred {
  readonly group: number;
  readonly leader_id: number;
}

/** Who takes part in a group, once that is decided and nothing of it is under way. */
export interface GroupMembers {
  readonly group: number;
  readonly voters: readonly number[];
  readonly learners: readonly number[];
}

/** Whether this node is being drained, and what is left to do. */
export interface Maintenance {
  readonly node_id: number;
  readonly draining: boolean;
  /** Groups that it leads still. */
  readonly leaderships: number;
}

/** What a stream had in memory and could be moved lies in the cold store. */
export interface ColdFlushed {
  readonly group: number;
  readonly flushed_bytes: number;
}

/** What the leader of a group knows of another member. */
export interface FollowerMetrics {
  readonly node_id: number;
  /** Index up to which it has confirmed the leader's log. */
  readonly match_index: number;
  /** How long ago it was heard from. */
  readonly silent_ms: number;
}

/** One group of this node, in the answer of `GET metrics`; further fields are added freely. */
export interface GroupMetrics {
  readonly id: number;
  /** Index of the shard that owns it. */
  readonly core_id: number;
  /** Node that leads, as far as is known here. */
  readonly leader_id: number | null;
  /** This node leads it. */
  readonly leads: boolean;
  readonly current_term: number;
  readonly last_log_index: number;
  readonly committed_index: number;
  readonly last_applied_index: number;
  readonly voters: readonly number[];
  readonly learners: readonly number[];
  /** Store id of each voter, by its node id. */
  readonly voter_stores: Readonly<Record<string, string>>;
  /** Store id of this node's member; another one than the voters' has lost its disk. */
  readonly store_id: string;
  /** Entries that this replica lacks, as far as it knows. */
  readonly lag: number;
  /** This node's replica is a voter. */
  readonly votes: boolean;
  /** It has applied, since it started, all that a leader had committed. */
  readonly caught_up: boolean;
  readonly hot_bytes: number;
  readonly cold_bytes: number;
  readonly streams: number;
  /** Objects that it is yet to fetch into a store of its own. */
  readonly cold_objects_lacking: number;
  /** Of a leader alone: the other members. */
  readonly followers?: readonly FollowerMetrics[];
}

/** The answer of `GET metrics`, as far as clients rely on it; further fields are added freely. */
export interface NodeMetrics {
  readonly node_id: number;
  readonly cluster_id: string;
  readonly version: string;
  readonly uptime_ms: number;
  /** It leads as little as it can: {@linkcode Maintenance}. */
  readonly draining: boolean;
  /** It is about to end. */
  readonly stopping: boolean;
  readonly raft_groups: readonly GroupMetrics[];
}

/** The body of an error. */
export interface AdminError {
  readonly error: {
    readonly code: ErrorCode;
    /** One line for a person. */
    readonly message: string;
    /** With `not_leader`: the node that leads, where that is known. */
    readonly leader_id?: number | null;
  };
}
