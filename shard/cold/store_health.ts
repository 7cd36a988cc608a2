import type { Random } from "../../io/mod.ts";
import { ColdError } from "../../storage/cold/mod.ts";
import type { LogLine } from "../log_line.ts";
import type { ColdCounters } from "./counters.ts";

/** After a first failure; doubled with each that follows. */
const PAUSE_MS = 100;
const PAUSE_MS_MAX = 30_000;

/** How long to wait after so many failures in a row, from 1: half of it is chance. */
export function pauseMs(failures: number, random: Random): number {
  const longest = Math.min(PAUSE_MS * 2 ** (failures - 1), PAUSE_MS_MAX);
  return longest * (0.5 + random.next() / 2);
}

/** Whether puts succeed; tells the operator when that changes. */
export class StoreHealth {
  #failing = false;

  constructor(
    private readonly store: string,
    private readonly counters: ColdCounters,
    private readonly log: LogLine,
  ) {}

  /** A put failed, and will be tried again. */
  failed(reason: unknown): void {
    this.counters.uploadFailures++;
    if (this.#failing) return;
    this.#failing = true;
    const text = reason instanceof ColdError
      ? reason.message
      : `${this.store}: ${reason instanceof Error ? reason.message : reason}`;
    this.log(`cold store ${text}; trying again, its bytes stay in memory`, "warn");
  }

  /** A put succeeded. */
  worked(): void {
    if (!this.#failing) return;
    this.#failing = false;
    this.log(`cold store ${this.store}: works again`);
  }
}
