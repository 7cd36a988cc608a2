import type { Clock } from "../io/mod.ts";

/**
 * Group time (SPEC section 3, TTL): what commands are stamped with, in ms since the Unix epoch.
 *
 * It goes on from the last committed stamp by the monotonic clock, and further only to a wall clock
 * that the caller vouches for, so that one that jumps while the node runs expires nothing.
 */
export class GroupTime {
  readonly #clock: Clock;
  #offset: number;
  #last: number;
  #known: boolean;

  constructor(clock: Clock, lastStampMs: number) {
    this.#clock = clock;
    this.#last = lastStampMs;
    this.#known = lastStampMs > 0;
    this.#offset = lastStampMs - clock.monotonicMs();
  }

  /** Whether anything has ever said what time it is; until then it passes for 1970. */
  get known(): boolean {
    return this.#known;
  }

  /**
   * The time now; never before an earlier answer.
   *
   * @param monotonicMs what the monotonic clock says, where the caller has just read it
   */
  now(monotonicMs: number = this.#clock.monotonicMs()): number {
    const now = Math.floor(this.#offset + monotonicMs);
    if (now > this.#last) this.#last = now;
    return this.#last;
  }

  /** An entry with this stamp was applied: time is at least that. */
  observe(stampMs: number): void {
    if (stampMs <= this.#last) return;
    this.#known = true;
    this.#last = stampMs;
    this.#offset = Math.max(this.#offset, stampMs - this.#clock.monotonicMs());
  }

  /** Goes on to the wall clock's time where that is later; never back. */
  follow(wallMs: number): void {
    this.#known = true;
    this.#offset = Math.max(this.#offset, wallMs - this.#clock.monotonicMs());
  }
}
