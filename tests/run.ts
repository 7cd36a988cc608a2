/**
 * Runs every check and every suite, and counts.
 *
 * ```sh
 * deno run -A tests/run.ts             # everything
 * deno run -A tests/run.ts unit http   # these stages
 * ```
 *
 * The last line is `N passed, N failed`; the exit code is 0 when nothing failed.
 *
 * @module
 */

import { type Counts, countsOf } from "./gate/counts.ts";
import { type Stage, STAGES, TOTAL_MINUTES_MAX } from "./gate/stages.ts";

interface Row extends Counts {
  readonly name: string;
  readonly seconds: number;
}

const MINUTE_MS = 60_000;
/** How long a stage that was asked to end may take to do so. */
const GRACE_MS = 5000;
/** What is kept of a stage's output, from its end: the counts stand there. */
const OUTPUT_CHARACTERS_MAX = 65_536;
const ROOT = new URL("../", import.meta.url);

const deadline = performance.now() + TOTAL_MINUTES_MAX * MINUTE_MS;
const stages = chosen(Deno.args);
const rows: Row[] = [];
for (const stage of stages) rows.push(await run(stage));

console.log(
  `\n${"".padEnd(12)} ${"passed".padStart(7)} ${"failed".padStart(7)} ${"time".padStart(8)}`,
);
for (const { name, passed, failed, seconds } of rows) {
  const cells = [
    String(passed).padStart(7),
    String(failed).padStart(7),
    `${seconds} s`.padStart(8),
  ];
  console.log(`${name.padEnd(12)} ${cells.join(" ")}`);
}
const passed = rows.reduce((sum, row) => sum + row.passed, 0);
const failed = rows.reduce((sum, row) => sum + row.failed, 0);
console.log(`\n${passed} passed, ${failed} failed`);
Deno.exit(failed === 0 ? 0 : 1);

function chosen(names: readonly string[]): readonly Stage[] {
  const unknown = names.find((name) => !STAGES.some((stage) => stage.name === name));
  if (unknown !== undefined) {
    console.error(
      `unknown stage ${unknown}; there are: ${STAGES.map(({ name }) => name).join(" ")}`,
    );
    Deno.exit(64);
  }
  return names.length === 0 ? STAGES : STAGES.filter(({ name }) => names.includes(name));
}

async function run(stage: Stage): Promise<Row> {
  console.log(`\n=== ${stage.name}: deno ${stage.args.join(" ")}`);
  const startedMs = performance.now();
  const counts = await exists(stage.entry) ? await spawn(stage) : missing(stage);
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(
    `--- ${stage.name}: ${counts.passed} passed, ${counts.failed} failed in ${seconds} s`,
  );
  return { name: stage.name, seconds, ...counts };
}

async function spawn({ args, tally, jobs = 1, minutesMax }: Stage): Promise<Counts> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", DENO_JOBS: String(jobs) },
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const limitMs = Math.max(0, Math.min(minutesMax * MINUTE_MS, deadline - performance.now()));
  let grace: ReturnType<typeof setTimeout> | undefined;
  const limit = setTimeout(() => {
    console.log(`--- took longer than ${Math.round(limitMs / 1000)} s: ended`);
    process.kill("SIGTERM");
    grace = setTimeout(() => process.kill("SIGKILL"), GRACE_MS);
  }, limitMs);
  let output = "";
  for await (const text of process.stdout.pipeThrough(new TextDecoderStream())) {
    await Deno.stdout.write(new TextEncoder().encode(text));
    output = (output + text).slice(-OUTPUT_CHARACTERS_MAX);
  }
  const { success } = await process.status;
  clearTimeout(limit);
  clearTimeout(grace);
  return countsOf(tally, output, success);
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(new URL(path, ROOT));
    return true;
  } catch {
    return false;
  }
}

function missing({ entry }: Stage): Counts {
  console.log(`${entry} is missing`);
  return { passed: 0, failed: 1 };
}
