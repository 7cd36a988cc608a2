/**
 * Log matching (paper, figure 3): if two logs hold an entry with the same index and term, they are
 * the same up to there. Seen where replicas write their logs, committed or not.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { RecordLog, RecordSpace, StoredGroup } from "../../../storage/types.ts";
import { Violation } from "../violation.ts";

/** What one entry is, as the first log that held it has it. */
interface Seen {
  readonly sum: number;
  /** Term of the entry before it; undefined where a RaftSnapshot stands there. */
  prevTerm: number | undefined;
}

/** One replica's log of one group, as far as it was written. */
export class ReplicaLog {
  /** Index that the log begins behind: that of a RaftSnapshot, or 0. */
  base = 0;
  /** Of the entries from `base + 1` on. */
  terms: number[] = [];
  term = 0;
  votedFor: string | undefined;

  /** Index of the last entry. */
  get last(): number {
    return this.base + this.terms.length;
  }

  /** Term of an entry; undefined where the log does not hold it. */
  termAt(index: number): number | undefined {
    return this.terms[index - this.base - 1];
  }
}

/** Looks on as replicas write entries, votes and marks. */
export class RaftLogs {
  /** What went wrong inside a call of the product. */
  failure: Violation | undefined;
  readonly #seen = new Map<string, Seen>();

  /**
   * Begins to look on.
   *
   * @param log where a replica writes
   * @param stored what it found there at its start
   * @returns its logs by group, kept up to date
   */
  attach(
    log: RecordLog,
    stored: ReadonlyMap<number, StoredGroup> | undefined,
  ): ReadonlyMap<number, ReplicaLog> {
    const logs = new Map<number, ReplicaLog>();
    const of = (group: number) => {
      let found = logs.get(group);
      if (found === undefined) logs.set(group, found = new ReplicaLog());
      return found;
    };
    for (const [group, found] of stored ?? []) this.#recover(group, of(group), found);
    const { sealEntry, putHardState, putSnapshotMark } = log;
    log.sealEntry = (space, group, index, term, kind) => {
      sealEntry.call(log, space, group, index, term, kind);
      this.#noticed(() => this.#entry(group, of(group), index, term, sumOf(kind, space)));
    };
    log.putHardState = (group, term, votedFor) => {
      putHardState.call(log, group, term, votedFor);
      this.#noticed(() => vote(group, of(group), term, votedFor));
    };
    log.putSnapshotMark = (group, index, term, replaces) => {
      putSnapshotMark.call(log, group, index, term, replaces);
      cover(of(group), index, replaces === true);
    };
    return logs;
  }

  #recover(group: number, log: ReplicaLog, stored: StoredGroup): void {
    const first = stored.entries[0]?.index ?? stored.snapshotIndex + 1;
    log.base = first - 1;
    log.term = stored.term;
    log.votedFor = stored.votedFor;
    for (const { index, term, kind, payload } of stored.entries) {
      if (!this.#seen.has(nameOf(group, index, term))) {
        throw wrong(group, `found entry ${index} of term ${term}, which nobody wrote`);
      }
      this.#entry(group, log, index, term, sumOf(kind, payload));
    }
  }

  #entry(group: number, log: ReplicaLog, index: number, term: number, sum: number): void {
    if (index <= log.base || index > log.last + 1) {
      if (log.terms.length > 0 || log.base > 0) {
        throw wrong(group, `entry ${index} follows ${log.base}..${log.last}`);
      }
      log.base = index - 1;
    }
    log.terms.length = index - log.base - 1;
    const prevTerm = index === 1 ? 0 : log.termAt(index - 1);
    if (term > log.term) throw wrong(group, `entry ${index} of term ${term} in term ${log.term}`);
    if (prevTerm !== undefined && prevTerm > term) {
      throw wrong(group, `entry ${index} of term ${term} follows one of term ${prevTerm}`);
    }
    log.terms.push(term);
    const name = nameOf(group, index, term);
    const seen = this.#seen.get(name);
    if (seen === undefined) return void this.#seen.set(name, { sum, prevTerm });
    if (seen.sum !== sum) throw wrong(group, `there are two entries ${index} of term ${term}`);
    if (prevTerm === undefined) return;
    seen.prevTerm ??= prevTerm;
    if (seen.prevTerm !== prevTerm) {
      const terms = `${seen.prevTerm} and ${prevTerm}`;
      throw wrong(group, `entry ${index} of term ${term} follows entries of terms ${terms}`);
    }
  }

  /** What goes wrong inside the product's call must not be the product's to handle. */
  #noticed(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.failure ??= error;
    }
  }
}

function vote(group: number, log: ReplicaLog, term: number, votedFor: string | undefined): void {
  if (term < log.term) throw wrong(group, `term ${term} follows term ${log.term}`);
  const before = term === log.term ? log.votedFor : undefined;
  if (before !== undefined && votedFor !== before) {
    throw wrong(group, `in term ${term} a vote went to ${before} and to ${votedFor}`);
  }
  log.term = term;
  log.votedFor = votedFor;
}

/** A RaftSnapshot stands for everything up to `index`, or for the whole log. */
function cover(log: ReplicaLog, index: number, replaces: boolean): void {
  if (index <= log.base) return;
  if (replaces || index >= log.last) log.terms = [];
  else log.terms.splice(0, index - log.base);
  log.base = index;
}

function nameOf(group: number, index: number, term: number): string {
  return `${group} ${index} ${term}`;
}

function sumOf(kind: string, { slab, start, end }: RecordSpace): number {
  return crc32(slab.bytes.subarray(start, end), crc32(kind));
}

function wrong(group: number, detail: string): Violation {
  return new Violation("logs", `group ${group}: ${detail}`);
}
