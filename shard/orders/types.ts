import type { MemberId } from "../../raft/mod.ts";
import type { ErrorCode } from "../../protocol/mod.ts";
import type { StreamKey } from "../../stream/mod.ts";

/** What an operator wants done with this node's replica of a group (SPEC section 11). */
export type GroupOrder =
  /** Write a RaftSnapshot; let go of the log entries that it covers. */
  | { readonly order: "snapshot" | "purge" }
  /** Hand leadership over to a node; add a node that does not vote. */
  | { readonly order: "transfer" | "learner"; readonly node: number }
  /** These nodes vote, and no others. */
  | { readonly order: "membership"; readonly voters: readonly number[] }
  /** Put a stream's hot bytes into objects. */
  | { readonly order: "flush"; readonly key: StreamKey };

/** Who takes part in a group. */
export interface Members {
  readonly voters: readonly MemberId[];
  readonly learners: readonly MemberId[];
}

/** What comes of a {@linkcode GroupOrder} that was carried out. */
export interface OrderResults {
  /** Index of the last entry that the RaftSnapshot covers. */
  readonly snapshot: { readonly index: number };
  /** Index of the first entry that is left. */
  readonly purge: { readonly firstIndex: number };
  readonly transfer: { readonly leader: MemberId };
  readonly learner: Members;
  readonly membership: Members;
  readonly flush: { readonly flushedBytes: number };
}

/** Why an order was not carried out, as a code of the table of errors. */
export interface OrderRefused {
  readonly refused: Extract<
    ErrorCode,
    | "not_leader"
    | "not_a_voter"
    | "transfer_failed"
    | "invalid_node"
    | "node_absent"
    | "membership_busy"
    | "not_caught_up"
    | "no_cold_store"
    | "cold_unavailable"
    | "outcome_unknown"
    | "shutting_down"
  >;
  /** With `not_leader`: who leads, as far as is known. */
  readonly leader?: MemberId;
  /** The nodes that it is about, where not the one of the order. */
  readonly nodes?: readonly number[];
}

/** The answer to a {@linkcode GroupOrder}, by what was ordered. */
export type OrderAnswer<O extends GroupOrder["order"] = GroupOrder["order"]> =
  | OrderResults[O]
  | OrderRefused;
