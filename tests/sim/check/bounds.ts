/**
 * What a node may take of its machine.
 *
 * @module
 */

import type { Group } from "../../../group/mod.ts";
import { COLD_ROOT } from "../cold_setup.ts";
import type { SimDisk } from "../disk.ts";
import type { Plan } from "../plan.ts";
import { Violation } from "../violation.ts";

/** Segments of a journal that may be there whatever is in them: see `storage/journal/format.ts`. */
const SEGMENTS_FREE = 8;
/** Bytes of an entry in the journal to bytes of its payload, for the smallest ones. */
const RECORD_OVERHEAD = 4;
/** Bytes of a RaftSnapshot besides messages: tables, and every stream. */
const SNAPSHOT_BYTES_FREE = 64 * 1024;
const SNAPSHOT_BYTES_PER_STREAM = 4 * 1024;
/** RaftSnapshots of a group at once: one, and one that is being written. */
const SNAPSHOTS = 2;
/** A RaftSnapshot may be due for so long while another one is written. */
const LOG_SLACK = 4;

/** Does the disk hold no more than the data and their bounds explain? Objects have their own check. */
export function checkDiskUsage(disk: SimDisk, plan: Plan, groups: readonly Group[]): void {
  let bytes = plan.journals * SEGMENTS_FREE * plan.segmentBytes;
  for (const { state } of groups) {
    const snapshot = SNAPSHOT_BYTES_FREE + 2 * state.hotBytes +
      SNAPSHOT_BYTES_PER_STREAM * state.streamCount;
    const log = LOG_SLACK * Math.max(plan.snapshotLogBytesMin, 2 * snapshot);
    bytes += SNAPSHOTS * snapshot + RECORD_OVERHEAD * log;
  }
  const objects = disk.paths().filter((path) => path.startsWith(`${COLD_ROOT}/`));
  const inObjects = objects.reduce((sum, path) => sum + disk.content(path).length, 0);
  const used = disk.usedBytes() - inObjects;
  if (used <= bytes) return;
  throw new Violation("bounds", `${used} bytes on disk, where ${bytes} would be enough`);
}

/** Group time goes with the monotonic clock, whatever the wall clock does. */
export class TimeChecker {
  readonly #offsets = new Map<Group, number>();

  /** To be called now and then while a node runs. */
  check(groups: readonly Group[], monotonicMs: number): void {
    for (const group of groups) {
      const offset = group.nowMs - monotonicMs;
      const before = this.#offsets.get(group);
      this.#offsets.set(group, before ?? offset);
      // Group time is a whole number of milliseconds.
      if (before === undefined || Math.abs(offset - before) <= 1) continue;
      throw new Violation("time", `group ${group.id} went ahead by ${offset - before} ms`);
    }
  }
}
