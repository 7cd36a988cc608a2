/**
 * What a scenario is.
 *
 * @module
 */

import type { Budget, Verdict } from "../budgets.ts";
import type { Rounds, Sample } from "../samples.ts";

/** How a run was asked for. */
export interface Settings extends Rounds {
  /** Whole seconds of one measurement, after the warm-up. */
  seconds: number;
}

/** What a scenario found out. */
export interface Findings {
  samples: Sample[];
  verdicts: Verdict[];
}

/** One row of work, measured on all servers that take part in it. */
export interface Scenario {
  /** Its name on the command line. */
  name: string;
  /** What is measured, in a line. */
  about: string;
  run(settings: Settings): Promise<Findings>;
}

/** Compares one figure of two samples. */
export function ratio(
  budget: Budget,
  figure: string,
  ours: Sample | undefined,
  peer: Sample | undefined,
): Verdict {
  for (const sample of [ours, peer]) {
    if (sample === undefined) return { budget, missing: "not measured" };
    if (sample.missing !== undefined) {
      return { budget, missing: `${sample.subject}: ${sample.missing}` };
    }
  }
  return { budget, value: (ours?.figures[figure] ?? NaN) / (peer?.figures[figure] ?? NaN) };
}
