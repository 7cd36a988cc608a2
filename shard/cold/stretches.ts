import { type Clock, pause } from "../../io/mod.ts";

/** How long work may hold the event loop at a stretch. */
const STRETCH_MS = 2;

/** Cuts long work into stretches, between which the event loop has its turn. */
export class Stretches {
  readonly #clock: Clock;
  #sinceMs: number;

  /** The first stretch begins now. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Is it time to {@linkcode Stretches.rest}? */
  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#sinceMs >= STRETCH_MS;
  }

  /** Lets the event loop have its turn, then begins the next stretch. */
  async rest(): Promise<void> {
    await pause(this.#clock, 0);
    this.#sinceMs = this.#clock.monotonicMs();
  }
}
