/**
 * Runs the official conformance suite, `npm:@durable-streams/server-conformance-tests`.
 *
 * ```sh
 * deno run -A tests/conformance/run.ts                  # the four runs that must all pass
 * deno run -A tests/conformance/run.ts --against URL    # one run against a server that listens there
 * ```
 *
 * Passing means that exactly {@linkcode PASSED} tests passed and exactly the subscription tests were
 * skipped, by name: a run that silently ran fewer tests is a failure. Exit code 0 or 1.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { installSuite } from "./suite.ts";
import { judge, summary, type Verdict } from "./verdict.ts";
import { runSuite, type Runtime } from "./vitest.ts";
import { startServer } from "../server.ts";

/** One run: who runs vitest, and how the server is started. */
interface Run {
  readonly runtime: Runtime;
  readonly memory: boolean;
  readonly cores: number;
}

const RUNS: readonly Run[] = [
  { runtime: "node", memory: true, cores: 1 },
  { runtime: "node", memory: false, cores: 2 },
  { runtime: "deno", memory: false, cores: 1 },
  { runtime: "deno", memory: true, cores: 2 },
];

/** Runs at a time: each is a server and a vitest, and mostly waits. */
const PARALLEL_MAX = 2;

/** What `--long-poll-timeout` is set to, so that the tests that wait for it are quick. */
const LONG_POLL_TIMEOUT_MS = 500;

/** The default of `--long-poll-timeout`, for a server that we did not start. */
const LONG_POLL_TIMEOUT_DEFAULT_MS = 20_000;

async function conform(run: Run, folder: string): Promise<Verdict> {
  const name = `${run.runtime} · ${run.memory ? "memory" : "disk"} · ${run.cores} core${
    run.cores === 1 ? "" : "s"
  }`;
  const args = [
    "--core-count",
    String(run.cores),
    "--long-poll-timeout",
    `${LONG_POLL_TIMEOUT_MS}ms`,
  ];
  try {
    await using server = await startServer({ memory: run.memory, args });
    const report = await runSuite(folder, run.runtime, server.url, LONG_POLL_TIMEOUT_MS);
    const verdict = judge(name, report);
    if (!server.alive) verdict.problems.push("the server ended during the run");
    if (verdict.problems.length > 0) verdict.serverLog = await server.stderr();
    return verdict;
  } catch (error) {
    return { name, passed: 0, failed: 0, skipped: 0, problems: [String(error)] };
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      against: { type: "string" },
      runtime: { type: "string", default: "node" },
      "long-poll-timeout-ms": { type: "string", default: String(LONG_POLL_TIMEOUT_DEFAULT_MS) },
    },
  });
  const folder = await installSuite();
  const verdicts: Verdict[] = [];
  const note = (verdict: Verdict) => {
    verdicts.push(verdict);
    console.log(summary(verdict));
  };

  if (values.against !== undefined) {
    const runtime: Runtime = values.runtime === "deno" ? "deno" : "node";
    const url = values.against.replace(/\/$/, "");
    const wait = Number(values["long-poll-timeout-ms"]);
    note(judge(`${runtime} · ${url}`, await runSuite(folder, runtime, url, wait)));
  } else {
    const waiting = [...RUNS];
    const worker = async () => {
      for (let run = waiting.shift(); run !== undefined; run = waiting.shift()) {
        note(await conform(run, folder));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_MAX }, worker));
  }

  const passed = verdicts.reduce((sum, verdict) => sum + verdict.passed, 0);
  const failed = verdicts.reduce(
    (sum, verdict) => sum + Math.max(verdict.failed, verdict.problems.length > 0 ? 1 : 0),
    0,
  );
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

Deno.exit(await main());
