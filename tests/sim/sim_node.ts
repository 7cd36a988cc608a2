import type { Group } from "../../group/mod.ts";
import type { Clock } from "../../io/mod.ts";
import { ShardRuntime } from "../../node/runtime.ts";
import { openStore, type Store } from "../../node/store.ts";
import type { ShardSetup } from "../../shard/mod.ts";
import type { SimClock } from "./clock.ts";
import { SimDisk } from "./disk.ts";
import type { Plan } from "./plan.ts";
import { ProcessClock } from "./process_clock.ts";
import type { SimRandom } from "./random.ts";
import type { Trace } from "./trace.ts";

/** Where a node keeps its data. */
export const DATA_DIRECTORY = "/data";

/** What comes of a call that its process did not live to answer. */
export interface Lost {
  readonly lost: true;
}

const LOST: Lost = { lost: true };
const HOT_BYTES_MAX = 64 * 1024 * 1024;

/** What a {@linkcode SimNode} tells. */
export interface SimNodeHooks {
  /** A group is open; its state is as it was loaded, before the log is applied. */
  readonly onGroup: (node: SimNode, group: Group) => void;
  /** The product runs, and nobody has asked it for anything yet. */
  readonly onUp: (runtime: ShardRuntime) => void;
}

/** What a process is: it ends as a whole. */
interface Process {
  readonly clock: ProcessClock;
  readonly died: Promise<Lost>;
  readonly groups: Group[];
  readonly die: () => void;
  store: Store | undefined;
  runtime: ShardRuntime | undefined;
  fatal: Error | undefined;
  ending: boolean;
}

/** One machine with one disk, on which the product runs as one process after another. */
export class SimNode {
  disk: SimDisk;
  /** What the machine's wall clock is ahead of the run's. */
  wallOffsetMs = Date.UTC(2026, 0, 1);
  /** Of the data directory; empty until it was opened. */
  formation = "";
  /** How many processes there have been. */
  lives = 0;
  /** Why the last process could not go on; cleared by a start. */
  fatal: Error | undefined;
  readonly #plan: Plan;
  readonly #clock: SimClock;
  readonly #random: SimRandom;
  readonly #trace: Trace;
  readonly #hooks: SimNodeHooks;
  #process: Process | undefined;
  #wake: (() => void)[] = [];

  constructor(
    readonly id: number,
    plan: Plan,
    world: { clock: SimClock; random: SimRandom; trace: Trace },
    hooks: SimNodeHooks,
    disk?: SimDisk,
  ) {
    this.#plan = plan;
    this.#clock = world.clock;
    this.#random = world.random;
    this.#trace = world.trace;
    this.#hooks = hooks;
    this.disk = disk ?? new SimDisk({
      random: world.random.fork(),
      clock: world.clock,
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
      new ProcessClock(this.#clock, () => this.wallOffsetMs),
    );
    this.#trace.line(`node ${this.id} starts, life ${this.lives}`);
    const started = await Promise.race([
      this.#boot(process).catch((reason) => ({ reason })),
      process.died,
    ]);
    if (started !== undefined && "lost" in started) return;
    if (started !== undefined) {
      const { reason } = started;
      this.#trace.line(`node ${this.id} does not start: ${describe(reason)}`);
      process.store?.release();
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

  /** Has the product do something; {@linkcode Lost} when the process dies first. */
  async call<T>(work: (runtime: ShardRuntime) => T | Promise<T>): Promise<T | Lost> {
    const process = this.#process;
    if (process?.runtime === undefined) return LOST;
    return await Promise.race([work(process.runtime), process.died]);
  }

  /** The process is killed: what it wrote is there, synced or not. */
  kill(): void {
    this.#trace.line(`node ${this.id} is killed`);
    this.disk = this.disk.kill();
    this.#end(this.#process);
  }

  /** The machine loses power: what was not synced may be gone. */
  cutPower(): void {
    this.#trace.line(`node ${this.id} loses power`);
    this.disk = this.disk.crash();
    this.#end(this.#process);
  }

  /** Ends the process in order. */
  async stop(): Promise<void> {
    const process = this.#process;
    if (process?.runtime === undefined) return;
    this.#trace.line(`node ${this.id} stops`);
    process.ending = true;
    await Promise.race([process.runtime.stop(), process.died]);
    if (this.#process !== process) return;
    await Promise.race([process.store?.close(), process.died]);
    if (this.#process !== process) return;
    this.disk = this.disk.kill();
    this.#end(process);
  }

  async #boot(process: Process): Promise<undefined> {
    const io = { clock: process.clock as Clock, random: this.#random.fork(), disk: this.disk };
    const { groups, journals, fsync, segmentBytes, snapshotLogBytesMin } = this.#plan;
    const store = await openStore(
      {
        raftMemory: false,
        dataDir: DATA_DIRECTORY,
        cores: journals,
        raftGroupCount: groups,
        clusterId: "simulated",
        nodeId: 1,
        cluster: undefined,
        fsync: fsync ? "always" : "never",
      },
      io,
      "boot",
    );
    process.store = store;
    this.formation = store.formation;
    const setup: ShardSetup = {
      index: 0,
      shardCount: 1,
      groupCount: groups,
      journalCount: store.journalCount,
      formation: store.formation,
      member: store.member,
      directory: store.directory,
      fsync,
      hotBytesMax: HOT_BYTES_MAX,
      hasStarted: store.hasStarted,
      segmentBytes,
      snapshotLogBytesMin,
      decodeOwn: true,
    };
    const hooks = {
      onFatal: (reason: Error) => this.#failed(process, reason),
      log: (line: string) => this.#trace.line(`node ${this.id} says: ${line}`),
      onGroup: (group: Group) => {
        process.groups.push(group);
        this.#hooks.onGroup(this, group);
      },
    };
    const runtime = await ShardRuntime.start(setup, io, [undefined], hooks);
    await store.started();
    if (this.#process !== process) return undefined;
    this.#hooks.onUp(runtime);
    process.runtime = runtime;
    return undefined;
  }

  #failed(process: Process, reason: Error): void {
    if (process.fatal !== undefined || this.#process !== process) return;
    process.fatal = reason;
    process.ending = true;
    this.fatal = reason;
    this.#trace.line(`node ${this.id} can't go on: ${reason.message}`);
    process.runtime?.abandon();
    process.store?.release();
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
  const died = new Promise<Lost>((resolve) => die = () => resolve(LOST));
  return {
    clock,
    died,
    die,
    groups: [],
    store: undefined,
    runtime: undefined,
    fatal: undefined,
    ending: false,
  };
}

/** A reason in one line. */
export function describe(reason: unknown): string {
  return reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason);
}
