/**
 * Ways to break the core, each of which the simulation must notice: a checker that cannot fail
 * proves nothing.
 *
 * @module
 */

/** One rule left out. */
export interface Mutant {
  /** The rule, in words. */
  readonly without: string;
  /** Under `raft/`. */
  readonly file: string;
  /** A piece of that file that occurs once, and what stands there instead. */
  readonly from: string;
  readonly to: string;
  /** A seed that shows it, to be tried first. */
  readonly seed: number;
}

/** About leases and reads first, then about logs and votes. */
export const MUTANTS: readonly Mutant[] = [
  {
    without: "a lease counts from when heartbeats were sent",
    file: "leader.ts",
    from: "progress.ackedSentMs = message.sentMs",
    to: "progress.ackedSentMs = core.nowMs",
    seed: 59,
  },
  {
    without: "a lease ends a margin before the election timeout",
    file: "read_index.ts",
    from: "config.electionTimeoutMs - config.leaseDriftMs",
    to: "config.electionTimeoutMs",
    seed: 112,
  },
  {
    without: "a lease is void once a member was asked to take over",
    file: "transfer.ts",
    from: "core.leaseVoid = true;",
    to: "",
    seed: 124,
  },
  {
    without: "a lease is judged by a clock read after the question came",
    file: "raft.ts",
    from: `core.advanceTime(nowMs);
    if (core.role === "leader") askLeader(`,
    to: `if (core.role === "leader") askLeader(`,
    seed: 19,
  },
  {
    without: "nobody votes within an election timeout after having heard from a leader",
    file: "election.ts",
    from: "core.nowMs - core.heardMs < core.config.electionTimeoutMs",
    to: "core.nowMs - core.heardMs < core.config.electionTimeoutMs / 4",
    seed: 4,
  },
  {
    without: "the start of a life counts as having heard from a leader",
    file: "core.ts",
    from: "    this.resetElectionTimer();\n  }\n\n  /** The newest",
    to: "    this.heardMs = -1e9;\n    this.electionDueMs = this.nowMs;\n  }\n\n  /** The newest",
    seed: 0,
  },
  {
    without: "a new leader answers reads after the first commit of its term",
    file: "replication.ts",
    from: "core.committedInTerm ? log.committed : undefined",
    to: "log.committed",
    seed: 2,
  },
  {
    without: "a round confirms what was asked before it was sent",
    file: "read_queue.ts",
    from: "if (asked > round) break;",
    to: "if (asked > round + 1) break;",
    seed: 482,
  },
  {
    without: "a round wants a majority",
    file: "read_index.ts",
    from: "tracker.ackedRound,",
    to: "tracker.self.ackedRound,",
    seed: 6,
  },
  {
    without: "a follower's question is answered by its own answer",
    file: "read_queue.ts",
    from: "if (sent.id > id) break;",
    to: "if (sent.id > id + 2) break;",
    seed: 0,
  },
  {
    without: "only entries of its own term are counted by a leader",
    file: "commit.ts",
    from: "matched <= log.committed || log.term(matched) !== core.term",
    to: "matched <= log.committed",
    seed: 9,
  },
  {
    without: "an acknowledgement waits until its entries are durable",
    file: "follower.ts",
    from: "match <= core.log.stable && core.stableTerm === core.term",
    to: "core.stableTerm === core.term",
    seed: 0,
  },
  {
    without: "a leader counts itself once its write is durable",
    file: "raft.ts",
    from: "core.tracker.self.match = core.log.stable;",
    to: "core.tracker.self.match = core.log.last;",
    seed: 5,
  },
  {
    without: "votes go to logs that are up to date",
    file: "log/log.ts",
    from: "lastIndex >= this.last)",
    to: "lastIndex >= 0)",
    seed: 1,
  },
  {
    without: "both halves of a joint membership agree",
    file: "tracker/tracker.ts",
    from: "Math.min(majorityReached(this.#voters, read), majorityReached(this.#outgoing, read))",
    to: "majorityReached(this.#voters, read)",
    seed: 29,
  },
];
