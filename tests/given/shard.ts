/**
 * A shard of its own on a simulated machine, open and leading.
 *
 * @module
 */

import {
  groupOf,
  type OpenShard,
  openShard,
  type Shard,
  type ShardHooks,
  type ShardSetup,
} from "../../shard/mod.ts";
import type { ColdSetup } from "../../shard/setup.ts";
import type { ColdStore } from "../../storage/cold/mod.ts";
import { SimClock } from "../sim/clock.ts";
import { SimDisk } from "../sim/disk.ts";
import { SimRandom } from "../sim/random.ts";

/** What {@linkcode givenShard} opened, and what it was opened with. */
export interface GivenShard {
  readonly clock: SimClock;
  readonly disk: SimDisk;
  readonly setup: ShardSetup;
  readonly open: OpenShard;
  readonly shard: Shard;
  /** Failures that the shard told of. */
  readonly fatal: Error[];
  /** Lines for the operator. */
  readonly lines: string[];
  /** Those of them that are warnings or errors. */
  readonly warnings: string[];
}

/** Memory mode, one group, one shard, unless told otherwise. */
export function setupOf(more: Partial<ShardSetup> = {}): ShardSetup {
  return {
    index: 0,
    shardCount: 1,
    groupCount: 1,
    journalCount: 1,
    formation: "f0000000",
    member: "1.store",
    voters: ["1.store"],
    cluster: undefined,
    directory: undefined,
    fsync: true,
    hotBytesMax: 64 * 1024 * 1024,
    cold: undefined,
    hasStarted: false,
    segmentBytes: 65_536,
    decodeOwn: false,
    ...more,
  };
}

/** The formation that keys of objects begin with. */
export const COLD_FORMATION = "f0000000";

/** A cold tier in memory that flushes when it is told to, unless told otherwise. */
export function coldSetupOf(more: Partial<ColdSetup> = {}): ColdSetup {
  return {
    backend: { kind: "memory" },
    formation: COLD_FORMATION,
    flushIntervalMs: 1000,
    flushMinHotBytes: 8 * 1024 * 1024,
    flushMaxBytes: 8 * 1024 * 1024,
    flushesMax: 4,
    hotBytesPerGroupMax: 64 * 1024 * 1024,
    keepsMs: 3_600_000,
    cacheBytesMax: 1024 * 1024,
    ...more,
  };
}

/** Opens a shard. Give `disk` to go on with what another one left there. */
export async function givenShard(
  more: Partial<ShardSetup> & {
    readonly clock?: SimClock;
    readonly disk?: SimDisk;
    readonly onGroup?: ShardHooks["onGroup"];
    /** In the place of the store that `cold` names. */
    readonly coldStore?: ColdStore;
  } = {},
): Promise<GivenShard> {
  const { clock = new SimClock(), disk: found, onGroup, coldStore, ...rest } = more;
  const random = new SimRandom(1);
  const disk = found ?? new SimDisk({ random, clock });
  const setup = setupOf(rest);
  const openCold = coldStore && (() => Promise.resolve(coldStore));
  const fatal: Error[] = [];
  const lines: string[] = [];
  const warnings: string[] = [];
  const open = await clock.until(openShard(setup, { clock, random, disk, openCold }, {
    onFatal: (reason) => fatal.push(reason),
    log(line, level = "info") {
      lines.push(line);
      if (level !== "info") warnings.push(line);
    },
    onGroup,
  }));
  return { clock, disk, setup, open, shard: open.shard, fatal, lines, warnings };
}

/** The first of `key0`, `key1`, … that hashes to a group. */
export function keyIn(group: number, groupCount: number, prefix: string): string {
  for (let at = 0;; at++) {
    if (groupOf(`${prefix}${at}`, groupCount) === group) return `${prefix}${at}`;
  }
}
