import type { MemberId } from "../raft/mod.ts";
import type { Outcome } from "../stream/mod.ts";
import type { Answer } from "./answers.ts";

/** A command whose fate is not known after this is answered `outcome_unknown`. */
const PATIENCE_MS = 5_000;

const UNKNOWN: Answer = { unavailable: "outcome_unknown" };

interface Waiter {
  readonly index: number;
  readonly term: number;
  readonly sinceMs: number;
  readonly done: (answer: Answer) => void;
}

/**
 * Who waits for which entry of the log, in the order of the log.
 *
 * An entry has succeeded when it is applied with the term that it was proposed in; it has surely
 * failed when its index is applied with another one.
 */
export class Waiters {
  #waiting: Waiter[] = [];
  /** Answered ones at the front, forgotten in bulk. */
  #answered = 0;

  /** Waits for what was proposed at `index`. */
  add(index: number, term: number, sinceMs: number, done: (answer: Answer) => void): void {
    const last = this.#waiting[this.#waiting.length - 1];
    // Another leader cut the log below its index, and may yet commit it from elsewhere.
    if (last !== undefined && last.index >= index) this.#giveUp((waiter) => waiter.index >= index);
    this.#waiting.push({ index, term, sinceMs, done });
  }

  /** The entry at `index` was applied; `outcome` undefined when no command of this replica's. */
  applied(
    index: number,
    term: number,
    outcome: Outcome | undefined,
    leader: MemberId | undefined,
  ): void {
    const waiter = this.#waiting[this.#answered];
    if (waiter === undefined || waiter.index > index) return;
    this.#answered++;
    if (waiter.index < index) {
      // Its index went by inside a RaftSnapshot.
      waiter.done(UNKNOWN);
      return this.applied(index, term, outcome, leader);
    }
    if (waiter.term === term && outcome !== undefined) waiter.done(outcome);
    else waiter.done({ unavailable: "not_leader", leader });
  }

  /** Forgets who was answered; to be called after a run of {@linkcode Waiters.applied}. */
  settle(): void {
    if (this.#answered === 0) return;
    this.#waiting = this.#answered === this.#waiting.length
      ? []
      : this.#waiting.slice(this.#answered);
    this.#answered = 0;
  }

  /** Gives up who has waited for too long: no majority answers. */
  expire(nowMs: number): void {
    const oldest = this.#waiting[0];
    if (oldest === undefined || nowMs - oldest.sinceMs < PATIENCE_MS) return;
    this.#giveUp((waiter) => nowMs - waiter.sinceMs >= PATIENCE_MS);
  }

  /** Gives up everybody: what becomes of their entries can't be learnt here. */
  giveUpAll(): void {
    this.#giveUp(() => true);
  }

  #giveUp(hopeless: (waiter: Waiter) => boolean): void {
    const waiting = this.#waiting.slice(this.#answered);
    this.#answered = 0;
    this.#waiting = waiting.filter((waiter) => !hopeless(waiter));
    for (const waiter of waiting) if (hopeless(waiter)) waiter.done(UNKNOWN);
  }
}
