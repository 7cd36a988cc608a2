/**
 * What happened in a run, as lines and as one hash over all of them.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { SimClock } from "./clock.ts";
import type { SimDisk } from "./disk.ts";

/** Lines that are kept for the report of a failure. */
const LINES_KEPT = 200;

/** The record of one run: two runs of a seed must give the same digest. */
export class Trace {
  readonly #clock: SimClock;
  readonly #print: ((line: string) => void) | undefined;
  readonly #hash = createHash("sha256");
  readonly #lines: string[] = [];

  /** @param print takes every line as it comes, where somebody wants to read along */
  constructor(clock: SimClock, print?: (line: string) => void) {
    this.#clock = clock;
    this.#print = print;
  }

  /** Adds a line, under the time of the run. */
  line(text: string): void {
    const line = `${this.#clock.monotonicMs().toFixed(3).padStart(10)} ${text}`;
    this.#lines.push(line);
    if (this.#lines.length === 2 * LINES_KEPT) {
      this.#hash.update(this.#lines.splice(0, LINES_KEPT).join("\n"));
    }
    this.#print?.(line);
  }

  /** Adds all that a disk holds. */
  disk(disk: SimDisk): void {
    const hash = createHash("sha256");
    for (const path of disk.paths()) hash.update(path).update(disk.content(path));
    this.line(`disk ${hash.digest("hex")}`);
  }

  /** The last lines. */
  tail(): string[] {
    return this.#lines.slice(-LINES_KEPT);
  }

  /** The hash over all lines so far; the trace is over. */
  digest(): string {
    return this.#hash.update(this.#lines.join("\n")).digest("hex");
  }
}
