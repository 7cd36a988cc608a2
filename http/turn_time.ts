import type { Clock } from "../io/mod.ts";

/**
 * The time, read once for all that happens in a turn of the event loop: reading the clock costs more
 * than all else that is done to time a request.
 */
export class TurnTime {
  readonly #clock: Clock;
  #turnMs = -1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The monotonic clock, in ms, as it was when this turn first asked. */
  get turnMs(): number {
    if (this.#turnMs >= 0) return this.#turnMs;
    this.#clock.defer(this.#endTurn);
    return this.#turnMs = this.#clock.monotonicMs();
  }

  /** The monotonic clock as it is now. */
  get nowMs(): number {
    return this.#clock.monotonicMs();
  }

  readonly #endTurn = (): void => {
    this.#turnMs = -1;
  };
}
