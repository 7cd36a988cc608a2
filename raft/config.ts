import { invariant } from "./invariant.ts";
import type { Entry, HardState, MemberId, Payload, SnapshotMark } from "./types.ts";

/** What a member is started with. Times are milliseconds, sizes bytes of payload. */
export interface RaftConfig<P extends Payload> {
  /** This member. */
  readonly id: MemberId;
  /** As recovered; term 0 and no vote on a first start. */
  readonly hardState: HardState;
  /**
   * The RaftSnapshot that the applied state starts from. A new group starts from one at index 0 and
   * term 0 whose membership is the group's first; a member that joins later starts with no voters.
   */
  readonly snapshot: SnapshotMark;
  /** As recovered, in order and without gaps, from `snapshot.index + 1`. */
  readonly entries: readonly Entry<P>[];
  /**
   * A follower that hears nothing this long, or up to 1.6 times this long (drawn by lot), campaigns;
   * a leader that hears from no majority this long steps down.
   */
  readonly electionTimeoutMs: number;
  /** Pause between a leader's heartbeats; well below the election timeout. */
  readonly heartbeatIntervalMs: number;
  /** How long before the shortest election timeout a lease ends, for clocks that run unevenly. */
  readonly leaseDriftMs: number;
  /** Entries sent to one follower and not yet acknowledged. */
  readonly inflightEntriesMax: number;
  /** Bytes sent to one follower and not yet acknowledged; one message goes always. */
  readonly inflightBytesMax: number;
  /** Bytes of entries in one append; one entry goes always. */
  readonly messageBytesMax: number;
  /** Entries proposed and not yet committed; beyond it proposals are refused. */
  readonly uncommittedEntriesMax: number;
  /** Bytes proposed and not yet committed; one proposal goes always. */
  readonly uncommittedBytesMax: number;
  /** Bytes of released entries that stay in memory for the sake of followers that lack them. */
  readonly retainedBytesMax: number;
  /**
   * How many of them stay with a member that does not lead, and does not know who lacks what: should
   * it lead next, it fetches the older ones.
   */
  readonly followingBytesMax: number;
  /**
   * The same for a follower that gets a RaftSnapshot: of what follows its mark, until the follower
   * has caught up. Where no journal has it, one that gets more meanwhile needs another RaftSnapshot.
   */
  readonly catchUpBytesMax: number;
  /** A number in [0, 1). Spreads election timeouts, and tells this life's questions from older ones. */
  readonly random: () => number;
  /** The time of the start, on the clock of `tick`. */
  readonly nowMs: number;
  /** Whether reads may rely on the lease; otherwise each round asks a majority. */
  readonly readLease: boolean;
}

/**
 * Checks the relations that the algorithm relies on.
 *
 * @throws {Error} naming the relation that does not hold
 */
export function checkConfig<P extends Payload>(config: RaftConfig<P>): void {
  const { electionTimeoutMs, heartbeatIntervalMs, leaseDriftMs, snapshot, entries } = config;
  invariant(heartbeatIntervalMs > 0, "heartbeatIntervalMs is positive");
  invariant(
    electionTimeoutMs > heartbeatIntervalMs,
    "electionTimeoutMs exceeds heartbeatIntervalMs",
  );
  invariant(
    leaseDriftMs >= 0 && leaseDriftMs < electionTimeoutMs,
    "leaseDriftMs lies below electionTimeoutMs",
  );
  invariant(config.inflightEntriesMax > 0, "inflightEntriesMax is positive");
  for (let i = 0; i < entries.length; i++) {
    invariant(
      entries[i]?.index === snapshot.index + 1 + i,
      "recovered entries follow the snapshot",
    );
  }
}
