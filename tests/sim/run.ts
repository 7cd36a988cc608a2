/**
 * Runs many seeds: `deno run -A tests/sim/run.ts --seeds 200 [--from 1]`, or one of them again:
 * `--seed 123 [--verbose]`. With `--nodes 3` every run has so many; `--jobs 2` shares the seeds out
 * to so many processes. The last flag of a kind counts.
 *
 * @module
 */

import { runJobs } from "./jobs.ts";
import { simulate } from "./simulation.ts";

const PROGRESS_EVERY = 100;
/** A seed that takes longer is worth a look. */
const SLOW_MS = 10_000;

const FLAGS = "--seeds, --from, --seed, --nodes, --jobs, --verbose";

/** What the command line asks for. */
interface Wish {
  readonly first: number;
  readonly count: number;
  readonly verbose: boolean;
  readonly nodes: number | undefined;
  readonly jobs: number;
}

function parse(args: readonly string[]): Wish {
  let first = 1;
  let count = 200;
  let verbose = false;
  let nodes: number | undefined;
  let jobs = 1;
  for (let at = 0; at < args.length; at++) {
    const flag = args[at];
    if (flag === "--verbose") {
      verbose = true;
      continue;
    }
    const value = Number(args[++at]);
    if (!Number.isInteger(value) || value < 0) throw new Error(`${flag} takes a number`);
    if (flag === "--seeds") count = value;
    else if (flag === "--from") first = value;
    else if (flag === "--seed") [first, count] = [value, 1];
    else if (flag === "--nodes") nodes = value;
    else if (flag === "--jobs") jobs = value;
    else throw new Error(`unknown flag ${flag}; there are ${FLAGS}`);
  }
  return { first, count, verbose, nodes, jobs };
}

/** Errors that the product let fall to the ground. */
let stray: unknown;
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  stray ??= event.reason;
});

async function main(): Promise<number> {
  const { first, count, verbose, nodes, jobs } = parse(Deno.args);
  if (jobs > 1) {
    const flags = nodes === undefined ? [] : ["--nodes", `${nodes}`];
    const failed = await runJobs(jobs, first, count, flags);
    console.log(`${count - failed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  }
  const print = verbose ? (line: string) => console.log(line) : undefined;
  const beganMs = performance.now();
  let failed = 0;
  for (let seed = first; seed < first + count; seed++) {
    stray = undefined;
    const seedBeganMs = performance.now();
    const { failure, tail, digest } = await simulate(seed, { print, nodes });
    const reason = stray ?? failure;
    if (reason !== undefined) {
      failed++;
      if (!verbose && count === 1) console.log(tail.join("\n"));
      console.log(`seed ${seed} failed: ${reason instanceof Error ? reason.stack : reason}`);
      const also = nodes === undefined ? "" : ` --nodes ${nodes}`;
      console.log(`replay: deno task sim --seed ${seed}${also}`);
    } else if (verbose) {
      console.log(`digest ${digest}`);
    }
    const seedMs = performance.now() - seedBeganMs;
    if (seedMs > SLOW_MS) console.log(`seed ${seed} took ${(seedMs / 1000).toFixed(0)} s`);
    const done = seed - first + 1;
    if (done % PROGRESS_EVERY === 0) {
      const seconds = (performance.now() - beganMs) / 1000;
      console.log(`${done} seeds, ${failed} failed, ${seconds.toFixed(0)} s`);
    }
  }
  console.log(`${count - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

Deno.exit(await main());
