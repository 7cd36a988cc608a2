/**
 * Runs the load generators as processes of their own, on the core that is theirs.
 *
 * @module
 */

import { LOAD_CORE } from "../peers/cores.ts";
import { cpuMs, Window } from "./window.ts";

const decoder = new TextDecoder();

/** How far before wrk's end its CPU time is read: a process that has ended has none. */
const WRK_CPU_EARLY_MS = 200;

/** What {@linkcode runWrk} measured. */
export interface WrkResult {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Server CPU per request in microseconds. */
  cpuMicros: number;
  /** wrk's share of its core, 0 to 1. */
  loadShare: number;
  /** What other processes took of the two cores, as a share of one. */
  othersShare: number;
}

/** What wrk is asked for, whatever it drives. */
interface Work {
  prefix: string;
  connections: number;
  bytes: number;
  /** Whole seconds. */
  seconds: number;
}

/** What {@linkcode runWrk} is asked for. */
export interface WrkPlan extends Work {
  port: number;
  pid: number;
  /** Appends go to `s0` to `s{streams-1}`. */
  streams: number;
  /** Appends in one request, which is then an append batch; left out for plain appends. */
  items?: number;
}

/** What {@linkcode runWrkOnNodes} is asked for. */
export interface NodesPlan extends Work {
  /** Connections are dealt out to them evenly; a remainder is left out. */
  nodes: readonly { port: number; pid: number; streams: readonly number[] }[];
}

/** Whether wrk is installed. */
export async function wrkIsAbsent(): Promise<string | undefined> {
  try {
    await new Deno.Command("wrk", { args: ["-v"], stdout: "null", stderr: "null" }).output();
    return undefined;
  } catch {
    return "wrk is not installed: `apt-get install wrk` (Debian, Ubuntu), `dnf install wrk` " +
      "(Fedora), or build https://github.com/wg/wrk";
  }
}

/**
 * Appends as fast as the server answers, for a number of seconds.
 *
 * @throws {Error} when any append was refused or a connection broke
 */
export function runWrk(plan: WrkPlan): Promise<WrkResult> {
  const { port, prefix, streams, bytes, pid, items } = plan;
  const args = [`-t1`, ...common(plan, "append.lua", port), prefix, String(streams), String(bytes)];
  if (items !== undefined) args.push(String(items));
  return run(args, {}, plan.seconds, [pid]);
}

/**
 * The same for a cluster: each connection stays with one node and appends to the streams that this
 * node was given.
 *
 * @throws {Error} when any append was refused or a connection broke
 */
export function runWrkOnNodes(plan: NodesPlan): Promise<WrkResult> {
  const { nodes, prefix, bytes } = plan;
  const port = nodes[0]?.port ?? 0;
  const args = [
    `-t${nodes.length}`,
    ...common(plan, "append_nodes.lua", port),
    prefix,
    String(bytes),
  ];
  const targets = nodes.map(({ port, streams }) => `${port}=${streams.join()}`).join(" ");
  return run(args, { TARGETS: targets }, plan.seconds, nodes.map(({ pid }) => pid));
}

function common({ connections, seconds }: Work, script: string, port: number): string[] {
  return [
    `-c${connections}`,
    `-d${seconds}s`,
    "--timeout",
    "10s",
    "-s",
    new URL(script, import.meta.url).pathname,
    `http://127.0.0.1:${port}`,
    "--",
  ];
}

async function run(
  wrkArgs: string[],
  env: Record<string, string>,
  seconds: number,
  pids: readonly number[],
): Promise<WrkResult> {
  const wrk = new Deno.Command("taskset", {
    args: ["-c", String(LOAD_CORE), "wrk", ...wrkArgs],
    env,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const began = performance.now();
  const window = new Window(pids);
  let wrkShare = 0;
  const sample = setTimeout(() => {
    wrkShare = cpuMs(wrk.pid) / (performance.now() - began);
  }, seconds * 1000 - WRK_CPU_EARLY_MS);
  const output = await wrk.output();
  clearTimeout(sample);
  const span = window.end(wrkShare * (performance.now() - began));
  const text = decoder.decode(output.stdout);
  const line = /^RESULT (.*)$/m.exec(text)?.[1];
  if (line === undefined) throw new Error(`wrk failed: ${text}${decoder.decode(output.stderr)}`);
  const result = JSON.parse(line) as Record<
    "requests" | "micros" | "p50" | "p99" | "failed" | "broken",
    number
  >;
  if (result.failed > 0 || result.broken > 0 || result.requests === 0) {
    throw new Error(
      `of ${result.requests} appends ${result.failed} were refused, ${result.broken} broke off`,
    );
  }
  return {
    perSecond: result.requests * 1e6 / result.micros,
    p50Ms: result.p50 / 1000,
    p99Ms: result.p99 / 1000,
    cpuMicros: span.serverCpuMs * 1000 / result.requests,
    loadShare: span.loadShare,
    othersShare: span.othersShare,
  };
}

/**
 * Runs a program of this folder.
 *
 * @param program its file name
 * @param plan what {@linkcode planOf} gives it
 * @param niceness 0 to 19: how far it gives way to the other programs on its core
 * @throws {Error} with what it printed, when it failed
 */
export async function runLoad<T>(
  program: string,
  plan: unknown,
  { niceness = 0 } = {},
): Promise<T> {
  const script = new URL(program, import.meta.url).pathname;
  const pinned = ["taskset", "-c", String(LOAD_CORE), "deno", "run", "-A", script];
  const output = await new Deno.Command("nice", {
    args: ["-n", String(niceness), ...pinned, JSON.stringify(plan)],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  if (!output.success) throw new Error(decoder.decode(output.stderr).trim());
  return JSON.parse(decoder.decode(output.stdout)) as T;
}
