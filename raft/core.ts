import type { RaftConfig } from "./config.ts";
import { quorumMs } from "./contact.ts";
import { invariant } from "./invariant.ts";
import { Log } from "./log/log.ts";
import { isVoter } from "./membership.ts";
import type { Message } from "./messages.ts";
import { Outbox } from "./outbox.ts";
import { ReadQueue } from "./read_queue.ts";
import { Tracker } from "./tracker/tracker.ts";
import type { HardState, MemberId, Membership, Payload } from "./types.ts";

/** Roles of a member (paper §5.1), and the one before a candidate's (dissertation §9.6). */
export type Role = "follower" | "pre_candidate" | "candidate" | "leader";

/**
 * How far election timeouts spread, in election timeouts. Two members that campaign at once are told
 * apart by rank, so it need not be the paper's 1, and groups are sooner led again.
 */
const ELECTION_SPREAD = 0.6;

/** How slow a disk a candidate waits for at most, in election timeouts: votes may be lost, too. */
const DISKS_PATIENCE = 8;

/** Entries of a follower that left memory, to be read back from the journal. */
export interface Fetch {
  /** The follower that lacks them. */
  readonly to: MemberId;
  /** First index wanted. */
  readonly from: number;
  /** Last index wanted; fewer entries, from the front, will do. */
  readonly through: number;
  /** About as many bytes will do. */
  readonly bytesMax: number;
}

/**
 * The state that all parts of the core work on, and the steps between roles. Not exported from the
 * room: callers see {@linkcode Raft}.
 */
export class Core<P extends Payload> {
  readonly config: RaftConfig<P>;
  readonly id: MemberId;
  readonly log: Log<P>;
  readonly outbox: Outbox<P>;
  readonly tracker: Tracker;
  readonly reads: ReadQueue;

  term: number;
  votedFor: MemberId | undefined;
  /** The highest term that is durable here; this member votes and leads aloud in no later one. */
  stableTerm: number;
  /** The vote that is durable with it. */
  stableVote: MemberId | undefined;
  /** When term or vote moved last, and when that was durable. */
  promisedMs = -Infinity;
  keptMs = -Infinity;
  role: Role = "follower";
  leader: MemberId | undefined = undefined;

  /** Latest time that the caller told. */
  nowMs: number;
  /** When this life began: no vote before an election timeout is over. */
  readonly startedMs: number;
  /**
   * When a leader was last heard from, of whatever term: no vote within an election timeout after
   * (paper §6, last paragraph). Leases rest on it, so nothing ever moves it back.
   */
  heardMs: number;
  electionDueMs = 0;
  /** Until when it led with a majority behind it, in any term. */
  ledMs = -Infinity;
  /** Campaigns since a leader was last heard from, and when the latest began. */
  attempts = 0;
  campaignedMs = -Infinity;

  /** Votes of the election under way. */
  readonly votes = new Map<MemberId, boolean>();

  // A leader's own.
  heartbeatDueMs = 0;
  quorumDueMs = 0;
  /** Send heartbeats with the next ready. */
  heartbeatWanted = false;
  /** Look for appends to send with the next ready. */
  replicationWanted = false;
  /** An entry of this term is committed. */
  committedInTerm = false;
  uncommittedBytes = 0;
  /** The newest membership whose commit was acted on. */
  settledMembershipIndex = -1;
  /** Members that left still have to be told. */
  pruneWanted = false;
  transfer: { readonly to: MemberId; readonly dueMs: number; asked: boolean } | undefined =
    undefined;
  leaseUntilMs = -Infinity;
  /** No lease in the rest of this term: a request to take over may still be on its way. */
  leaseVoid = false;
  fetches: Fetch[] = [];

  /** A follower's room for entries. */
  accepting = true;

  /** Leaves it to others to campaign first. */
  reluctant = false;
  /** One of the others has tried since a leader was last heard from, and lacks this member's log. */
  isNeeded = false;

  constructor(config: RaftConfig<P>) {
    this.config = config;
    this.id = config.id;
    this.log = new Log(config.snapshot, config.entries);
    this.outbox = new Outbox(this.log);
    this.tracker = new Tracker(config.id, config.inflightEntriesMax, config.inflightBytesMax);
    this.reads = new ReadQueue(Math.floor(config.random() * 2 ** 30) * 2 ** 20);
    this.term = this.stableTerm = config.hardState.term;
    this.votedFor = this.stableVote = config.hardState.votedFor;
    this.nowMs = this.startedMs = this.heardMs = config.nowMs;
    this.resetElectionTimer();
  }

  /** The newest membership in the log. */
  get membership(): Membership {
    return this.log.memberships.latest;
  }

  /**
   * May this member campaign? Not while its state is being replaced. One that voted until a
   * membership that is not known to be committed may: the others can need its log to get there
   * (dissertation §4.2.2).
   */
  get promotable(): boolean {
    const { log } = this;
    return !log.installing &&
      (isVoter(this.membership, this.id) || log.memberships.votedSince(log.committed, this.id));
  }

  /**
   * When to campaign, or to see whether to. Not while a promise is on its way to the disk: it would
   * be another one on top of it, and no disk would ever be done.
   */
  get campaignDueMs(): number {
    return this.isPromiseStable ? this.electionDueMs : Infinity;
  }

  /** Takes over the caller's time; it never goes back. */
  advanceTime(nowMs: number): void {
    if (nowMs > this.nowMs) this.nowMs = nowMs;
  }

  /** Draws the next election's time. */
  resetElectionTimer(): void {
    const timeout = this.config.electionTimeoutMs;
    this.electionDueMs = this.nowMs + timeout * (1 + ELECTION_SPREAD * this.config.random());
  }

  /** Draws when to try again after a campaign that did not succeed: soon at first, then less so. */
  retrySoon(): void {
    const pause = this.config.electionTimeoutMs / 16 * 2 ** Math.min(this.attempts, 4);
    const dueMs = this.nowMs + pause * (1 + this.config.random());
    if (dueMs < this.electionDueMs) this.electionDueMs = dueMs;
  }

  /** Lets somebody else try first. */
  stepAside(): void {
    const dueMs = this.nowMs + this.config.electionTimeoutMs / 8;
    if (dueMs > this.electionDueMs) this.electionDueMs = dueMs;
  }

  /** Moves term and vote, which must be durable before anyone relies on them. */
  setHardState(term: number, votedFor: MemberId | undefined): void {
    if (term === this.term && votedFor === this.votedFor) return;
    invariant(term >= this.term, "terms ascend");
    this.term = term;
    this.votedFor = votedFor;
    this.promisedMs = this.nowMs;
    this.outbox.saveHardState({ term, votedFor });
  }

  /** Are term and vote, as they are now, durable? */
  get isPromiseStable(): boolean {
    return this.stableTerm === this.term && this.stableVote === this.votedFor;
  }

  /**
   * A term and vote are durable. What the disk took does not count against an election: nobody was
   * asked meanwhile, or answered. A candidate also waits for others' disks, which are as slow as its
   * own, it assumes, and may be writing something else when they are asked.
   */
  hardStateIsStable({ term, votedFor }: HardState): void {
    this.stableTerm = term;
    this.stableVote = votedFor;
    if (!this.isPromiseStable) return;
    this.keptMs = this.nowMs;
    if (this.leader !== undefined) return;
    const tookMs = this.keptMs - this.promisedMs;
    this.electionDueMs += tookMs;
    if (this.role !== "candidate") return;
    this.electionDueMs += 2 * Math.min(tookMs, DISKS_PATIENCE * this.config.electionTimeoutMs);
  }

  #setLeader(leader: MemberId | undefined): void {
    if (this.leader === leader) return;
    this.leader = leader;
    this.reads.refuseForwarded();
  }

  /** Follows `leader`, or nobody yet, in `term`. */
  becomeFollower(term: number, leader: MemberId | undefined): void {
    if (this.role === "leader") {
      this.ledMs = quorumMs(this);
      this.tracker.clear();
      this.reads.refuseAsked();
      this.transfer = undefined;
      this.fetches = [];
      this.heartbeatWanted = this.replicationWanted = this.pruneWanted = false;
    }
    this.role = "follower";
    this.votes.clear();
    this.setHardState(term, term > this.term ? undefined : this.votedFor);
    this.#setLeader(leader);
    this.resetElectionTimer();
  }

  /** Asks around before it raises its term. */
  becomePreCandidate(): void {
    this.role = "pre_candidate";
    this.votes.clear();
    this.#setLeader(undefined);
    this.attempts++;
    this.campaignedMs = this.nowMs;
    this.electionDueMs = Infinity;
    this.retrySoon();
  }

  /** Stands for election in the next term. */
  becomeCandidate(): void {
    this.role = "candidate";
    this.votes.clear();
    this.setHardState(this.term + 1, this.id);
    this.#setLeader(undefined);
    this.resetElectionTimer();
  }

  /** Won the election. The caller appends the first entry. */
  becomeLeader(): void {
    this.role = "leader";
    this.attempts = 0;
    this.votes.clear();
    this.#setLeader(this.id);
    this.tracker.clear();
    this.tracker.configure(this.membership, this.log.last + 1, this.nowMs);
    this.tracker.self.match = this.log.stable;
    this.tracker.self.full = !this.accepting;
    this.committedInTerm = false;
    this.uncommittedBytes = this.log.bytesBetween(this.log.committed, this.log.last);
    this.settledMembershipIndex = -1;
    this.leaseUntilMs = -Infinity;
    this.leaseVoid = false;
    this.heartbeatDueMs = this.nowMs + this.config.heartbeatIntervalMs;
    this.quorumDueMs = this.nowMs + this.config.electionTimeoutMs;
    this.heartbeatWanted = true;
  }

  /** A leader of this term spoke. */
  heard(leader: MemberId): void {
    invariant(this.role !== "leader", "one leader a term");
    if (this.role !== "follower" || this.leader !== leader) this.becomeFollower(this.term, leader);
    this.heardMs = this.nowMs;
    this.attempts = 0;
    this.isNeeded = false;
    this.resetElectionTimer();
  }

  /** Sends with the next ready. */
  send(message: Message<P>): void {
    this.outbox.send(message);
  }
}
