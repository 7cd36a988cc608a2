/**
 * Runs the installed suite once with vitest, under Node or under Deno, and reads its JSON report.
 *
 * @module
 */

import { SUITE_FILE } from "./suite.ts";

/** Who executes vitest and the tests. */
export type Runtime = "node" | "deno";

/** What is used of vitest's JSON report. */
export interface Report {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly TestResult[];
  }[];
}

/** One test of a {@linkcode Report}. */
export interface TestResult {
  readonly fullName: string;
  readonly ancestorTitles: readonly string[];
  /** `passed`, `failed`, `skipped`, `pending` or `todo`. */
  readonly status: string;
  readonly failureMessages: readonly string[] | null;
}

/** A run that takes longer hangs: the suite itself takes half a minute. */
const RUN_MS_MAX = 300_000;

/** Runs the suite in `folder` against the server at `url`; throws when there is no report. */
export async function runSuite(
  folder: string,
  runtime: Runtime,
  url: string,
  longPollTimeoutMs: number,
): Promise<Report> {
  const reportPath = await Deno.makeTempFile({ prefix: "ursula-conformance-", suffix: ".json" });
  const args = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=json",
    `--outputFile=${reportPath}`,
    // The default of 5 s is short for a test of 100,000 assertions on a busy machine.
    "--testTimeout=60000",
    SUITE_FILE,
  ];
  try {
    const output = await new Deno.Command(runtime === "node" ? "node" : Deno.execPath(), {
      args: runtime === "node" ? args : ["run", "-A", ...args],
      cwd: folder,
      env: {
        URSULA_SUITE_URL: url,
        URSULA_SUITE_RUNTIME: runtime,
        URSULA_SUITE_LONG_POLL_MS: String(longPollTimeoutMs),
      },
      stdin: "null",
      signal: AbortSignal.timeout(RUN_MS_MAX),
    }).output();
    const report = await Deno.readTextFile(reportPath);
    if (report === "") {
      const text = new TextDecoder();
      throw new Error(
        `vitest under ${runtime} left no report (exit code ${output.code})\n` +
          text.decode(output.stdout) + text.decode(output.stderr),
      );
    }
    return JSON.parse(report) as Report;
  } finally {
    await Deno.remove(reportPath);
  }
}
