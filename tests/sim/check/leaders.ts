/**
 * Election safety and leader completeness (paper, figure 3): a term has at most one leader, and a
 * leader's log holds whatever was committed before its term.
 *
 * @module
 */

import { Violation } from "../violation.ts";
import type { ReplicaLog } from "./raft_logs.ts";

/** What a replica says of itself. */
export interface ReplicaReport {
  readonly group: number;
  /** Node and store. */
  readonly member: string;
  readonly term: number;
  readonly isLeader: boolean;
  readonly commitIndex: number;
  /** What it has written; undefined while it is about to write something else. */
  readonly log: ReplicaLog | undefined;
}

/** An entry that some replica takes for committed. */
interface Committed {
  readonly term: number;
  /** The earliest term in which a replica knew it for committed. */
  knownIn: number;
}

/** What was seen of one group. */
interface GroupHistory {
  /** By term. */
  readonly leaders: Map<number, { readonly member: string; isComplete: boolean }>;
  /** By index. */
  readonly committed: Map<number, Committed>;
  /** By member: what it has committed, and how far that was looked at. */
  readonly looked: Map<string, { commitIndex: number; checked: number }>;
  maxCommitted: number;
  maxTerm: number;
}

/** Hears from every replica, again and again. */
export class Leaders {
  readonly #groups = new Map<number, GroupHistory>();

  /**
   * Takes a replica's report.
   *
   * @returns whether the replica has begun to lead
   * @throws Violation
   */
  look(report: ReplicaReport): boolean {
    const history = this.#of(report.group);
    const begins = report.isLeader && this.#lead(history, report);
    this.#commit(history, report);
    return begins;
  }

  /** A process has ended: its successor says again what it knows. */
  forget(member: string): void {
    for (const { looked } of this.#groups.values()) looked.delete(member);
  }

  /** The highest index that any replica of the group took for committed. */
  committed(group: number): number {
    return this.#of(group).maxCommitted;
  }

  /** The latest term of which an entry is committed; 0 before the first. */
  committedTerm(group: number): number {
    return this.#of(group).maxTerm;
  }

  #lead(history: GroupHistory, { group, member, term, log }: ReplicaReport): boolean {
    let leader = history.leaders.get(term);
    const begins = leader === undefined;
    if (leader === undefined) {
      history.leaders.set(term, leader = { member, isComplete: false });
    } else if (leader.member !== member) {
      throw wrong(group, `term ${term} has two leaders, ${leader.member} and ${member}`);
    }
    if (log === undefined || leader.isComplete) return begins;
    leader.isComplete = true;
    for (const [index, entry] of history.committed) {
      if (entry.knownIn >= term || index <= log.base || log.termAt(index) === entry.term) continue;
      const has = log.termAt(index) ?? "none";
      throw wrong(
        group,
        `${member} leads term ${term} without entry ${index} of term ${entry.term}, ` +
          `committed by term ${entry.knownIn}; its own is of term ${has}`,
      );
    }
    return begins;
  }

  #commit(history: GroupHistory, report: ReplicaReport): void {
    const { group, member, term, commitIndex, log } = report;
    let looked = history.looked.get(member);
    if (looked === undefined) {
      history.looked.set(member, looked = { commitIndex: 0, checked: 0 });
    }
    if (looked.commitIndex > commitIndex) {
      throw wrong(group, `${member} had committed ${looked.commitIndex}, then ${commitIndex}`);
    }
    looked.commitIndex = commitIndex;
    history.maxCommitted = Math.max(history.maxCommitted, commitIndex);
    if (log === undefined || looked.checked === commitIndex) return;
    for (let index = Math.max(looked.checked, log.base) + 1; index <= commitIndex; index++) {
      const own = log.termAt(index);
      if (own === undefined) throw wrong(group, `${member} has committed ${index} without it`);
      const known = history.committed.get(index);
      history.maxTerm = Math.max(history.maxTerm, own);
      if (known === undefined) {
        history.committed.set(index, { term: own, knownIn: term });
      } else if (known.term !== own) {
        throw wrong(group, `entry ${index} was committed in terms ${known.term} and ${own}`);
      } else {
        known.knownIn = Math.min(known.knownIn, term);
      }
    }
    looked.checked = commitIndex;
  }

  #of(group: number): GroupHistory {
    let history = this.#groups.get(group);
    if (history === undefined) {
      const [leaders, committed, looked] = [new Map(), new Map(), new Map()];
      history = { leaders, committed, looked, maxCommitted: 0, maxTerm: 0 };
      this.#groups.set(group, history);
    }
    return history;
  }
}

function wrong(group: number, detail: string): Violation {
  return new Violation("leaders", `group ${group}: ${detail}`);
}
