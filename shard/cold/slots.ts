/** Lets so many at a time do something; others wait in order. */
export class Slots {
  readonly #max: number;
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param max at a time */
  constructor(max: number) {
    this.#max = max;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when it is the caller's turn, who gives it back with {@linkcode Slots.free}. */
  take(): Promise<void> {
    if (this.#taken >= this.#max) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#taken++;
    return Promise.resolve();
  }

  /** The next one's turn. */
  free(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken--;
    else next();
  }
}
