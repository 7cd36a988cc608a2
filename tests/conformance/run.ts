/**
 * Runs the official conformance suite, `npm:@durable-streams/server-conformance-tests`.
 *
 * ```sh
 * deno run -A tests/conformance/run.ts                  # all runs, which must all pass
 * deno run -A tests/conformance/run.ts --only cluster   # those whose name has this word
 * deno run -A tests/conformance/run.ts --against URL    # one run against a server that listens there
 * ```
 *
 * Passing means that exactly {@linkcode PASSED} tests passed and exactly the subscription tests were
 * skipped, by name: a run that silently ran fewer tests is a failure. Exit code 0 or 1.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { Cluster } from "../cluster/cluster.ts";
import { eventually } from "../http/expect.ts";
import { installSuite } from "./suite.ts";
import { RoundRobin } from "./round_robin.ts";
import { judge, summary, type Verdict } from "./verdict.ts";
import { runSuite, type Runtime } from "./vitest.ts";
import { startServer } from "../server.ts";

/** Whom of three nodes the suite talks to. */
type Entry =
  /** One that leads no group. */
  | "follower"
  /** A proxy that gives each request to the next node. */
  | "round robin";

/** One run: who runs vitest, and how the server is started. */
interface Run {
  readonly runtime: Runtime;
  readonly memory: boolean;
  readonly cores: number;
  /** A cluster of three; without it one server. */
  readonly entry?: Entry;
  /** Nothing stays in memory: reads find their bytes in objects. */
  readonly cold?: true;
}

const RUNS: readonly Run[] = [
  { runtime: "node", memory: true, cores: 1 },
  { runtime: "node", memory: false, cores: 2 },
  { runtime: "deno", memory: false, cores: 1, cold: true },
  { runtime: "deno", memory: true, cores: 2 },
  { runtime: "node", memory: false, cores: 1, entry: "follower" },
  { runtime: "node", memory: true, cores: 2, entry: "follower" },
  { runtime: "node", memory: true, cores: 1, entry: "round robin", cold: true },
  { runtime: "deno", memory: false, cores: 2, entry: "round robin", cold: true },
];

/** Runs at a time: each is a server and a vitest, and mostly waits. */
const PARALLEL_MAX = 2;

/** What `--long-poll-timeout` is set to, so that the tests that wait for it are quick. */
const LONG_POLL_TIMEOUT_MS = 500;

/** The default of `--long-poll-timeout`, for a server that we did not start. */
const LONG_POLL_TIMEOUT_DEFAULT_MS = 20_000;

/** How long the first node may take to lead the only group. */
const SETTLE_MS_MAX = 30_000;

function nameOf({ runtime, memory, cores, entry, cold }: Run): string {
  const parts = [runtime, memory ? "memory" : "disk", `${cores} core${cores === 1 ? "" : "s"}`];
  if (entry !== undefined) parts.push(`cluster, ${entry}`);
  if (cold) parts.push("all flushed");
  return parts.join(" · ");
}

function argsOf({ cold }: Run): string[] {
  const flushes = ["--cold-flush-bytes", "4KiB", "--cold-flush-min-hot-bytes", "1"];
  return [
    "--long-poll-timeout",
    `${LONG_POLL_TIMEOUT_MS}ms`,
    ...(cold ? [...flushes, "--cold-flush-interval-ms", "10"] : []),
  ];
}

async function conform(run: Run, folder: string): Promise<Verdict> {
  try {
    return run.entry === undefined
      ? await conformAlone(run, folder)
      : await conformCluster(run, folder);
  } catch (error) {
    return { name: nameOf(run), passed: 0, failed: 0, skipped: 0, problems: [String(error)] };
  }
}

async function conformAlone(run: Run, folder: string): Promise<Verdict> {
  const args = ["--core-count", String(run.cores), ...argsOf(run)];
  await using server = await startServer({ memory: run.memory, args });
  const report = await runSuite(folder, run.runtime, server.url, LONG_POLL_TIMEOUT_MS);
  const verdict = judge(nameOf(run), report);
  if (!server.alive) verdict.problems.push("the server ended during the run");
  if (verdict.problems.length > 0) verdict.serverLog = await server.stderr();
  return verdict;
}

async function conformCluster(run: Run, folder: string): Promise<Verdict> {
  await using cluster = await Cluster.start({
    memory: run.memory,
    cores: run.cores,
    // With one group there is a node that leads nothing at all.
    groups: run.entry === "follower" ? 1 : undefined,
    args: argsOf(run),
  });
  const suite = (url: string) => runSuite(folder, run.runtime, url, LONG_POLL_TIMEOUT_MS);
  let verdict: Verdict;
  if (run.entry === "follower") {
    // Whoever won the election gives the group to the node whose turn it is, which is the first.
    const isSettled = async () => await leaderOf(cluster) === 1;
    await eventually(isSettled, "node 1 leads the only group", SETTLE_MS_MAX);
    const follower = cluster.node(2);
    verdict = judge(nameOf(run), await suite(follower.url));
    const now = await leaderOf(cluster);
    if (now === follower.id) verdict.problems.push("the follower came to lead during the run");
  } else {
    await using proxy = RoundRobin.open(cluster.nodes.map(({ address }) => address));
    verdict = judge(nameOf(run), await suite(proxy.url));
    console.log(`  ${nameOf(run)}: ${proxy.counts.join(", ")} requests`);
  }
  for (const node of cluster.nodes) {
    if (!node.alive) verdict.problems.push(`node ${node.id} ended during the run`);
  }
  if (verdict.problems.length > 0) verdict.serverLog = await cluster.logs();
  return verdict;
}

/** The leader of the only group. */
async function leaderOf(cluster: Cluster): Promise<number | undefined> {
  const [group] = await cluster.node(1).groups();
  return group?.leader;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      against: { type: "string" },
      only: { type: "string", default: "" },
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
    const waiting = RUNS.filter((run) => nameOf(run).includes(values.only));
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

// Whoever is ended leaves no server behind: on its way out the process ends those that it started.
Deno.addSignalListener("SIGTERM", () => Deno.exit(1));
Deno.exit(await main());
