/**
 * What the machine offers this process.
 *
 * @module
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";
import process from "node:process";
import type { CoreTime } from "./mod.ts";

/** Which cgroups this process is in, a line each: `0::/a/b` of v2, `4:memory:/a/b` of v1. */
const CGROUPS_FILE = "/proc/self/cgroup";
/** Where v2 and v1 tell a cgroup's bound on memory: the folder of the topmost, and the file's name. */
const CGROUPS_V2 = { folder: "/sys/fs/cgroup", file: "memory.max" };
const CGROUPS_V1 = { folder: "/sys/fs/cgroup/memory", file: "memory.limit_in_bytes" };

/** Cores that this process may use. */
export function availableCores(): number {
  return Math.max(1, availableParallelism());
}

/**
 * Bytes of memory that this process may use: the machine's, or where that is less those of its cgroup
 * or of one around it. A container sees its own as the topmost, a service of the machine does not.
 * Deno itself knows the nearest cgroup alone; the files it lets only those read who may do all (`-A`).
 *
 * @param readText the text of a file; undefined where there is none
 */
export function availableMemoryBytes(
  readText: (path: string) => string | undefined = textOf,
  machineBytes: number = Math.min(totalmem(), process.constrainedMemory() || Infinity),
): number {
  const paths = cgroupFiles(readText(CGROUPS_FILE) ?? "");
  const limits = paths.map((path) => Number(readText(path)?.trim()) || 0);
  return Math.min(machineBytes, ...limits.filter((limit) => limit > 0));
}

/** What this process uses, with all its workers. */
export interface ProcessUsage {
  /** Memory that is in use, in bytes. */
  readonly residentBytes: number;
  /** CPU time since its start, the system's for it included. */
  readonly cpuMs: number;
  /** Undefined where nobody tells. */
  readonly handles: HandleUse | undefined;
}

/** What this process uses now. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  return {
    residentBytes: process.memoryUsage.rss(),
    cpuMs: (user + system) / 1000,
    handles: handleUse(),
  };
}

/** File handles (descriptors) of this process: its files, its connections, and what the system needs. */
export interface HandleUse {
  readonly open: number;
  /** So many there may be. */
  readonly max: number;
}

/** Where Linux lists the handles; how many there are is the folder's size, from Linux 6.2 on. */
const HANDLES_FOLDER = "/proc/self/fd";
const LIMITS_FILE = "/proc/self/limits";

/** The file handles in use now; undefined where nobody tells, or there is no bound. */
export function handleUse(
  readText: (path: string) => string | undefined = textOf,
): HandleUse | undefined {
  const max = /^Max open files +(\d+)/m.exec(readText(LIMITS_FILE) ?? "")?.[1];
  return max === undefined ? undefined : { open: openHandles(), max: Number(max) };
}

function openHandles(): number {
  return statSync(HANDLES_FOLDER).size || readdirSync(HANDLES_FOLDER).length;
}

/** What Linux says of the thread that asks: nanoseconds on a core and waiting for one, and slices. */
const THREAD_FILE = "/proc/thread-self/schedstat";

/** See {@linkcode Clock.coreTime}; `readText` as for {@linkcode availableMemoryBytes}. */
export function threadCoreTime(
  readText: (path: string) => string | undefined = textOf,
): CoreTime | undefined {
  const match = /^(\d+) (\d+) /.exec(readText(THREAD_FILE) ?? "");
  return match === null
    ? undefined
    : { ranMs: Number(match[1]) / 1e6, waitedMs: Number(match[2]) / 1e6 };
}

/** The identity of this boot of the machine, as Linux tells it; empty where nobody tells. */
export function osBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

/** Files with the bounds of the cgroups that are listed, and of all around them. */
function cgroupFiles(listed: string): string[] {
  const own = (pattern: RegExp) => pattern.exec(listed)?.[1] ?? "/";
  return [
    ...filesUpwards(CGROUPS_V2, own(/^0::(\/.*)$/m)),
    ...filesUpwards(CGROUPS_V1, own(/^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(\/.*)$/m)),
  ];
}

function filesUpwards({ folder, file }: typeof CGROUPS_V2, cgroup: string): string[] {
  const names = cgroup.split("/").filter((name) => name !== "");
  return Array.from(
    { length: names.length + 1 },
    (_, depth) => [folder, ...names.slice(0, depth), file].join("/"),
  );
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
