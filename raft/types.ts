/**
 * The words of the consensus core.
 *
 * @module
 */

/** A member of a group, as the caller names it: opaque, one per node *and* store. */
export type MemberId = string;

/** What an entry carries; the core asks for its length alone, to bound what is in flight. */
export interface Payload {
  /** Bytes on the wire and on disk. */
  readonly length: number;
}

/** Who takes part (dissertation §4; joint consensus as in §4.3). */
export interface Membership {
  readonly voters: readonly MemberId[];
  /** Voters of the configuration being left, while both must agree; empty otherwise. */
  readonly outgoing: readonly MemberId[];
  readonly learners: readonly MemberId[];
}

/** One entry of the log. */
export type Entry<P extends Payload> =
  | { readonly index: number; readonly term: number; readonly kind: "command"; readonly payload: P }
  | { readonly index: number; readonly term: number; readonly kind: "noop" }
  | {
    readonly index: number;
    readonly term: number;
    readonly kind: "membership";
    readonly membership: Membership;
  };

/** What must be durable before a vote or a new term is spoken of (paper, figure 2). */
export interface HardState {
  readonly term: number;
  readonly votedFor: MemberId | undefined;
}

/** What a RaftSnapshot stands for: the state after `index`. */
export interface SnapshotMark {
  readonly index: number;
  readonly term: number;
  readonly membership: Membership;
}
