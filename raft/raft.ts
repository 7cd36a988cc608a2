import { advanceCommit, appendOwn } from "./commit.ts";
import { hasQuorum, lastContactMs } from "./contact.ts";
import { checkConfig, type RaftConfig } from "./config.ts";
import { Core, type Fetch, type Role } from "./core.ts";
import { heardLately, preCampaign } from "./election.ts";
import { invariant } from "./invariant.ts";
import { isJoint, isSoleVoter, type MembershipChange, nextMembership } from "./membership.ts";
import type { Message } from "./messages.ts";
import type { Ready } from "./outbox.ts";
import { askLeader, flushForwardedReads, leaseHolds, needsRound } from "./read_index.ts";
import type { ReadAnswer } from "./read_queue.ts";
import { flushAppends, flushHeartbeats, provideEntries } from "./replication.ts";
import { dropReleased } from "./retention.ts";
import { type MemberStatus, memberStatusOf, type RaftStatus, statusOf } from "./status.ts";
import { step } from "./step.ts";
import { nextDueMs, tick } from "./tick.ts";
import { beginTransfer } from "./transfer.ts";
import type { Entry, MemberId, Membership, Payload, SnapshotMark } from "./types.ts";

/**
 * Why nothing was done.
 *
 * `not_leader`: ask `leader`, if known. `transferring`: leadership is being handed over. `overloaded`:
 * too much is proposed and not committed, or no majority has room for entries. `pending`: an earlier
 * membership change, or the first entry of the term, is not committed yet. `invalid`: no voters, a
 * voter that is a learner too, or no such voter. `unchanged`: that is the membership already.
 */
export type RefusalReason =
  | "not_leader"
  | "transferring"
  | "overloaded"
  | "pending"
  | "invalid"
  | "unchanged";

/** Nothing was done. */
export interface Refused {
  readonly refused: RefusalReason;
  readonly leader: MemberId | undefined;
}

/** Where a proposal stands in the log; committed only when it comes back with this very term. */
export interface Proposed {
  readonly index: number;
  readonly term: number;
}

const NOTHING: readonly never[] = [];

/** One member of one group. The manual is `mod.ts`. */
export class Raft<P extends Payload> {
  readonly #core: Core<P>;

  /** @throws {Error} when the configuration contradicts itself, see {@linkcode checkConfig} */
  constructor(config: RaftConfig<P>) {
    checkConfig(config);
    this.#core = new Core(config);
  }

  /** Does what time demands. Times never go back; an earlier one counts as the latest told. */
  tick(nowMs: number): void {
    this.#core.advanceTime(nowMs);
    tick(this.#core);
  }

  /** When {@linkcode tick} is worth calling next, in ms; Infinity when only events matter. */
  get nextTickMs(): number {
    return nextDueMs(this.#core);
  }

  /** Takes a message to this member. `nowMs` is read after it arrived. */
  step(message: Message<P>, nowMs: number): void {
    invariant(message.to === this.#core.id, "a message to somebody else");
    this.#core.advanceTime(nowMs);
    step(this.#core, message);
  }

  #refused(refused: RefusalReason): Refused {
    return { refused, leader: this.#core.leader };
  }

  /** Appends a command to the log of a leader. */
  propose(payload: P): Proposed | Refused {
    const core = this.#core;
    if (core.role !== "leader") return this.#refused("not_leader");
    if (core.transfer !== undefined) return this.#refused("transferring");
    const { log, config } = core;
    if (!core.tracker.hasRoom) return this.#refused("overloaded");
    const uncommitted = log.last - log.committed;
    if (
      uncommitted >= config.uncommittedEntriesMax ||
      (uncommitted > 0 && core.uncommittedBytes + payload.length > config.uncommittedBytesMax)
    ) {
      return this.#refused("overloaded");
    }
    return appendOwn(core, { kind: "command", payload });
  }

  /**
   * Changes who takes part, at once or through a joint membership that is left by itself (paper §6,
   * dissertation §4). It holds from when it is in a log, and is safe to build on once committed.
   * New voters should have caught up as learners before.
   */
  proposeMembership(change: MembershipChange): Proposed | Refused {
    const core = this.#core;
    if (core.role !== "leader") return this.#refused("not_leader");
    if (core.transfer !== undefined) return this.#refused("transferring");
    const { memberships, committed } = core.log;
    // Without an entry of its own term committed, two leaders' single steps could diverge.
    const pending = !core.committedInTerm || memberships.latestIndex > committed;
    if (pending || isJoint(memberships.latest)) return this.#refused("pending");
    const next = nextMembership(memberships.latest, change);
    if (typeof next === "string") return this.#refused(next);
    return appendOwn(core, { kind: "membership", membership: next });
  }

  /**
   * Asks up to where a linearizable read must have applied. {@linkcode takeReads} answers: at once
   * under a lease or as sole voter, otherwise after a round (a follower's goes through its leader).
   * `nowMs` is read after the request arrived.
   */
  readIndex(context: number, nowMs: number): Refused | undefined {
    const core = this.#core;
    core.advanceTime(nowMs);
    if (core.role === "leader") askLeader(core, undefined, context);
    else if (core.leader === undefined) return this.#refused("not_leader");
    else core.reads.forward(context);
    return undefined;
  }

  /** Answers to {@linkcode readIndex}. */
  takeReads(): readonly ReadAnswer[] {
    return this.#core.reads.take();
  }

  /** Hands leadership over to a voter; given up after an election timeout. */
  transferLeadership(to: MemberId): Refused | undefined {
    const core = this.#core;
    if (core.role !== "leader") return this.#refused("not_leader");
    if (core.transfer !== undefined) return this.#refused("transferring");
    if (to === core.id) return this.#refused("unchanged");
    if (!core.membership.voters.includes(to)) return this.#refused("invalid");
    beginTransfer(core, to);
    return undefined;
  }

  /**
   * Campaigns without waiting for the timeout. A sole voter leads when this returns; others ask
   * around first, and do nothing while a leader was heard from within an election timeout. Says
   * whether it campaigns.
   */
  campaign(): boolean {
    const core = this.#core;
    if (core.role === "leader" || !core.promotable) return false;
    if (!isSoleVoter(core.membership, core.id) && heardLately(core)) return false;
    preCampaign(core);
    return true;
  }

  /** Is there a {@linkcode ready} to take? */
  get hasReady(): boolean {
    const core = this.#core;
    if (core.outbox.filled) return true;
    if (core.role !== "leader") return core.reads.unsent;
    return core.stableTerm === core.term &&
      (core.replicationWanted || core.pruneWanted || core.heartbeatWanted || needsRound(core));
  }

  /** Takes what this turn brought; undefined when there is nothing. */
  ready(): Ready<P> | undefined {
    const core = this.#core;
    if (core.role === "leader") {
      if (core.heartbeatWanted || needsRound(core)) flushHeartbeats(core);
      if (core.replicationWanted || core.pruneWanted) flushAppends(core);
    } else {
      flushForwardedReads(core);
    }
    return core.outbox.filled ? core.outbox.take() : undefined;
  }

  /**
   * What the readies of `batch` asked to make durable is durable, a RaftSnapshot installed. In the
   * order of the readies, as many at a time as were written together. Answers the messages that had
   * to wait for it; an acknowledgement that a later one of them includes is left out.
   */
  stable(batch: readonly Ready<P>[]): readonly Message<P>[] {
    const core = this.#core;
    const messages: Message<P>[] = [];
    const own: Message<P>[] = [];
    for (const ready of batch) {
      if (!ready.durable) continue;
      for (const message of core.outbox.settle(ready)) {
        if (message.to === core.id) own.push(message);
        else addMessage(messages, message);
      }
      if (ready.hardState !== undefined) core.hardStateIsStable(ready.hardState);
    }
    if (core.role === "leader") {
      core.tracker.self.match = core.log.stable;
      advanceCommit(core);
    }
    for (const message of own) step(core, message);
    return messages;
  }

  /** Takes entries that are committed and durable here, in order, at most `limit` of them. */
  takeCommitted(limit: number = Infinity): readonly Entry<P>[] {
    const { log } = this.#core;
    const to = Math.min(log.committed, log.stable, log.taken + limit);
    if (to <= log.taken) return NOTHING;
    const entries = log.slice(log.taken + 1, to);
    log.taken = to;
    return entries;
  }

  /** Everything taken up to `index` is applied. */
  applied(index: number): void {
    const { log } = this.#core;
    // Lower than a RaftSnapshot that was installed meanwhile: old news.
    if (index <= log.applied) return;
    invariant(index <= log.taken, "only what was taken is applied");
    log.applied = index;
  }

  /** What a RaftSnapshot of the state after `index` stands for; `index` is applied, and in memory. */
  markAt(index: number): SnapshotMark {
    const { log } = this.#core;
    const term = log.term(index);
    invariant(!log.installing, "no mark while a RaftSnapshot is being installed");
    invariant(index <= log.applied && term !== undefined, "a mark of applied state in memory");
    return { index, term, membership: log.memberships.at(index) };
  }

  /** A durable RaftSnapshot stands for `mark`: the journal may drop what it covers. */
  compact(mark: SnapshotMark): void {
    this.#core.log.compact(mark);
  }

  /**
   * Lets applied entries up to `index` leave memory. Of those the newest `bytesMax` bytes stay for
   * members that lack them or may lack them, such as one that is being restarted; what a leader
   * knows that all members hold goes, and so does everything where there is no other member. What
   * has left memory is fetched when needed.
   */
  release(index: number, bytesMax: number = this.#core.config.retainedBytesMax): void {
    this.#core.log.release(index);
    dropReleased(this.#core, bytesMax);
  }

  /** Lets every entry leave memory that a durable RaftSnapshot covers, whoever may lack it. */
  purge(): void {
    const { log } = this.#core;
    log.drop(log.snapshot.index, Infinity);
  }

  /** Takes the wishes for entries that left memory. Each is answered by {@linkcode provide}. */
  takeFetches(): readonly Fetch[] {
    const core = this.#core;
    if (core.fetches.length === 0) return NOTHING;
    const fetches = core.fetches;
    core.fetches = [];
    return fetches;
  }

  /**
   * Answers a fetch: entries of this log from `fetch.from` on, without gaps; undefined when they are
   * gone, and then the follower gets the RaftSnapshot.
   */
  provide(fetch: Fetch, entries: readonly Entry<P>[] | undefined): void {
    provideEntries(this.#core, fetch, entries);
  }

  /**
   * The RaftSnapshot that a `snapshot` message asked to send is the one at `mark`: what follows is
   * kept for that member until it has caught up, within `catchUpBytesMax`.
   */
  beginSnapshot(to: MemberId, mark: SnapshotMark): void {
    const core = this.#core;
    const progress = core.role === "leader" ? core.tracker.get(to) : undefined;
    if (progress?.state === "snapshot") progress.snapshotBegun(mark.index);
  }

  /** The RaftSnapshot that a `snapshot` message asked to send went out whole, or not. */
  reportSnapshot(to: MemberId, ok: boolean): void {
    const core = this.#core;
    const progress = core.role === "leader" ? core.tracker.get(to) : undefined;
    if (progress?.state === "snapshot") progress.snapshotSent(ok);
  }

  /**
   * Says whether this member has room for entries. A follower without refuses them meanwhile; a
   * leader takes no proposals while no majority has room, itself included.
   */
  acceptEntries(accepting: boolean): void {
    this.#core.accepting = accepting;
    this.#core.tracker.self.full = !accepting;
  }

  /**
   * Says whether this member leads only where nobody else does: it campaigns later than the others,
   * unless they can't win without its log. It votes and takes over as ever.
   */
  beReluctant(reluctant: boolean): void {
    this.#core.reluctant = reluctant;
  }

  /** This member. */
  get id(): MemberId {
    return this.#core.id;
  }

  /** Who leads, as far as is known. */
  get leader(): MemberId | undefined {
    return this.#core.leader;
  }

  /** The latest term that was heard of. */
  get term(): number {
    return this.#core.term;
  }

  /** This member's role. */
  get role(): Role {
    return this.#core.role;
  }

  /** Committed up to here, as far as is known. */
  get commitIndex(): number {
    return this.#core.log.committed;
  }

  /** Index of the last entry. */
  get lastIndex(): number {
    return this.#core.log.last;
  }

  /** Everything up to here is durable on this member. */
  get stableIndex(): number {
    return this.#core.log.stable;
  }

  /** A RaftSnapshot was ordered by a ready and is not durable yet: the state is not `appliedIndex`'s. */
  get installing(): boolean {
    return this.#core.log.installing;
  }

  /** Everything up to here was reported as applied, or lies in a RaftSnapshot. */
  get appliedIndex(): number {
    return this.#core.log.applied;
  }

  /** Who takes part: the newest membership in the log, committed or not. */
  get membership(): Membership {
    return this.#core.membership;
  }

  /** Could reads be answered at `nowMs` without asking anybody? */
  hasLease(nowMs: number): boolean {
    const core = this.#core;
    core.advanceTime(nowMs);
    return core.role === "leader" && core.committedInTerm &&
      (isSoleVoter(core.membership, core.id) || leaseHolds(core));
  }

  /** Leads, and a majority was heard from within an election timeout before `nowMs`. */
  hasQuorum(nowMs: number): boolean {
    this.#core.advanceTime(nowMs);
    return hasQuorum(this.#core);
  }

  /**
   * How long before `nowMs` this group last had a leader, as far as this member knows: 0 where it
   * leads itself with a quorum. Who is connected here for live reads had better go elsewhere when
   * this gets long.
   */
  silentMs(nowMs: number): number {
    const core = this.#core;
    core.advanceTime(nowMs);
    return hasQuorum(core) ? 0 : core.nowMs - lastContactMs(core);
  }

  /** Whom leadership is being handed over to. */
  get transferringTo(): MemberId | undefined {
    return this.#core.transfer?.to;
  }

  /** Are there entries for {@linkcode takeCommitted}? */
  get hasCommitted(): boolean {
    const { log } = this.#core;
    return Math.min(log.committed, log.stable) > log.taken;
  }

  /** Are there answers for {@linkcode takeReads}? */
  get hasReads(): boolean {
    return this.#core.reads.answered;
  }

  /** What a leader knows of another member; undefined on others. */
  progress(id: MemberId): MemberStatus | undefined {
    const core = this.#core;
    const progress = core.role === "leader" ? core.tracker.get(id) : undefined;
    return progress === undefined || id === core.id ? undefined : memberStatusOf(core, progress);
  }

  /**
   * Does a leader know that `id` keeps up: is it fed from the log, and does it hold all but the last
   * `entriesMax` entries? A learner is then ready to be a voter.
   */
  caughtUp(id: MemberId, entriesMax: number): boolean {
    const core = this.#core;
    const progress = core.role === "leader" ? core.tracker.get(id) : undefined;
    return progress !== undefined && progress.state === "replicate" && !progress.full &&
      core.log.last - progress.match <= entriesMax;
  }

  /** A description of the whole, for metrics. */
  status(): RaftStatus {
    return statusOf(this.#core);
  }
}

/** Adds a message that goes out; of acknowledgements that follow each other the highest will do. */
function addMessage<P extends Payload>(messages: Message<P>[], message: Message<P>): void {
  const last = messages[messages.length - 1];
  if (
    last?.type !== "append_ack" || message.type !== "append_ack" || last.to !== message.to ||
    last.term !== message.term
  ) {
    messages.push(message);
  } else if (message.match > last.match) {
    messages[messages.length - 1] = message;
  }
}
