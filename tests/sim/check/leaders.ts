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
  /** What it has written; undefined where that is not known. */
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
  readonly leaders: Map<number, string>;
  /** By index. */
  readonly committed: Map<number, Committed>;
  /** By member: how far its commits were looked at, and in which term. */
  readonly looked: Map<string, { commitIndex: number; term: number }>;
  maxCommitted: number;
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
    const { committed, maxCommitted } = this.#of(group);
    return committed.get(maxCommitted)?.term ?? 0;
  }

  #lead(history: GroupHistory, { group, member, term, log }: ReplicaReport): boolean {
    const before = history.leaders.get(term);
    if (before === member) return false;
    if (before !== undefined) {
      throw wrong(group, `term ${term} has two leaders, ${before} and ${member}`);
    }
    history.leaders.set(term, member);
    if (log === undefined) return true;
    for (const [index, entry] of history.committed) {
      if (entry.knownIn >= term || index <= log.base || log.termAt(index) === entry.term) continue;
      const has = log.termAt(index) ?? "none";
      throw wrong(
        group,
        `${member} leads term ${term} without entry ${index} of term ${entry.term}, ` +
          `committed by term ${entry.knownIn}; its own is of term ${has}`,
      );
    }
    return true;
  }

  #commit(history: GroupHistory, report: ReplicaReport): void {
    const { group, member, term, commitIndex, log } = report;
    const before = history.looked.get(member);
    if (before !== undefined && before.commitIndex > commitIndex) {
      throw wrong(group, `${member} had committed ${before.commitIndex}, then ${commitIndex}`);
    }
    if (before?.commitIndex === commitIndex) return;
    history.looked.set(member, { commitIndex, term });
    history.maxCommitted = Math.max(history.maxCommitted, commitIndex);
    if (log === undefined) return;
    for (
      let index = Math.max(before?.commitIndex ?? 0, log.base) + 1;
      index <= commitIndex;
      index++
    ) {
      const own = log.termAt(index);
      if (own === undefined) throw wrong(group, `${member} has committed ${index} without it`);
      const known = history.committed.get(index);
      if (known === undefined) {
        history.committed.set(index, { term: own, knownIn: term });
      } else if (known.term !== own) {
        throw wrong(group, `entry ${index} was committed in terms ${known.term} and ${own}`);
      } else {
        known.knownIn = Math.min(known.knownIn, term);
      }
    }
  }

  #of(group: number): GroupHistory {
    let history = this.#groups.get(group);
    if (history === undefined) {
      history = { leaders: new Map(), committed: new Map(), looked: new Map(), maxCommitted: 0 };
      this.#groups.set(group, history);
    }
    return history;
  }
}

function wrong(group: number, detail: string): Violation {
  return new Violation("leaders", `group ${group}: ${detail}`);
}
