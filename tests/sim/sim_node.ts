import type { Group } from "../../group/mod.ts";
import type { DiskLock } from "../../io/mod.ts";
import { ClusterLinks } from "../../node/cluster_links.ts";
import type { ClusterConfig } from "../../node/config/mod.ts";
import { coldSetupOf, prepareCold } from "../../node/cold.ts";
import { shardSetup } from "../../node/node.ts";
import { type Io, ShardRuntime } from "../../node/runtime.ts";
import { openStore, type Store } from "../../node/store.ts";
import type { ShardIo, ShardSetup } from "../../shard/mod.ts";
import { type ColdBackend, type ColdStore, openColdStore } from "../../storage/cold/mod.ts";
import type { RecordLog, StoredGroup } from "../../storage/types.ts";
import type { SimClock } from "./clock.ts";
import { COLD_ROOT, coldConfig, withTiming } from "./cold_setup.ts";
import type { ColdLook, SimBucket } from "./cold_store.ts";
import { SimDisk } from "./disk.ts";
import { MachineClock } from "./machine_clock.ts";
import { SimNetwork } from "./network.ts";
import type { Plan } from "./plan.ts";
import { ProcessClock } from "./process_clock.ts";
import type { SimRandom } from "./random.ts";
import type { Trace } from "./trace.ts";
import { WatchedStore } from "./watched_store.ts";

/** Where a node keeps its data. */
export const DATA_DIRECTORY = "/data";

/** What comes of a call that its process did not live to answer. */
export interface Lost {
  readonly lost: true;
  /** Resolves once no process works on it any more. */
  readonly over: Promise<unknown>;
}

const NEVER_BEGUN: Lost = { lost: true, over: Promise.resolve() };
const IMPATIENT = Symbol("the caller waits no longer");
const DIED = Symbol("the process has died");
const PEER_PORT = 14437;
const HOT_BYTES_MAX = 64 * 1024 * 1024;

/** What a {@linkcode SimNode} tells. */
export interface SimNodeHooks {
  /** A group is open; its state is as it was loaded, before the log is applied. */
  readonly onGroup: (node: SimNode, group: Group) => void;
  /** A process begins. */
  readonly onStart?: (node: SimNode) => void;
  /** Its process can't go on. */
  readonly onFatal?: (node: SimNode, reason: Error) => void;
  /** The log of some groups is open. */
  readonly onLog?: (
    node: SimNode,
    log: RecordLog,
    stored: ReadonlyMap<number, StoredGroup> | undefined,
  ) => void;
  /** Sees what becomes of the node's own objects. */
  readonly coldLook?: (node: SimNode) => ColdLook;
  /** Puts something before the cold store that the product gets. */
  readonly onStore?: (node: SimNode, store: ColdStore) => ColdStore;
  /** The product runs, and nobody has asked it for anything yet. */
  readonly onUp: (runtime: ShardRuntime) => void;
}

/** What a process is: it ends as a whole. */
interface Process {
  readonly clock: ProcessClock;
  readonly died: Promise<typeof DIED>;
  readonly groups: Group[];
  readonly die: () => void;
  store: Store | undefined;
  coldLock: DiskLock | undefined;
  /** The cold store, as nobody has put anything before it. */
  cold: ColdStore | undefined;
  links: ClusterLinks | undefined;
  runtime: ShardRuntime | undefined;
  fatal: Error | undefined;
  ending: boolean;
}

/** What a node shares with the others. */
export interface SimNodeWorld {
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly trace: Trace;
  readonly network: SimNetwork;
  /** Where objects lie that all share; undefined where each keeps its own, or there are none. */
  readonly bucket?: SimBucket | undefined;
  /** What a node that waits for its disk is ahead of all others at most: these compare clocks. */
  readonly blockMsMax?: number;
}

/** What wall clocks are ahead of the run's time when nothing is wrong. */
export const WALL_OFFSET_MS: number = Date.UTC(2026, 0, 1);

/** One machine with one disk, on which the product runs as one process after another. */
export class SimNode {
  disk: SimDisk;
  readonly machine: MachineClock;
  /** Of the data directory; empty until it was opened. */
  formation = "";
  /** The whole id, as keys of objects begin with it. */
  formationId = "";
  /** Node and store, as members of groups are called; empty until the store was opened. */
  member = "";
  /** How many processes there have been. */
  lives = 0;
  /** It has lost its data, and nobody has replaced it. */
  isWiped = false;
  /** Bits of its data have rotted. */
  isRotten = false;
  /** Why the last process could not go on; cleared by a start. */
  fatal: Error | undefined;
  readonly #plan: Plan;
  readonly #clock: SimClock;
  readonly #network: SimNetwork;
  readonly #random: SimRandom;
  readonly #trace: Trace;
  readonly #hooks: SimNodeHooks;
  readonly #bucket: SimBucket | undefined;
  #process: Process | undefined;
  #wake: (() => void)[] = [];
  #resumed: (() => void)[] = [];

  constructor(
    readonly id: number,
    plan: Plan,
    world: SimNodeWorld,
    hooks: SimNodeHooks,
    disk?: SimDisk,
  ) {
    this.#plan = plan;
    this.machine = new MachineClock(world.clock, WALL_OFFSET_MS);
    this.#clock = world.clock;
    this.#network = world.network;
    this.#random = world.random;
    this.#trace = world.trace;
    this.#hooks = hooks;
    this.#bucket = world.bucket;
    this.disk = disk ?? new SimDisk({
      random: world.random.fork(),
      clock: this.machine,
      block: (ms) => this.machine.block(Math.min(ms, world.blockMsMax ?? Infinity)),
      latencyMsMax: plan.diskLatencyMsMax,
    });
  }

  /** The process's groups, once they are open. */
  get groups(): readonly Group[] {
    return this.#process?.groups ?? [];
  }

  /** The product, where it runs and answers. */
  get runtime(): ShardRuntime | undefined {
    return this.#process?.runtime;
  }

  /** Is a process there, be it only starting? */
  get running(): boolean {
    return this.#process !== undefined;
  }

  /** Is the process about to end, so that live reads end whatever their streams do? */
  get ending(): boolean {
    return this.#process === undefined || this.#process.ending;
  }

  /** The cold store of the process. */
  get cold(): ColdStore | undefined {
    return this.#process?.cold;
  }

  /** Does it have an object for itself, so that it is there whatever becomes of the process? */
  keeps(key: string): boolean {
    const { cold } = this;
    if (this.#plan.cluster?.memory !== true) return this.disk.isDurable(`${COLD_ROOT}/${key}`);
    return cold instanceof WatchedStore && cold.keeps(key);
  }

  /** Group time, earliest and latest over the groups, in ms. */
  groupTimes(): { min: number; max: number } {
    let [min, max] = [Infinity, -Infinity];
    for (const { nowMs } of this.groups) {
      min = Math.min(min, nowMs);
      max = Math.max(max, nowMs);
    }
    return { min, max };
  }

  /**
   * Starts a process.
   * @throws what the product throws when it refuses to start; the process is gone then
   */
  async start(): Promise<void> {
    this.lives++;
    this.fatal = undefined;
    const process = this.#process = newProcess(
      new ProcessClock(this.machine),
    );
    this.#trace.line(`node ${this.id} starts, life ${this.lives}`);
    this.#hooks.onStart?.(this);
    const started = await Promise.race([
      this.#boot(process).catch((reason) => ({ reason })),
      process.died,
    ]);
    if (started === DIED) return;
    if (started !== undefined) {
      const { reason } = started;
      this.#trace.line(`node ${this.id} does not start: ${describe(reason)}`);
      process.links?.close();
      process.coldLock?.release();
      process.store?.release();
      this.#network.kill(this.id);
      this.#end(process);
      throw reason;
    }
    this.#trace.line(`node ${this.id} is up`);
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }

  /** Resolves when the product runs. */
  async up(): Promise<void> {
    while (this.runtime === undefined) {
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /**
   * Has the product do something.
   *
   * @param patienceMs how long the caller waits; for whatever comes where left out
   * @returns {@linkcode Lost} when the process dies first, or patience is over
   */
  async call<T>(
    work: (runtime: ShardRuntime) => T | Promise<T>,
    patienceMs?: number,
  ): Promise<T | Lost> {
    const process = this.#process;
    if (process?.runtime === undefined) return NEVER_BEGUN;
    const { runtime, died } = process;
    if (!this.machine.paused && patienceMs === undefined) {
      const answer = await Promise.race([work(runtime), died]);
      return answer === DIED ? { lost: true, over: died } : answer;
    }
    const answering = this.#awake(process).then(() => work(runtime));
    const over = Promise.race([answering, died]);
    const answer = await Promise.race([over, this.#impatience(patienceMs ?? Infinity)]);
    return answer === DIED || answer === IMPATIENT ? { lost: true, over } : answer;
  }

  /** The process is killed: what it wrote is there, synced or not. */
  kill(): void {
    this.#trace.line(`node ${this.id} is killed`);
    this.disk = this.disk.kill();
    this.#network.kill(this.id);
    this.#end(this.#process);
  }

  /** The machine loses power: what was not synced may be gone. */
  cutPower(): void {
    this.#trace.line(`node ${this.id} loses power`);
    this.disk = this.disk.crash();
    this.#network.kill(this.id, { silent: true });
    this.#end(this.#process);
  }

  /** Somebody has deleted the data directory. */
  wipe(): void {
    this.#trace.line(`node ${this.id} is wiped`);
    this.isWiped = true;
    this.disk = new SimDisk(this.disk.options);
  }

  /** The machine stands still, until {@linkcode SimNode.resume}. */
  pause(): void {
    this.#trace.line(`node ${this.id} pauses`);
    this.machine.pause();
    this.#network.pause(this.id);
  }

  /** The machine goes on; it finds that time has gone by. */
  resume(): void {
    this.#trace.line(`node ${this.id} goes on`);
    this.machine.resume();
    this.#network.resume(this.id);
    const waiting = this.#resumed;
    this.#resumed = [];
    for (const wake of waiting) wake();
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (process?.runtime === undefined) return;
    this.#trace.line(`node ${this.id} stops`);
    process.ending = true;
    const { runtime, links } = process;
    await Promise.race([this.#stopAll(runtime, links), process.died]);
    if (this.#process !== process) return;
    await Promise.race([process.store?.close(), process.died]);
    if (this.#process !== process) return;
    this.disk = this.disk.kill();
    this.#network.kill(this.id);
    this.#end(process);
  }

  /** Resolves when the machine does not stand still. */
  async #awake(process: Process): Promise<void> {
    while (this.machine.paused && this.#process === process) {
      await new Promise<void>((resolve) => this.#resumed.push(resolve));
    }
  }

  #impatience(patienceMs: number): Promise<typeof IMPATIENT> {
    return new Promise((resolve) => {
      if (patienceMs < Infinity) this.#clock.setTimer(patienceMs, () => resolve(IMPATIENT));
    });
  }

  /** As a node does when it is told to end. */
  async #stopAll(runtime: ShardRuntime, links: ClusterLinks | undefined): Promise<void> {
    if (links !== undefined) await runtime.handOver();
    await runtime.stop();
    await links?.close();
  }

  async #boot(process: Process): Promise<undefined> {
    const { groups, journals, fsync, segmentBytes, snapshotLogBytesMin, cluster } = this.#plan;
    const io: Io & Required<Pick<ShardIo, "openCold">> = {
      openCold: (backend) => this.#openCold(process, backend, io),
      clock: process.clock,
      random: this.#random.fork(),
      disk: this.disk,
      network: this.#network.of(this.id),
    };
    const hooks = {
      onFatal: (reason: Error) => this.#failed(process, reason),
      log: (line: string) => this.#trace.line(`node ${this.id} says: ${line}`),
      onGroup: (group: Group) => {
        process.groups.push(group);
        this.#hooks.onGroup(this, group);
      },
      onLog: (log: RecordLog, stored: ReadonlyMap<number, StoredGroup> | undefined) => {
        this.#hooks.onLog?.(this, log, stored);
      },
    };
    const config = {
      ...coldConfig(this.#plan),
      raftMemory: cluster?.memory ?? false,
      dataDir: DATA_DIRECTORY,
      cores: journals,
      raftGroupCount: groups,
      clusterId: "simulated",
      nodeId: cluster === undefined ? 1 : this.id,
      cluster: cluster && this.#clusterConfig(),
      fsync: fsync ? "always" : "never",
      readLease: cluster?.readLease ?? true,
    } as const;
    const store = await openStore(config, io, "boot", hooks.log);
    process.store = store;
    if (config.coldBackend === "fs") {
      const lock = await prepareCold(config, store, io, (_, line) => hooks.log(line));
      process.coldLock = lock;
    }
    if (config.cluster !== undefined) {
      const { onFatal, log } = hooks;
      const { cluster } = config;
      process.links = new ClusterLinks({ config, cluster, store, io, shared: false, log, onFatal });
      await process.links.listen();
      await process.links.formed();
    }
    if (config.coldBackend !== "none") await store.refersTo(config.coldBackend);
    this.formation = store.formation;
    this.formationId = store.record?.id ?? "";
    this.member = store.member;
    const setup: ShardSetup = {
      ...shardSetup(store, process.links),
      index: 0,
      shardCount: 1,
      groupCount: groups,
      fsync,
      hotBytesMax: this.#plan.hotBytesMax ?? HOT_BYTES_MAX,
      cold: withTiming(coldSetupOf(config, store), this.#plan),
      segmentBytes,
      snapshotLogBytesMin,
      snapshotPieceBytes: this.#plan.snapshotPieceBytes,
      ...(cluster && { retainedBytesMax: cluster.retainedBytesMax }),
      decodeOwn: true,
    };
    const runtime = await ShardRuntime.start(setup, io, [undefined], hooks, process.links?.links);
    await store.started();
    if (this.#process !== process) return undefined;
    this.#hooks.onUp(runtime);
    process.runtime = runtime;
    return undefined;
  }

  async #openCold(process: Process, backend: ColdBackend, io: Io): Promise<ColdStore> {
    const store = this.#bucket !== undefined
      ? this.#bucket.open(this.id, process.clock)
      : await openColdStore(backend, io);
    const look = this.#bucket === undefined ? this.#hooks.coldLook?.(this) : undefined;
    process.cold = look === undefined ? store : new WatchedStore(store, look);
    return this.#hooks.onStore?.(this, process.cold) ?? process.cold;
  }

  #clusterConfig(): ClusterConfig {
    const peers = Array.from({ length: this.#plan.nodes }, (_, at) => {
      const hostname = SimNetwork.hostname(at + 1);
      return { nodeId: at + 1, hostname, port: PEER_PORT, url: `http://${hostname}` };
    });
    const listen = { hostname: SimNetwork.hostname(this.id), port: PEER_PORT };
    return { nodeId: this.id, peers, listen, initMembership: true, secret: "shared" };
  }

  #failed(process: Process, reason: Error): void {
    if (process.fatal !== undefined || this.#process !== process) return;
    process.fatal = reason;
    process.ending = true;
    this.fatal = reason;
    this.#trace.line(`node ${this.id} can't go on: ${reason.message}`);
    this.#hooks.onFatal?.(this, reason);
    process.runtime?.abandon();
    process.links?.close();
    process.store?.release();
    this.#network.kill(this.id);
    this.disk = this.disk.kill();
    this.#end(process);
  }

  #end(process: Process | undefined): void {
    if (process === undefined) return;
    process.clock.kill();
    this.#process = undefined;
    process.die();
  }
}

function newProcess(clock: ProcessClock): Process {
  let die = () => {};
  const died = new Promise<typeof DIED>((resolve) => die = () => resolve(DIED));
  return {
    clock,
    died,
    die,
    groups: [],
    store: undefined,
    coldLock: undefined,
    cold: undefined,
    links: undefined,
    runtime: undefined,
    fatal: undefined,
    ending: false,
  };
}

/** A reason in one line. */
export function describe(reason: unknown): string {
  return reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
}
