/** Several processes that share a row of seeds out. @module */

const TALLY = /^(\d+) passed, (\d+) failed$/;

/** Runs `count` seeds from `first` on in `jobs` processes; answers how many failed. */
export async function runJobs(
  jobs: number,
  first: number,
  count: number,
  flags: readonly string[],
): Promise<number> {
  const each = Math.ceil(count / jobs);
  const parts: Promise<number>[] = [];
  for (let from = first; from < first + count; from += each) {
    const seeds = Math.min(each, first + count - from);
    parts.push(runJob(["--from", `${from}`, "--seeds", `${seeds}`, ...flags], seeds));
  }
  return (await Promise.all(parts)).reduce((sum, failed) => sum + failed, 0);
}

async function runJob(flags: readonly string[], seeds: number): Promise<number> {
  const program = new URL("./run.ts", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, ...flags],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  const lines = decoder.decode(stdout).trimEnd().split("\n");
  const tally = TALLY.exec(lines.at(-1) ?? "");
  console.log((tally === null ? lines : lines.slice(0, -1)).join("\n"));
  if (tally !== null) return Number(tally[2]);
  // It died: none of its seeds counts.
  console.log(decoder.decode(stderr));
  return seeds;
}
