import type { LogLine } from "../io/mod.ts";
/** Who keeps bytes. */
export interface Keeper {
  /** How many. */
  readonly keptBytes: number;
  /** Lets all of them go, and has to do without. */
  breakOff(reason: string): void;
}

/** Trimmed bytes that bootstraps may keep on a node, shared out to its shards (SPEC section 6). */
export const KEPT_BYTES_MAX = 64 * 1024 * 1024;

/** What the bootstraps of a shard keep in memory of what was trimmed meanwhile, and its bound. */
export class KeptBytes {
  /** At most so many. */
  readonly bytesMax: number;
  /** As many as there are. */
  bytes = 0;
  /** How many bootstraps were broken off because of the bound. */
  brokenOff = 0;
  /** The oldest first. */
  readonly #keepers = new Set<Keeper>();
  readonly #log: LogLine;

  /** @param log takes lines for the operator */
  constructor(bytesMax: number = KEPT_BYTES_MAX, log: LogLine = () => {}) {
    this.bytesMax = bytesMax;
    this.#log = log;
  }

  /** Takes note of who may keep something. */
  add(keeper: Keeper): void {
    this.#keepers.add(keeper);
  }

  /** Forgets who keeps nothing any more. */
  remove(keeper: Keeper): void {
    this.#keepers.delete(keeper);
  }

  /** Breaks off the oldest of those who keep anything, as long as all keep too much together. */
  bound(): void {
    for (const keeper of this.#keepers) {
      if (this.bytes <= this.bytesMax) return;
      if (keeper.keptBytes === 0) continue;
      this.brokenOff++;
      this.#log(
        `a bootstrap breaks off: ${this.bytes} bytes that were trimmed are kept for all`,
        "warn",
      );
      keeper.breakOff("too much of what it still needs was trimmed meanwhile");
    }
  }
}
