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
  /** Until when its only thread waits for something. */
  #busyUntilMs = -Infinity;

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

  /** The thread waits: when the call returns it is later, and nothing else has run. */
  block(ms: number): void {
    this.#busyUntilMs = this.monotonicMs() + ms;
  }

  monotonicMs(): number {
    return Math.max(this.#clock.monotonicMs(), this.#busyUntilMs);
  }

  wallMs(): number {
    return this.monotonicMs() + this.wallOffsetMs;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    let isCancelled = false;
    const run = () => {
      if (isCancelled) return;
      const leftMs = this.#leftMs();
      if (leftMs > 0) timer = this.#clock.setTimer(leftMs, run);
      else if (this.#held === undefined) callback();
      else this.#held.push(run);
    };
    let timer = this.#clock.setTimer(delayMs + this.#leftMs(), run);
    return {
      cancel() {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  #leftMs(): number {
    return this.monotonicMs() - this.#clock.monotonicMs();
  }

  defer(callback: () => void): void {
    this.setTimer(0, callback);
  }

  deferLast(callback: () => void): void {
    this.setTimer(0, () => this.setTimer(0, callback));
  }
}
