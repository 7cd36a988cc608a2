/**
 * What a measured span of time cost: the server's CPU, the load generator's own, and what strangers
 * took of the two cores meanwhile.
 *
 * @module
 */

import { LOAD_CORE, SERVER_CORE } from "../peers/cores.ts";

/** Linux counts CPU time in `/proc` in ticks of 10 ms. */
const TICK_MS = 10;

/** Where `/proc/PID/stat` has user and system time, counted from the field behind the name. */
const USER_FIELD = 11;
const SYSTEM_FIELD = 12;

/** CPU time of a process since its start, in milliseconds, to 10 ms. */
export function cpuMs(pid: number | "self"): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[USER_FIELD]) + Number(fields[SYSTEM_FIELD])) * TICK_MS;
}

/**
 * Time that a core spent on processes, or was taken away from this machine, in milliseconds.
 * Interrupts are left out: the packets of the measurement itself cause them.
 */
function coreMs(core: number): number {
  const stat = Deno.readTextFileSync("/proc/stat");
  const line = new RegExp(`^cpu${core} (.*)$`, "m").exec(stat)?.[1] ?? "";
  const [user, nice, system, , , , , steal] = line.split(" ").map(Number);
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0) + (steal ?? 0)) * TICK_MS;
}

const CORES = [SERVER_CORE, LOAD_CORE];

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
    const before = CORES.map(coreMs);
    await new Promise((resolve) => setTimeout(resolve, QUIET_LOOK_MS));
    const after = CORES.map(coreMs);
    if (after.every((ms, i) => ms - (before[i] ?? 0) <= share * QUIET_LOOK_MS)) return;
  }
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
}

/** What {@linkcode Window.end} reports. */
export interface Span {
  /** Wall time in milliseconds. */
  wallMs: number;
  /** CPU time of the server in milliseconds. */
  serverCpuMs: number;
  /** CPU time of the load generator as a share of its core, 0 to 1. */
  loadShare: number;
  /** What other processes took of the two cores, as a share of one, 0 to 2. */
  othersShare: number;
}

/** A span that is being measured. */
export class Window {
  readonly #pids: readonly number[];
  readonly #wall = performance.now();
  readonly #server: number;
  readonly #self = cpuMs("self");
  readonly #cores = CORES.map(coreMs);

  /** Begins now. @param server the process, or processes, whose CPU time counts as the server's */
  constructor(server: number | readonly number[]) {
    this.#pids = typeof server === "number" ? [server] : server;
    this.#server = cpuOf(this.#pids);
  }

  /**
   * Ends now.
   *
   * @param loadMs CPU time of the load generator meanwhile, where that is another process
   */
  end(loadMs: number = cpuMs("self") - this.#self): Span {
    const wallMs = performance.now() - this.#wall;
    const serverCpuMs = cpuOf(this.#pids) - this.#server;
    let busyMs = 0;
    CORES.forEach((core, i) => busyMs += coreMs(core) - (this.#cores[i] ?? 0));
    return {
      wallMs,
      serverCpuMs,
      loadShare: loadMs / wallMs,
      othersShare: Math.max(0, busyMs - serverCpuMs - loadMs) / wallMs,
    };
  }
}
