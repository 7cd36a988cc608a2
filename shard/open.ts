import {
  BOOTSTRAP_AGE_MS_MAX,
  type BootstrapBounds,
  FOLLOWING_BYTES_MAX,
  Group,
  KEPT_BYTES_MAX,
  KeptBytes,
  MEMORY_CATCH_UP_BYTES_MAX,
  type RaftMessage,
  retainedBytesMax,
} from "../group/mod.ts";
import type { Clock, Disk, Random, Tracer } from "../io/mod.ts";
import { Journal, MemoryLog } from "../storage/journal/mod.ts";
import { RaftSnapshots } from "../storage/raft_snapshots/mod.ts";
import type { ColdBackend, ColdStore } from "../storage/cold/mod.ts";
import { nodeOf } from "../storage/member.ts";
import type { RecordLog, StoredGroup } from "../storage/types.ts";
import { AgreedWall } from "./agreed_wall.ts";
import { Arrivals } from "./arrivals.ts";
import { Caretaker } from "./caretaker.ts";
import { BootstrapReads } from "./cold/bootstrap_reads.ts";
import { ColdCounters } from "./cold/counters.ts";
import { Sweeper } from "./cold/sweeper.ts";
import { ColdTier } from "./cold/tier.ts";
import { ColdWork } from "./cold/work.ts";
import { Crowding } from "./crowding.ts";
import { DiskPace } from "./disk_pace.ts";
import { DiskSpace } from "./disk_space.ts";
import { Durations } from "./durations.ts";
import { journalFactsOf } from "./journal_facts.ts";
import { Lane } from "./lane.ts";
import { journalOf, shardOf } from "./placement.ts";
import type { LogLine } from "./log_line.ts";
import { Orders } from "./orders/mod.ts";
import { type Peers, presentMember } from "./peers.ts";
import { RaftOutbox } from "./raft_outbox.ts";
import { behind, leadsThrough, loadReplica, newReplica, type Replica } from "./replica.ts";
import type { ShardSetup } from "./setup.ts";
import { Shard, type ShardLinks } from "./shard.ts";
import { SNAPSHOT_LOG_BYTES_MIN, Snapshots } from "./snapshots.ts";
import { Transfers } from "./transfers.ts";

/** A shard and what it holds open. */
export interface OpenShard {
  readonly shard: Shard;
  /** Its cold store; undefined where there is none. */
  readonly tier: ColdTier | undefined;
  /** Finishes what is under way, makes it durable and closes the files. */
  stop(): Promise<void>;
  /** Closes nothing and finishes nothing: for a shard that has failed. */
  abandon(): void;
}

/** The world that a shard is opened in. */
export interface ShardIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  /** Undefined where nobody asked for traces. */
  readonly tracer?: Tracer | undefined;
  /** Opens the cold store in place of the real one: the simulator has its own. */
  readonly openCold?: (backend: ColdBackend) => Promise<ColdStore>;
}

/** What a shard tells of itself. */
export interface ShardHooks {
  /** A write or sync failed: the node must end. */
  readonly onFatal: (reason: Error) => void;
  readonly log: LogLine;
  /** Sees every group before its log is applied: the simulator's checkers look on. */
  readonly onGroup?: (group: Group) => void;
  /** Sees every log, and what was found in it, before anything more is put there: likewise. */
  readonly onLog?: (log: RecordLog, stored: ReadonlyMap<number, StoredGroup> | undefined) => void;
}

/** What a shard's lanes tell. */
interface LaneHooks extends ShardHooks {
  /** How long a sync took, in ms. */
  readonly onSync: (durationMs: number) => void;
}

/** A failed disk is noticed by the journal, by who waits for it, and by who comes later. */
function once(onFatal: (reason: Error) => void): (reason: Error) => void {
  let told = false;
  return (reason) => {
    if (!told) onFatal(reason);
    told = true;
  };
}

interface OpenLane {
  readonly lane: Lane;
  readonly snapshots: Snapshots | undefined;
  readonly journal: Journal | undefined;
  readonly store: RaftSnapshots | undefined;
}

/** Where messages of a shard's groups go. */
class Line {
  readonly outbox: RaftOutbox;
  readonly transfers: Transfers;

  constructor(peers: Peers, log: LogLine) {
    this.outbox = new RaftOutbox(peers);
    this.transfers = new Transfers(peers, log);
  }

  send(group: Group, message: RaftMessage): void {
    if (message.type === "snapshot") this.transfers.begin(group, message);
    else this.outbox.add(group.id, message);
  }
}

function linksOf(
  peers: Peers,
  { transfers }: Line,
  lanes: readonly OpenLane[],
  setup: ShardSetup,
  { clock }: ShardIo,
  { log, onFatal }: ShardHooks,
  cold: ColdWork | undefined,
): ShardLinks {
  const storeOf = (group: number) =>
    lanes.find(({ lane }) => lane.groups.some(({ id }) => id === group))?.store;
  return {
    transfers,
    arrivals: new Arrivals({ clock, setup, storeOf, log, onFatal }),
    caretaker: new Caretaker(peers, setup.directory === undefined, cold?.own?.learners),
    wall: new AgreedWall(clock, peers, otherNodes(setup), log),
  };
}

function otherNodes({ cluster }: ShardSetup): number[] {
  const nodes = cluster?.peers.map(({ nodeId }) => nodeId) ?? [];
  return nodes.filter((nodeId) => nodeId !== cluster?.self.nodeId);
}

/**
 * Opens the journals and RaftSnapshots of a shard's groups and replays what they hold. A single node
 * then leads all groups, as their only voter; in a cluster elections decide.
 *
 * @param peers links to the other nodes; left out on a single node
 * @throws when the data is damaged or can't be read; nothing is left open then
 */
export async function openShard(
  setup: ShardSetup,
  io: ShardIo,
  given: ShardHooks,
  peers?: Peers,
): Promise<OpenShard> {
  const syncs = new Durations();
  const onSync = (durationMs: number) => syncs.record(durationMs);
  const hooks: LaneHooks = { ...given, onFatal: once(given.onFatal), onSync };
  const lanes: OpenLane[] = [];
  const line = peers && new Line(peers, hooks.log);
  const tier = setup.cold && await ColdTier.open(setup.cold, io);
  const bootstraps = bootstrapBounds(setup, hooks);
  // Elsewhere writes cost next to nothing.
  const isSynced = setup.directory !== undefined && setup.fsync;
  const crowding = isSynced ? new Crowding(io.clock) : undefined;
  try {
    for (let journal = 0; journal < setup.journalCount; journal++) {
      if (shardOf(journal, setup.shardCount) !== setup.index) continue;
      lanes.push(await openLane(journal, setup, io, hooks, line, bootstraps, crowding));
    }
    for (const { lane } of lanes) lane.groups.forEach((group) => hooks.onGroup?.(group));
  } catch (reason) {
    for (const { journal } of lanes) await journal?.close();
    tier?.close();
    throw reason;
  }
  const counters = new ColdCounters();
  const parts = {
    groups: lanes.flatMap(({ lane }) => lane.groups),
    clock: io.clock,
    random: io.random,
    tracer: io.tracer,
    counters,
    log: hooks.log,
  };
  const cold = tier && new ColdWork({ ...parts, tier, peers, nodes: otherNodes(setup) });
  const shard = new Shard({
    index: setup.index,
    groupCount: setup.groupCount,
    clock: io.clock,
    log: hooks.log,
    bounds: { hotBytesMax: setup.hotBytesMax, appendWaitMsMax: setup.appendWaitMsMax },
    lanes: lanes.map(({ lane }) => lane),
    crowding,
    pace: setup.directory === undefined
      ? undefined
      : new DiskPace(lanes.map(({ lane }) => lane), hooks.log),
    links: peers && line && linksOf(peers, line, lanes, setup, io, hooks, cold),
    bootstraps: new BootstrapReads(cold?.reads, io.clock, hooks.log),
    kept: bootstraps.kept,
    orders: ordersOf(lanes, setup, io, cold, peers),
    cold,
    sweeper: tier === undefined ? new Sweeper(parts) : undefined,
  });
  const space = setup.directory === undefined
    ? undefined
    : new DiskSpace(io, setup.directory, hooks.log);
  shard.disk = space;
  if (setup.directory !== undefined) {
    const journals = lanes.map(({ journal }) => journal).filter((journal) => journal !== undefined);
    shard.journal = () => journalFactsOf(journals, syncs.cells);
  }
  if (setup.cluster === undefined) await shard.lead(io.clock.wallMs());
  return {
    shard,
    tier,
    async stop() {
      space?.stop();
      await shard.stop();
      tier?.close();
      for (const { lane, snapshots, journal } of lanes) {
        await snapshots?.stop();
        // The mark of a RaftSnapshot that ended just now still has to go out.
        await lane.drain();
        await journal?.close();
      }
    },
    abandon() {
      space?.stop();
      shard.abandon();
      tier?.close();
    },
  };
}

function ordersOf(
  lanes: readonly OpenLane[],
  setup: ShardSetup,
  { clock }: ShardIo,
  cold: ColdWork | undefined,
  peers: Peers | undefined,
): Orders {
  const self = nodeOf(setup.member);
  return new Orders({
    clock,
    nodes: [self, ...otherNodes(setup)],
    present: (node) => node === self ? setup.member : peers && presentMember(peers, node),
    learners: cold?.own?.learners,
    snapshotsOf: (group) =>
      lanes.find(({ lane }) => lane.groups.some(({ id }) => id === group))?.snapshots,
    cold,
  });
}

/** What objects keep is kept as long as they are. */
function bootstrapBounds(
  { shardCount, cold }: ShardSetup,
  { log }: ShardHooks,
): BootstrapBounds {
  const kept = new KeptBytes(Math.floor(KEPT_BYTES_MAX / shardCount), log);
  return { kept, ageMsMax: cold?.keepsMs ?? BOOTSTRAP_AGE_MS_MAX };
}

async function openLane(
  number: number,
  setup: ShardSetup,
  io: ShardIo,
  hooks: LaneHooks,
  line: Line | undefined,
  bootstraps: BootstrapBounds,
  crowding: Crowding | undefined,
): Promise<OpenLane> {
  const { directory } = setup;
  const files = directory === undefined
    ? undefined
    : await openFiles(directory, number, setup, io, hooks);
  const journal = files?.journal;
  const log = journal ?? new MemoryLog();
  hooks.onLog?.(log, files?.stored);
  const replicas = await loadReplicas(number, setup, files);
  const { onFatal } = hooks;
  let snapshots: Snapshots | undefined;
  const lane = new Lane({
    log,
    clock: io.clock,
    crowding,
    onFatal,
    onTurn: (groups) => snapshots?.consider(groups),
    sendMessages: line && (() => line.outbox.flush()),
    groups: (ofLane) =>
      replicas.map(({ id, state, mark }) =>
        new Group({
          id,
          member: setup.member,
          clock: io.clock,
          random: io.random,
          log,
          state,
          snapshot: mark,
          stored: behind(mark, files?.stored.get(id)),
          ...ofLane,
          onFatal,
          send: (group, message) => line?.send(group, message),
          decodeOwn: setup.decodeOwn,
          snapshotPieceBytes: setup.snapshotPieceBytes,
          readLease: setup.cluster?.readLease ?? true,
          retainedBytesMax: setup.retainedBytesMax ?? retainedBytesMax(setup.groupCount),
          followingBytesMax: files === undefined ? Infinity : FOLLOWING_BYTES_MAX,
          catchUpBytesMax: files === undefined ? MEMORY_CATCH_UP_BYTES_MAX : 0,
          bootstraps,
        })
      ),
  });
  if (files !== undefined) {
    snapshots = new Snapshots({
      store: files.snapshots,
      journal: files.journal,
      lane,
      journalBytesMax: Math.floor(JOURNALS_BYTES_MAX / setup.journalCount),
      logBytesMin: setup.snapshotLogBytesMin ?? SNAPSHOT_LOG_BYTES_MIN,
      onFatal,
    });
  }
  return { lane, snapshots, journal, store: files?.snapshots };
}

/** What of a lane lies on disk. */
interface LaneFiles {
  readonly journal: Journal;
  readonly stored: Map<number, StoredGroup>;
  readonly snapshots: RaftSnapshots;
}

async function openFiles(
  directory: string,
  number: number,
  setup: ShardSetup,
  io: ShardIo,
  hooks: LaneHooks,
): Promise<LaneFiles> {
  const snapshots = await RaftSnapshots.open(io.disk, `${directory}/snapshots/${number}`);
  const { journal, groups } = await Journal.open({
    ...io,
    directory: `${directory}/journal`,
    number,
    segmentBytes: setup.segmentBytes,
    sync: setup.fsync,
    mustExist: setup.hasStarted,
    log: hooks.log,
    onFatal: hooks.onFatal,
    onSync: hooks.onSync,
  });
  return { journal, stored: groups, snapshots };
}

/** Journals of a node beyond this are shortened by RaftSnapshots (SPEC section 9). */
const JOURNALS_BYTES_MAX = 1024 * 1024 * 1024;

async function loadReplicas(
  journal: number,
  setup: ShardSetup,
  files: LaneFiles | undefined,
): Promise<Replica[]> {
  const replicas: Replica[] = [];
  try {
    for (let id = 0; id < setup.groupCount; id++) {
      if (journalOf(id, setup.journalCount) !== journal) continue;
      replicas.push(
        files === undefined
          ? newReplica(id, setup)
          : await loadReplica(id, setup, files.snapshots, files.stored.get(id)),
      );
    }
  } catch (reason) {
    await files?.journal.close();
    throw reason;
  }
  // A crash between a RaftSnapshot and its mark leaves the mark to be put now.
  for (const { id, mark } of replicas) {
    if (mark.index === 0 || files === undefined) continue;
    const replacesLog = !leadsThrough(mark, files.stored.get(id));
    files.journal.putSnapshotMark(id, mark.index, mark.term, replacesLog);
  }
  return replicas;
}
