/**
 * Counts of passed and failed tests, read off what a stage printed.
 *
 * @module
 */

import type { Tally } from "./stages.ts";

/** How many tests passed and failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

const DENO_TEST = /^(?:ok|FAILED) \| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed/;
const LINE = /^(\d+) passed, (\d+) failed$/;
// deno-lint-ignore no-control-regex -- colours begin with the escape character
const COLOUR = /\x1b\[[0-9;]*m/g;

/**
 * What came of a stage. One that exits with an error though it counted no failure has failed in some
 * other way, and one that counted nothing ran nothing: both count as one failure.
 */
export function countsOf(tally: Tally, output: string, success: boolean): Counts {
  if (tally === "exit") return success ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
  const pattern = tally === "line" ? LINE : DENO_TEST;
  let passed = 0;
  let failed = 0;
  for (const line of output.replace(COLOUR, "").split(/\r?\n/)) {
    const match = pattern.exec(line.trim());
    if (match !== null) [passed, failed] = [Number(match[1]), Number(match[2])];
  }
  if (failed === 0 && (!success || passed === 0)) failed = 1;
  return { passed, failed };
}
