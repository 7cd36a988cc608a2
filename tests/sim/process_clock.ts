import type { Clock, Timer } from "../../io/mod.ts";
import type { SimClock } from "./clock.ts";

const NO_TIMER: Timer = { cancel() {} };

/** The clock of one process on a simulated machine: when that has died, nothing runs any more. */
export class ProcessClock implements Clock {
  readonly #clock: SimClock;
  readonly #wallOffsetMs: () => number;
  #dead = false;

  /** @param wallOffsetMs what the machine's wall clock is ahead of `clock` now */
  constructor(clock: SimClock, wallOffsetMs: () => number) {
    this.#clock = clock;
    this.#wallOffsetMs = wallOffsetMs;
  }

  /** Nothing that was set runs from now on. */
  kill(): void {
    this.#dead = true;
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  wallMs(): number {
    return this.#clock.monotonicMs() + this.#wallOffsetMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#dead) return NO_TIMER;
    return this.#clock.setTimer(delayMs, () => {
      if (!this.#dead) callback();
    });
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }
}
