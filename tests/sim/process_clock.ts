import type { Clock, CoreTime, Timer } from "../../io/mod.ts";

/** A simulated core is crowded for this long, then for as long it is not. */
const CROWDED_MS = 2_000;

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

  deferLast(callback: () => void): void {
    this.setTimer(0, () => this.setTimer(0, callback));
  }

  /** Of a thread that has no rest for some time, waiting for others, and then has its core to itself. */
  coreTime(): CoreTime {
    const nowMs = this.monotonicMs();
    const waves = Math.floor(nowMs / (2 * CROWDED_MS));
    const crowdedMs = waves * CROWDED_MS + Math.min(nowMs % (2 * CROWDED_MS), CROWDED_MS);
    return { ranMs: 0.3 * nowMs, waitedMs: 0.65 * crowdedMs };
  }
}
