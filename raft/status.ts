import type { Core, Role } from "./core.ts";
import type { Progress, ProgressState } from "./tracker/progress.ts";
import type { MemberId, Membership, Payload } from "./types.ts";

/** What a leader knows of one other member, for metrics. */
export interface MemberStatus {
  readonly id: MemberId;
  readonly state: ProgressState;
  /** It holds the log durably up to here. */
  readonly match: number;
  readonly next: number;
  readonly inflightEntries: number;
  readonly inflightBytes: number;
  /** Milliseconds since it was last heard from. */
  readonly silentMs: number;
  /** It has no room for entries. */
  readonly full: boolean;
}

/** A member's state, for metrics and operators. */
export interface RaftStatus {
  readonly id: MemberId;
  readonly role: Role;
  readonly term: number;
  readonly leader: MemberId | undefined;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly stableIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly snapshotIndex: number;
  /** Bytes of entries in memory. */
  readonly logBytes: number;
  /** Those of them that stay for other members' sake only. */
  readonly retainedBytes: number;
  readonly uncommittedBytes: number;
  readonly membership: Membership;
  /** Where that stands in the log; it is settled once this is committed. */
  readonly membershipIndex: number;
  readonly transferringTo: MemberId | undefined;
  /** Empty unless this member leads. */
  readonly others: readonly MemberStatus[];
}

/** Describes what a leader knows of one member. */
export function memberStatusOf<P extends Payload>(
  core: Core<P>,
  progress: Progress,
): MemberStatus {
  return {
    id: progress.id,
    state: progress.state,
    match: progress.match,
    next: progress.next,
    inflightEntries: progress.inflights.entries,
    inflightBytes: progress.inflights.bytes,
    silentMs: core.nowMs - progress.activeMs,
    full: progress.full,
  };
}

/** Describes `core` as it is. */
export function statusOf<P extends Payload>(core: Core<P>): RaftStatus {
  const { log, tracker } = core;
  return {
    id: core.id,
    role: core.role,
    term: core.term,
    leader: core.leader,
    firstIndex: log.first,
    lastIndex: log.last,
    stableIndex: log.stable,
    commitIndex: log.committed,
    appliedIndex: log.applied,
    snapshotIndex: log.snapshot.index,
    logBytes: log.bytes,
    retainedBytes: log.releasedBytes,
    uncommittedBytes: core.role === "leader" ? core.uncommittedBytes : 0,
    membership: core.membership,
    membershipIndex: log.memberships.latestIndex,
    transferringTo: core.transfer?.to,
    others: tracker.others.map((progress) => memberStatusOf(core, progress)),
  };
}
