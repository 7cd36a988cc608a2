import type { Clock, Timer } from "../../io/mod.ts";

const NO_TIMER: Timer = { cancel() {} };

/** The clock of one process on a simulated machine: when that has died, nothing runs any more. */
export class ProcessClock implements Clock {
  readonly #machine: Clock;
  #dead = false;

  /** @param machine the clock of the machine that it runs on */
  constructor(machine: Clock) {
    this.#machine = machine;
  }

  /** Nothing that was set runs from now on. */
  kill(): void {
    this.#dead = true;
  }

  monotonicMs(): number {
    return this.#machine.monotonicMs();
  }

  wallMs(): number {
    return this.#machine.wallMs();
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#dead) return NO_TIMER;
    return this.#machine.setTimer(delayMs, () => {
      if (!this.#dead) callback();
    });
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }
}
