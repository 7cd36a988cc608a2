/**
 * Judges a report of the suite: not only what failed, but whether everything that should run did.
 *
 * @module
 */

import type { Report, TestResult } from "./vitest.ts";

/** Tests of the suite (version as locked) that must pass. */
export const PASSED = 332;

/** Tests that are skipped: those of {@linkcode SKIPPED_GROUP} alone. */
export const SKIPPED = 6;

/** Subscriptions are a later step of the server; the suite skips them unless asked. */
export const SKIPPED_GROUP = "Reserved subscription APIs";

/** What came of one run. */
export interface Verdict {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why the run is a failure; empty when it is none. */
  readonly problems: string[];
  /** What the server wrote to standard error, where that may help. */
  serverLog?: string;
}

/** Counts a report and says what is wrong with it. */
export function judge(name: string, report: Report): Verdict {
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const of = (status: string) => tests.filter((test) => test.status === status);
  const passed = of("passed").length;
  const failed = of("failed");
  const skipped = tests.length - passed - failed.length;
  const problems = failed.map(failure);

  for (const file of report.testResults) {
    if (file.status !== "passed" && file.message !== "") problems.push(file.message);
  }
  for (const test of tests) {
    const ran = test.status === "passed" || test.status === "failed";
    if (!ran && test.ancestorTitles[0] !== SKIPPED_GROUP) {
      problems.push(`did not run (${test.status}): ${test.fullName}`);
    }
  }
  if (passed + failed.length !== PASSED || skipped !== SKIPPED) {
    problems.push(
      `${
        passed + failed.length
      } tests ran and ${skipped} were skipped; expected ${PASSED} and ${SKIPPED}`,
    );
  }
  return { name, passed, failed: failed.length, skipped, problems };
}

/** The verdict in words, a line and what explains it. */
export function summary(verdict: Verdict): string {
  const { name, passed, failed, skipped, problems, serverLog } = verdict;
  const head = `${problems.length === 0 ? "ok    " : "FAILED"} ${name}: ` +
    `${passed} passed, ${failed} failed, ${skipped} skipped`;
  const log = serverLog === undefined || serverLog === "" ? [] : [`server: ${serverLog.trimEnd()}`];
  return [head, ...[...problems, ...log].map((line) => `  ${line.replaceAll("\n", "\n    ")}`)]
    .join("\n");
}

function failure(test: TestResult): string {
  const message = test.failureMessages?.[0] ?? "";
  // The stack beyond the suite's own line is vitest's.
  return `${test.fullName}\n${message.split("\n").slice(0, 3).join("\n")}`;
}
