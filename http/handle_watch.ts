import type { HandleUse } from "../io/machine.ts";
import type { Clock } from "../io/mod.ts";

/** Handles that clients are kept from, so that files and other nodes find some: at most so many, */
const RESERVE_MAX = 256;
/** and at most this part of all. */
const RESERVE_PART = 1 / 8;
/** How old what is said may be, in time and in answers: each may be worth a handle, in every shard. */
const LOOK_MS = 500;
const LOOK_ANSWERS = 4;
/** Looking takes at most this part of the time: it is slow where the system has to count. */
const LOOK_PART = 1 / 100;

/** Says whether the process is about to run out of file handles. It looks when it is asked. */
export class HandleWatch {
  readonly #clock: Clock;
  readonly #use: () => HandleUse | undefined;
  #scarce = false;
  #answers = 0;
  /** When it may look again, and when it has to. */
  #restedMs = -Infinity;
  #dueMs = -Infinity;

  /** @param use undefined where nobody tells; then they are never scarce */
  constructor(clock: Clock, use: () => HandleUse | undefined) {
    this.#clock = clock;
    this.#use = use;
  }

  /** Are there so few left that no client should take another one for long? */
  get scarce(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const isFresh = nowMs < this.#dueMs && ++this.#answers < LOOK_ANSWERS;
    if (isFresh || nowMs < this.#restedMs) return this.#scarce;
    const use = this.#use();
    this.#scarce = use !== undefined &&
      use.max - use.open < Math.min(RESERVE_MAX, use.max * RESERVE_PART);
    const endMs = this.#clock.monotonicMs();
    this.#restedMs = endMs + (endMs - nowMs) / LOOK_PART;
    this.#dueMs = endMs + LOOK_MS;
    this.#answers = 0;
    return this.#scarce;
  }
}
