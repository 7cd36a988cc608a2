/**
 * What the machine offers this process.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { availableParallelism, totalmem } from "node:os";

/** Where cgroup v2 and v1 tell a container's bound on memory. */
const CGROUP_FILES = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/** Cores that this process may use. */
export function availableCores(): number {
  return Math.max(1, availableParallelism());
}

/** Bytes of memory that this process may use: the machine's, or its cgroup's where that is less. */
export function availableMemoryBytes(): number {
  const limits = CGROUP_FILES.map(readLimit).filter((limit) => limit > 0);
  return Math.min(totalmem(), ...limits);
}

/** The identity of this boot of the machine, as Linux tells it; empty where nobody tells. */
export function osBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

function readLimit(file: string): number {
  try {
    return Number(readFileSync(file, "utf8").trim()) || 0;
  } catch {
    return 0;
  }
}
