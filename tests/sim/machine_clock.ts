import type { Clock, Timer } from "../../io/mod.ts";
import type { SimClock } from "./clock.ts";

/**
 * The clock of one simulated machine. While the machine is paused time goes by and nothing runs:
 * what falls due waits, and comes all at once afterwards (as after SIGSTOP and SIGCONT).
 */
export class MachineClock implements Clock {
  readonly #clock: SimClock;
  /** What fell due during a pause; undefined while there is none. */
  #held: (() => void)[] | undefined;

  /** What the wall clock is ahead of the run's time; faults make it jump. */
  wallOffsetMs: number;

  /** @param clock of the run */
  constructor(clock: SimClock, wallOffsetMs: number) {
    this.#clock = clock;
    this.wallOffsetMs = wallOffsetMs;
  }

  /** Does nothing run at the moment? */
  get paused(): boolean {
    return this.#held !== undefined;
  }

  /** Lets nothing run from now on. */
  pause(): void {
    this.#held ??= [];
  }

  /** Lets run what fell due, one after the other, and what is to come. */
  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) this.#clock.setTimer(0, run);
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  wallMs(): number {
    return this.#clock.monotonicMs() + this.wallOffsetMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    let isCancelled = false;
    const run = () => {
      if (isCancelled) return;
      if (this.#held === undefined) callback();
      else this.#held.push(run);
    };
    const timer = this.#clock.setTimer(delayMs, run);
    return {
      cancel() {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }

  deferLast(callback: () => void): void {
    this.setTimer(0, () => this.setTimer(0, callback));
  }
}
