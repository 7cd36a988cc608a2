import type { LogLine } from "../log_line.ts";
import type { ColdJob } from "./job.ts";

/** When rounds are gone, and what they consist of. */
export interface RoundsOptions {
  /** What is said of a round that failed: `cold sweep: …`. */
  readonly name: string;
  /** From the first look to the first round. */
  readonly firstMs: number;
  /** From the beginning of a round to the next one's. */
  readonly everyMs: number;
  /** A round; rejects where it could not be gone to its end. */
  readonly round: (signal: AbortSignal) => Promise<void>;
  readonly log: LogLine;
}

/** Goes the rounds of a job, one at a time; tells once of every streak of failures. */
export class Rounds implements ColdJob {
  readonly #options: RoundsOptions;
  readonly #stopping = new AbortController();
  #dueMs: number | undefined;
  #underWay: Promise<void> | undefined;
  #fails = false;

  /** Nothing happens before the first look. */
  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  look(nowMs: number): void {
    this.#dueMs ??= nowMs + this.#options.firstMs;
    if (nowMs < this.#dueMs || this.#underWay !== undefined) return;
    if (this.#stopping.signal.aborted) return;
    this.#dueMs = nowMs + this.#options.everyMs;
    this.#underWay = this.#go();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#underWay;
  }

  async #go(): Promise<void> {
    const { name, round, log } = this.#options;
    const { signal } = this.#stopping;
    try {
      await round(signal);
      this.#fails = false;
    } catch (reason) {
      if (!signal.aborted && !this.#fails) {
        this.#fails = true;
        log(
          `${name}: ${reason instanceof Error ? reason.message : reason}; goes on trying`,
          "warn",
        );
      }
    }
    this.#underWay = undefined;
  }
}
