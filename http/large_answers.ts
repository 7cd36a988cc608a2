import type { Clock } from "../io/mod.ts";

/** Shorter answers need not wait for their turn. */
const LARGE_BYTES_MIN = 64 * 1024;
/** Bytes of large answers that begin to leave in one turn of the event loop. */
const TURN_BYTES_MAX = 3 * 1024 * 1024;

/**
 * Spreads large answers over turns of the event loop. When hundreds of clients ask for the same long
 * stretch at once, a turn that answered all of them would begin every answer before the first byte of
 * any is sent; those whose body is copied would take memory that the system must find first.
 */
export class LargeAnswers {
  readonly #clock: Clock;
  readonly #waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  #bytesLeft = TURN_BYTES_MAX;
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Undefined where an answer of that length may go now; else resolves when it may. */
  turn(bytes: number): Promise<void> | undefined {
    if (bytes < LARGE_BYTES_MIN) return undefined;
    if (!this.#scheduled) this.#schedule();
    if (this.#bytesLeft > 0 && this.#waiting.length === 0) {
      this.#bytesLeft -= bytes;
      return undefined;
    }
    return new Promise((go) => this.#waiting.push({ bytes, go }));
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#clock.defer(() => this.#next());
  }

  #next(): void {
    this.#scheduled = false;
    this.#bytesLeft = TURN_BYTES_MAX;
    let going = 0;
    for (const { bytes } of this.#waiting) {
      if (this.#bytesLeft <= 0) break;
      this.#bytesLeft -= bytes;
      going++;
    }
    if (going === 0) return;
    this.#schedule();
    for (const { go } of this.#waiting.splice(0, going)) go();
  }
}
