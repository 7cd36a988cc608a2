import type { SimRandom } from "./random.ts";

/** What can befall a node. */
export type Fault =
  | "kill"
  | "power_cut"
  | "stop"
  | "sync_fails"
  | "write_fails"
  | "file_fails"
  | "disk_full"
  | "disk_low"
  | "wall_jumps"
  | "rot";

/** The scenario of one run, drawn from its seed. */
export interface Plan {
  /** How many nodes the cluster has. */
  readonly nodes: number;
  readonly groups: number;
  readonly journals: number;
  readonly fsync: boolean;
  readonly segmentBytes: number;
  readonly snapshotLogBytesMin: number;
  readonly diskLatencyMsMax: number;
  readonly clients: number;
  readonly buckets: readonly string[];
  /** Streams of each client alone, and of all. */
  readonly ownStreams: number;
  readonly sharedStreams: number;
  /** Longest pause of a client between two requests. */
  readonly thinkMsMax: number;
  readonly bodyBytesMax: number;
  readonly faults: readonly Fault[];
}

const FAULTS: readonly Fault[] = [
  "kill",
  "kill",
  "power_cut",
  "power_cut",
  "power_cut",
  "stop",
  "sync_fails",
  "write_fails",
  "file_fails",
  "disk_full",
  "disk_low",
  "wall_jumps",
  "wall_jumps",
  "rot",
];
/** Losing power, or the disk, loses what was never synced: not to be asked of `--fsync never`. */
const FAULTS_UNSYNCED: readonly Fault[] = ["kill", "stop", "wall_jumps"];
const BUCKETS = ["alpha", "beta", "gamma"];

/** Draws a scenario for one node. */
export function drawPlan(random: SimRandom): Plan {
  const fsync = !random.chance(0.1);
  const among = fsync ? FAULTS : FAULTS_UNSYNCED;
  const faults = 1 + random.below(6);
  const groups = 2 + random.below(7);
  return {
    nodes: 1,
    groups,
    journals: 1 + random.below(2),
    fsync,
    segmentBytes: oneOf(random, [16, 24, 32, 64]) * 1024,
    snapshotLogBytesMin: oneOf(random, [1, 4, 16, 64]) * 1024,
    diskLatencyMsMax: oneOf(random, [0.2, 1, 5]),
    clients: 2 + random.below(4),
    buckets: BUCKETS.slice(0, 1 + random.below(BUCKETS.length)),
    ownStreams: 1 + random.below(3),
    sharedStreams: 1 + random.below(4),
    thinkMsMax: oneOf(random, [5, 20, 60]),
    bodyBytesMax: oneOf(random, [40, 300, 3000]),
    faults: Array.from({ length: faults }, () => oneOf(random, among)),
  };
}

/** One of several, each as likely. */
export function oneOf<T>(random: SimRandom, among: readonly T[]): T {
  return among[random.below(among.length)] as T; // below the length
}
