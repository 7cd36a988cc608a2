/** Waits for as long as there is progress, and so long beyond. */
export class Patience {
  readonly #ms: number;
  #best: number[] = [];
  #sinceMs: number | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** How long the last progress may lie back, in ms. */
  get ms(): number {
    return this.#ms;
  }

  /** Is it over? A figure that is higher than ever before is progress. */
  isOver(nowMs: number, figures: readonly number[] = []): boolean {
    let better = this.#sinceMs === undefined;
    for (const [at, figure] of figures.entries()) {
      const best = this.#best[at];
      if (best !== undefined && figure <= best) continue;
      this.#best[at] = figure;
      better = true;
    }
    if (better) this.#sinceMs = nowMs;
    return nowMs - (this.#sinceMs ?? nowMs) >= this.#ms;
  }
}
