/**
 * What `deno task test` runs, in order: quick checks first, whole servers last.
 *
 * @module
 */

/** How a stage tells what came of it. */
export type Tally =
  /** Its exit code: one check. */
  | "exit"
  /** The last line of `deno test`, `ok | 3 passed | 0 failed (5ms)`. */
  | "deno test"
  /** A line of its own, `3 passed, 0 failed`. */
  | "line";

/** One subprocess of Deno. */
export interface Stage {
  /** One word, to name on the command line. */
  readonly name: string;
  /** Arguments for the `deno` that runs this. */
  readonly args: readonly string[];
  /** File or folder that the stage stands on; a stage without it fails. */
  readonly entry: string;
  /** See {@linkcode Tally}. */
  readonly tally: Tally;
  /** Files that run at a time, where they do not run one by one. */
  readonly jobs?: number;
  /** After how long the stage is ended and counts as failed. */
  readonly minutesMax: number;
}

/** After how long everything must be done. */
export const TOTAL_MINUTES_MAX = 20;

/** Folders whose tests start whole servers or clusters, and so have stages of their own. */
const SERVERS = ["tests/http", "tests/crash"];
const CLUSTERS = ["tests/cluster", "tests/ctl"];

/**
 * Tests that hold the gaps in a cluster's writes against the clock: they want the cores for
 * themselves. All others run two files at a time.
 */
export const TIMED: readonly string[] = [
  "tests/cluster/admin_test.ts",
  "tests/cluster/catch_up_test.ts",
  "tests/cluster/kill_test.ts",
  "tests/cluster/large_append_test.ts",
  "tests/cluster/link_test.ts",
  "tests/cluster/memory_test.ts",
  "tests/cluster/pause_test.ts",
  "tests/cluster/stop_test.ts",
  "tests/cluster/wiped_test.ts",
  "tests/ctl/cluster_test.ts",
];

/** Tests run with every leak check that the runner has; types have a stage of their own. */
const TEST = [
  "test",
  "-A",
  "--no-check",
  "--sanitize-ops",
  "--sanitize-resources",
  "--trace-leaks",
];

/** The stages. */
export const STAGES: readonly Stage[] = [
  check("format", "deno.json", "fmt", "--check"),
  check("lint", "deno.json", "lint"),
  check("types", "deno.json", "check"),
  check("docs", "mod.ts", "doc", "--lint", "mod.ts", "ctl/mod.ts"),
  check("publish", "mod.ts", "publish", "--dry-run", "--allow-dirty"),
  {
    ...tests("unit", [".", "--parallel"], [...SERVERS, ...CLUSTERS, "tests/conformance/npm"]),
    jobs: 3,
  },
  {
    name: "sim",
    args: ["run", "-A", "tests/sim/run.ts", "--seeds", "300", "--jobs", "2"],
    entry: "tests/sim/run.ts",
    tally: "line",
    minutesMax: 6,
  },
  // One of three waits, mostly.
  { ...tests("servers", [...SERVERS, "--parallel"]), jobs: 3 },
  { ...tests("clusters", [...CLUSTERS, "--parallel"], TIMED), jobs: 2 },
  tests("failover", TIMED),
  {
    name: "conformance",
    args: ["run", "-A", "tests/conformance/run.ts"],
    entry: "tests/conformance/run.ts",
    tally: "line",
    minutesMax: 8,
  },
];

function tests(name: string, args: readonly string[], ignored: readonly string[] = []): Stage {
  return {
    name,
    args: [...TEST, ...(ignored.length === 0 ? [] : [`--ignore=${ignored.join(",")}`]), ...args],
    entry: "deno.json",
    tally: "deno test",
    minutesMax: 8,
  };
}

function check(name: string, entry: string, ...args: string[]): Stage {
  return { name, args, entry, tally: "exit", minutesMax: 3 };
}
