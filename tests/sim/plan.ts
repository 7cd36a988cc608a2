import type { ColdTiming } from "../../shard/mod.ts";
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

/** What can befall a cluster: its nodes one by one, or the links between them. */
export type ClusterFault =
  | Exclude<Fault, "rot">
  /** The data directory is gone. */
  | "wipe"
  /** The machine stands still for a while, and time goes on. */
  | "pause"
  /** One link is cut both ways, or one way. */
  | "cut"
  | "cut_one_way"
  /** One node is cut off from all others. */
  | "isolate"
  /** The nodes fall into two parts. */
  | "split"
  /** Connections break, and are made again. */
  | "flap"
  /** One node's links are slow. */
  | "slow"
  /** Syncs take long, on one node or on all. */
  | "disk_slow"
  /** Leaders hand over. */
  | "transfer"
  /** A voter is made a learner for a while. */
  | "demote"
  /** All nodes at once. */
  | "kill_all"
  | "power_cut_all";

/** What can befall the cold tier. */
export type ColdFault =
  /** The store that all share answers nobody, or not one node. */
  | "cold_down"
  | "cold_cut"
  /** Requests to it fail, before they took effect or after. */
  | "cold_flaky"
  /** They drag on. */
  | "cold_slow"
  | "cold_full"
  /** A bit rots in a node's own copy of an object. */
  | "cold_rot";

/** The cold tier of a scenario. */
export interface ColdPlan {
  /** One store for all nodes, or one of each its own. */
  readonly kind: "shared" | "own";
  /** As in a shard's setup. */
  readonly flushIntervalMs: number;
  readonly flushMinHotBytes: number;
  readonly flushMaxBytes: number;
  readonly flushesMax: number;
  readonly hotBytesPerGroupMax: number;
  readonly keepsMs: number;
  readonly cacheBytesMax: number;
  readonly timing: ColdTiming;
  /** Longest way of a request to a shared store when nothing is wrong. */
  readonly latencyMsMax: number;
  readonly faults: readonly ColdFault[];
  /** Is time let go by at the end until nothing superfluous is left? */
  readonly sweepsOut: boolean;
}

/** What a cluster's scenario has besides. */
export interface ClusterPlan {
  /** Nothing is kept on disk. */
  readonly memory: boolean;
  readonly readLease: boolean;
  /** Longest way of a message when nothing is wrong. */
  readonly latencyMsMax: number;
  /** Entries of a group that stay in memory: who lacks more gets it from a journal, or a RaftSnapshot. */
  readonly retainedBytesMax: number;
  /** What a wall clock may be wrong by when nothing is wrong. */
  readonly skewMsMax: number;
  readonly faults: readonly ClusterFault[];
}

/** The scenario of one run, drawn from its seed. */
export interface Plan {
  /** How many nodes the cluster has. */
  readonly nodes: number;
  readonly groups: number;
  readonly journals: number;
  readonly fsync: boolean;
  readonly segmentBytes: number;
  readonly snapshotLogBytesMin: number;
  /** In small chunks a RaftSnapshot is on its way for a while, and others want the group too. */
  readonly snapshotPieceBytes: number;
  /** Bytes of streams in memory that a node may hold; as many as will come up where left out. */
  readonly hotBytesMax?: number;
  readonly diskLatencyMsMax: number;
  readonly clients: number;
  /** Who write a stream of their own, and publish its snapshots. */
  readonly publishers: number;
  readonly buckets: readonly string[];
  /** Streams of each client alone, and of all. */
  readonly ownStreams: number;
  readonly sharedStreams: number;
  /** Longest pause of a client between two requests. */
  readonly thinkMsMax: number;
  readonly bodyBytesMax: number;
  /** Of a node that is alone. */
  readonly faults: readonly Fault[];
  /** Undefined for a node that is alone. */
  readonly cluster: ClusterPlan | undefined;
  /** Undefined where all stays in memory. */
  readonly cold: ColdPlan | undefined;
  /** After this time a client gives up a request; undefined: it waits for whatever comes. */
  readonly patienceMs: number | undefined;
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
/** How many nodes a run has, as often as it is named here. */
const NODE_COUNTS: readonly number[] = [1, 1, 1, 1, 3, 3, 3, 3, 5];

const CLUSTER_FAULTS: readonly ClusterFault[] = [
  ...FAULTS.filter((fault) => fault !== "rot"),
  "kill",
  "wipe",
  "pause",
  "pause",
  "cut",
  "cut",
  "cut_one_way",
  "cut_one_way",
  "isolate",
  "isolate",
  "split",
  "split",
  "flap",
  "slow",
  "disk_slow",
  "disk_slow",
  "transfer",
  "transfer",
  "demote",
  "demote",
  "kill_all",
  "power_cut_all",
];
/** What a cluster bears that syncs nothing: power is never cut, or all of it could lose the same. */
const CLUSTER_FAULTS_UNSYNCED = CLUSTER_FAULTS.filter((fault) =>
  ![
    "power_cut",
    "power_cut_all",
    "sync_fails",
    "write_fails",
    "file_fails",
    "disk_full",
    "disk_low",
  ]
    .includes(fault)
);
/** What one bears that keeps nothing: whoever dies there must be replaced before the next one. */
const CLUSTER_FAULTS_MEMORY = CLUSTER_FAULTS_UNSYNCED.filter((fault) =>
  fault !== "kill_all" && fault !== "wipe" && fault !== "demote"
);

/** Which cold tier a run has, as often as it is named here. */
const COLD_KINDS: readonly (ColdPlan["kind"] | undefined)[] = [undefined, "shared", "own", "own"];
const SHARED_FAULTS: readonly ColdFault[] = [
  "cold_down",
  "cold_cut",
  "cold_flaky",
  "cold_flaky",
  "cold_slow",
  "cold_full",
];
const OWN_FAULTS: readonly ColdFault[] = ["cold_rot"];

/** A scenario without its cold tier. */
type HotPlan = Omit<Plan, "cold" | "publishers">;

/**
 * Draws a scenario.
 *
 * @param nodes how many there shall be; drawn, too, where left out
 */
export function drawPlan(random: SimRandom, nodes?: number): Plan {
  const count = nodes ?? oneOf(random, NODE_COUNTS);
  const plan = count === 1 ? drawLone(random) : drawCluster(random, count);
  return { ...plan, cold: drawCold(random, plan), publishers: random.below(3) };
}

function drawLone(random: SimRandom): HotPlan {
  const fsync = !random.chance(0.1);
  const among = fsync ? FAULTS : FAULTS_UNSYNCED;
  const faults = 1 + random.below(6);
  const groups = 2 + random.below(7);
  return {
    nodes: 1,
    groups,
    journals: 1 + random.below(2),
    fsync,
    ...drawStorage(random),
    clients: 2 + random.below(4),
    ...drawWork(random),
    thinkMsMax: oneOf(random, [5, 20, 60]),
    faults: Array.from({ length: faults }, () => oneOf(random, among)),
    cluster: undefined,
    patienceMs: undefined,
  };
}

function drawCluster(random: SimRandom, nodes: number): HotPlan {
  const memory = random.chance(0.15);
  const fsync = !memory && !random.chance(0.1);
  const among = memory ? CLUSTER_FAULTS_MEMORY : fsync ? CLUSTER_FAULTS : CLUSTER_FAULTS_UNSYNCED;
  const faults = 3 + random.below(6);
  return {
    nodes,
    groups: 1 + random.below(4),
    journals: 1 + random.below(2),
    fsync,
    ...drawStorage(random),
    clients: 3 + random.below(3),
    ...drawWork(random),
    thinkMsMax: oneOf(random, [20, 40, 80]),
    faults: [],
    cluster: {
      memory,
      readLease: !random.chance(0.3),
      latencyMsMax: oneOf(random, [0.5, 3, 15, 80]),
      retainedBytesMax: oneOf(random, [0, 1_000, 1 << 26]),
      skewMsMax: oneOf(random, [0, 50, 400]),
      faults: Array.from({ length: faults }, () => oneOf(random, among)),
    },
    patienceMs: oneOf(random, [1_000, 7_000, 7_000]),
  };
}

function drawCold(
  random: SimRandom,
  { cluster, fsync, bodyBytesMax }: HotPlan,
): ColdPlan | undefined {
  const kind = oneOf(random, COLD_KINDS);
  // A copy that rots must be there once more, on another node.
  const among = kind === "shared"
    ? SHARED_FAULTS
    : cluster === undefined || cluster.memory || !fsync || cluster.faults.includes("wipe")
    ? []
    : OWN_FAULTS;
  const faults = among.length === 0 ? 0 : random.below(4);
  const plan = {
    flushIntervalMs: oneOf(random, [20, 50, 200]),
    flushMinHotBytes: oneOf(random, [1, 1, 100, 400, 2_000]),
    // A single message may be longer; if most are, a run takes half a minute.
    flushMaxBytes: Math.max(oneOf(random, [256, 1_000, 4_000, 16_000]), bodyBytesMax / 3),
    flushesMax: 1 + random.below(4),
    hotBytesPerGroupMax: oneOf(random, [16 * 1024, 1 << 26, 1 << 26]),
    keepsMs: oneOf(random, [500, 2_000, 5_000]),
    cacheBytesMax: oneOf(random, [0, 128 * 1024, 1 << 26]),
    timing: {
      sweepMs: oneOf(random, [200, 1_000]),
      listMs: oneOf(random, [500, 2_000]),
      mergeMs: oneOf(random, [200, 1_000]),
      mergePauseMs: 20,
      underWayMs: oneOf(random, [1_000, 5_000]),
    },
    latencyMsMax: oneOf(random, [1, 20, 100]),
    faults: Array.from({ length: faults }, () => oneOf(random, among)),
    sweepsOut: random.chance(0.2),
  };
  return kind === undefined ? undefined : { kind, ...plan };
}

function drawStorage(
  random: SimRandom,
): Pick<Plan, "segmentBytes" | "snapshotLogBytesMin" | "snapshotPieceBytes" | "diskLatencyMsMax"> {
  return {
    segmentBytes: oneOf(random, [16, 24, 32, 64]) * 1024,
    snapshotLogBytesMin: oneOf(random, [1, 4, 16, 64]) * 1024,
    snapshotPieceBytes: oneOf(random, [256, 1024, 256 * 1024]),
    diskLatencyMsMax: oneOf(random, [0.2, 1, 5]),
  };
}

function drawWork(
  random: SimRandom,
): Pick<Plan, "buckets" | "ownStreams" | "sharedStreams" | "bodyBytesMax"> {
  return {
    buckets: BUCKETS.slice(0, 1 + random.below(BUCKETS.length)),
    ownStreams: 1 + random.below(3),
    sharedStreams: 1 + random.below(4),
    bodyBytesMax: oneOf(random, [40, 300, 3000]),
  };
}

/** One of several, each as likely. */
export function oneOf<T>(random: SimRandom, among: readonly T[]): T {
  return among[random.below(among.length)] as T; // below the length
}
