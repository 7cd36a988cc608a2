/**
 * The safety properties of the paper's figure 3, watched over all lives of all members.
 *
 * @module
 */

import type { Entry, MemberId, Ready } from "../mod.ts";
import type { Machine, Packet, Text } from "./machine.ts";

function content(entry: Entry<Text>): string {
  switch (entry.kind) {
    case "command":
      return entry.payload.text;
    case "noop":
      return "noop";
    case "membership":
      return JSON.stringify(entry.membership);
  }
}

/** Throws as soon as a property does not hold. */
export class SafetyChecker {
  readonly #leaders = new Map<number, MemberId>();
  /** By `index/term`: the entry and the term before it. */
  readonly #entries = new Map<string, string>();
  /** By index: term and content of what was committed. */
  readonly #committed: { term: number; content: string }[] = [];
  /** By index: the term of the leader that committed it, which may be later than the entry's. */
  readonly #committedIn: number[] = [];
  /** Each member's log as far as it was handed out, by index. */
  readonly #logs = new Map<MemberId, Entry<Text>[]>();

  /** The highest index that anybody knows to be committed. */
  committed = 0;

  /** A member begins a life with what its disk holds. */
  started(machine: Machine): void {
    const { snapshot, entries } = machine.disk;
    const log: Entry<Text>[] = [];
    for (const entry of entries) log[entry.index] = entry;
    this.#logs.set(machine.id, log);
    this.#know(snapshot.term, entries);
  }

  /** A ready was taken. Not yet part of any log that counts: a crash may take it back. */
  handed(machine: Machine, { snapshot, entries }: Ready<Text>): void {
    if (snapshot !== undefined) this.#logs.set(machine.id, []);
    const log = this.#logs.get(machine.id) ?? [];
    for (const entry of entries) {
      log.length = Math.min(log.length, entry.index);
      log[entry.index] = entry;
    }
  }

  /** Entries became durable on a disk. */
  written(machine: Machine, { entries }: Ready<Text>): void {
    const { disk } = machine;
    const first = entries[0]?.index;
    if (first === undefined) return;
    const before = disk.entries[first - disk.snapshot.index - 2] ?? disk.snapshot;
    this.#know(before.term, entries);
  }

  /** Entries went out to somebody. */
  sent({ message }: Packet): void {
    if (message.type === "append") this.#know(message.prevTerm, message.entries);
  }

  /** Log Matching: an index and term name one entry with one entry before it. */
  #know(termBefore: number, entries: readonly Entry<Text>[]): void {
    let before = termBefore;
    for (const entry of entries) {
      const key = `${entry.index}/${entry.term}`;
      const value = `${before} ${content(entry)}`;
      before = entry.term;
      const known = this.#entries.get(key);
      if (known === undefined) this.#entries.set(key, value);
      else if (known !== value) {
        throw new Error(`log matching: entry ${key} is "${known}" and "${value}"`);
      }
    }
  }

  /** Election Safety and Leader Completeness. */
  observe(machine: Machine): void {
    const { raft } = machine;
    this.committed = Math.max(this.committed, raft.commitIndex);
    // A sole voter leads at once. Until its term is durable nobody hears of it and nothing is
    // committed in it, so that a crash takes it back.
    if (raft.role !== "leader" || machine.disk.hardState.term !== raft.term) return;
    for (let i = this.#committedIn.length; i <= raft.commitIndex; i++) {
      this.#committedIn.push(raft.term);
    }
    const leader = this.#leaders.get(raft.term);
    if (leader === machine.id) return;
    if (leader !== undefined) {
      throw new Error(`election safety: ${leader} and ${machine.id} lead term ${raft.term}`);
    }
    this.#leaders.set(raft.term, machine.id);
    const log = this.#logs.get(machine.id) ?? [];
    for (let index = machine.disk.snapshot.index + 1; index < this.#committed.length; index++) {
      const committed = this.#committed[index];
      // Votes that arrive late can make a leader of a term older than the present one's.
      if (committed === undefined || (this.#committedIn[index] ?? Infinity) >= raft.term) continue;
      // A RaftSnapshot that is being installed counts as held.
      if (index < raft.status().firstIndex && log[index] === undefined) continue;
      if (log[index]?.term !== committed.term) {
        throw new Error(
          `leader completeness: ${machine.id} leads term ${raft.term} without ${index}`,
        );
      }
    }
  }

  /** State Machine Safety: nobody applies another entry at the same index. */
  applied(machine: Machine, entries: readonly Entry<Text>[]): void {
    for (const entry of entries) {
      const known = this.#committed[entry.index];
      const mine = { term: entry.term, content: content(entry) };
      if (known === undefined) this.#committed[entry.index] = mine;
      else if (known.term !== mine.term || known.content !== mine.content) {
        throw new Error(`state machine safety: ${machine.id} applies another entry ${entry.index}`);
      }
    }
  }

  /** A state must be what the committed commands up to `index` make of it. */
  stateAt(machine: Machine, index: number): void {
    let position = 0;
    for (let i = 1; i <= index; i++) {
      const entry = this.#committed[i];
      if (entry === undefined) throw new Error(`${machine.id} applied ${i}, which nobody else did`);
      if (!entry.content.startsWith("c")) continue;
      if (machine.state[position] !== entry.content) {
        throw new Error(`state of ${machine.id} differs at entry ${i}`);
      }
      position++;
    }
    if (position !== machine.state.length) throw new Error(`state of ${machine.id} is too long`);
  }
}
