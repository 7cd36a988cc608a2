/**
 * Watches that reads are linearizable, whoever answers them and however.
 *
 * @module
 */

import type { MemberId, ReadAnswer } from "../mod.ts";
import type { SafetyChecker } from "./checker.ts";
import type { Machine } from "./machine.ts";

interface Asked {
  readonly id: MemberId;
  /** What anybody knew to be committed when the read was asked. */
  readonly committed: number;
}

/** Throws as soon as a read misses what was committed before it was asked. */
export class ReadChecker {
  readonly #checker: SafetyChecker;
  readonly #asked = new Map<number, Asked>();
  #contexts = 0;
  /** Answered at once by a lease, by a leader that asked around, and to followers. */
  leased = 0;
  confirmed = 0;
  forwarded = 0;

  constructor(checker: SafetyChecker) {
    this.#checker = checker;
  }

  /** Asks `machine`, whose clock stands at `nowMs`. */
  ask(machine: Machine, nowMs: number): void {
    const context = ++this.#contexts;
    const { committed } = this.#checker;
    this.#asked.set(context, { id: machine.id, committed });
    if (machine.raft.readIndex(context, nowMs) !== undefined) this.#asked.delete(context);
    for (const answer of machine.raft.takeReads()) {
      if (answer.context === context && answer.index !== undefined) this.leased++;
      this.answered(machine, answer);
    }
  }

  /** An answer came out of `machine`. */
  answered(machine: Machine, { context, index }: ReadAnswer): void {
    const asked = this.#asked.get(context);
    this.#asked.delete(context);
    if (asked === undefined) throw new Error(`read ${context} is answered twice, or was refused`);
    if (asked.id !== machine.id) throw new Error(`read ${context} is answered by ${machine.id}`);
    if (index === undefined) return;
    if (machine.raft.role === "leader") this.confirmed++;
    else this.forwarded++;
    if (index < asked.committed) {
      throw new Error(
        `linearizable read: ${machine.id} answers ${index} when ${asked.committed} was committed`,
      );
    }
    if (index > this.#checker.committed) {
      throw new Error(`linearizable read: ${machine.id} answers ${index}, which is not committed`);
    }
  }

  /** Who holds a lease knows of everything that is committed anywhere. */
  observe(machine: Machine, nowMs: number): void {
    const { raft } = machine;
    if (raft.role !== "leader" || raft.commitIndex >= this.#checker.committed) return;
    if (raft.hasLease(nowMs)) {
      throw new Error(
        `lease: ${machine.id} holds one and knows ${raft.commitIndex}, ` +
          `but ${this.#checker.committed} is committed`,
      );
    }
  }

  /** A member died: nobody waits for its answers. */
  died(id: MemberId): void {
    for (const [context, asked] of this.#asked) {
      if (asked.id === id) this.#asked.delete(context);
    }
  }
}
