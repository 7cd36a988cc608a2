/**
 * What a measured span of time cost: the server's CPU, the load generator's own, and what strangers
 * took of the server's core meanwhile.
 *
 * @module
 */

import { LOAD_CORE, SERVER_CORE } from "../peers/cores.ts";

/** Linux counts CPU time in `/proc` in ticks of 10 ms. */
const TICK_MS = 10;

/** Where `/proc/PID/stat` has user and system time, counted from the field behind the name. */
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;

function processTimes(pid: number | "self"): { userMs: number; systemMs: number } {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    userMs: Number(fields[USER_FIELD]) * TICK_MS,
    systemMs: Number(fields[SYSTEM_FIELD]) * TICK_MS,
  };
}

/** CPU time of a process since its start, in milliseconds, to 10 ms. */
export function cpuMs(pid: number | "self"): number {
  const { userMs, systemMs } = processTimes(pid);
  return userMs + systemMs;
}

/**
 * Time that a core spent on anybody's user code, or was taken away from this machine, in
 * milliseconds. System time is left out: what a server causes is not always booked on it.
 */
function coreMs(core: number): number {
  const stat = Deno.readTextFileSync("/proc/stat");
  const [user, nice, , , , , , steal] = (new RegExp(`^cpu${core} (.*)$`, "m")
    .exec(stat)?.[1] ?? "").split(" ").map(Number);
  return ((user ?? 0) + (nice ?? 0) + (steal ?? 0)) * TICK_MS;
}

/** Over how long {@linkcode quiet} looks whether anybody works. */
const QUIET_LOOK_MS = 500;

/**
 * Waits until both cores are idle.
 *
 * @param share what strangers may take of either, 0 to 1
 * @param patienceMs after which it gives up waiting
 */
export async function quiet(share: number, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const before = [coreMs(SERVER_CORE), coreMs(LOAD_CORE)];
    await new Promise((resolve) => setTimeout(resolve, QUIET_LOOK_MS));
    const after = [coreMs(SERVER_CORE), coreMs(LOAD_CORE)];
    if (after.every((ms, core) => ms - (before[core] ?? 0) <= share * QUIET_LOOK_MS)) return;
  }
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** What {@linkcode Window.end} reports. */
export interface Span {
  /** Wall time in milliseconds. */
  wallMs: number;
  /** CPU time of the server in milliseconds. */
  serverCpuMs: number;
  /** CPU time of this process as a share of one core, 0 to 1. */
  loadShare: number;
  /** What other processes took of the servers' core, 0 to 1. */
  othersShare: number;
}

/** A span that is being measured. */
export class Window {
  readonly #pid: number;
  readonly #wall = performance.now();
  readonly #server: { userMs: number; systemMs: number };
  readonly #self = cpuMs("self");
  readonly #core = coreMs(SERVER_CORE);

  /** Begins now. */
  constructor(serverPid: number) {
    this.#pid = serverPid;
    this.#server = processTimes(serverPid);
  }

  /** Ends now. */
  end(): Span {
    const wallMs = performance.now() - this.#wall;
    const server = processTimes(this.#pid);
    const userMs = server.userMs - this.#server.userMs;
    return {
      wallMs,
      serverCpuMs: userMs + server.systemMs - this.#server.systemMs,
      loadShare: (cpuMs("self") - this.#self) / wallMs,
      othersShare: Math.max(0, coreMs(SERVER_CORE) - this.#core - userMs) / wallMs,
    };
  }
}
