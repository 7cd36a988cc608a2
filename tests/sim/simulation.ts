/**
 * One run: a scenario drawn from a seed, the product on simulated machines, clients, faults, and
 * the checkers that look on.
 *
 * Faults come first; then everything is healed, and must make progress, finish what was left
 * half-way, and hold what it ever said.
 *
 * @module
 */

import type { Group } from "../../group/mod.ts";
import { DiskError } from "../../io/mod.ts";
import type { ShardRuntime } from "../../node/runtime.ts";
import { groupOf } from "../../shard/mod.ts";
import type { ColdStore } from "../../storage/cold/mod.ts";
import { audit, readAll, readRotten } from "./audit.ts";
import { TimeChecker } from "./check/bounds.ts";
import { Ledger } from "./check/ledger.ts";
import { Namespace } from "./check/namespace.ts";
import { ReplicaChecker } from "./check/replicas.ts";
import { Writes } from "./check/writes.ts";
import { proveProgress, SimClient } from "./client.ts";
import { SimClock } from "./clock.ts";
import { type ClusterWorld, trouble } from "./cluster_faults.ts";
import { ClusterWatch } from "./cluster_watch.ts";
import type { SimDisk } from "./disk.ts";
import { auditObjects, auditOrphans } from "./cold_audit.ts";
import { troubleCold } from "./cold_faults.ts";
import { sharedBucket } from "./cold_store.ts";
import { ColdWatch } from "./cold_watch.ts";
import { strike } from "./faults.ts";
import type { LiveReader } from "./live_reader.ts";
import { SimNetwork } from "./network.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { Publisher } from "./publisher.ts";
import { SimRandom } from "./random.ts";
import { SimNode, WALL_OFFSET_MS } from "./sim_node.ts";
import { Trace } from "./trace.ts";
import { Violation } from "./violation.ts";
import { type BookEntry, pause } from "./world.ts";

/** Errands that a crash left are run within this: a reservation's 10 s, and some sweeps. */
const SETTLE_MS = 15_000;
/** By now every group has a leader, however often votes were split. */
const ELECTED_MS = 5_000;
/** Nothing takes longer in a run; beyond it something hangs. */
const STUCK_MS = 60_000;
/** Far below what group time may be wrong by. */
const BLOCK_MS_MAX = 100;
/** All that befalls a cluster is over within this. */
const TROUBLE_MS_MAX = 180_000;
/** A replica that lost its leader tells live readers at most so long after the trouble is over. */
const DEAF_MS = 3_000;
/** What is due is gone after this: a tick, and a commit. */
const EXPIRING_MS = 1_000;
/** Events at one moment; with more, somebody goes round in circles. */
const EVENTS_AT_ONCE_MAX = 20_000;

/** How a run may be changed. */
export interface SimulationOptions {
  /** How many nodes; drawn where left out. */
  readonly nodes?: number;
  /** Takes every line of the trace as it comes. */
  readonly print?: (line: string) => void;
  /** Instead of the plan that the seed would draw. */
  readonly plan?: (drawn: Plan) => Plan;
  /** Sees every group when it opens, before the checkers do: where tests break the product. */
  readonly onGroup?: (group: Group) => void;
  /** Puts something before the cold store that a node gets: likewise. */
  readonly onStore?: (node: SimNode, store: ColdStore) => ColdStore;
  /** Sees every process when it is up, before clients do: likewise. */
  readonly onUp?: (runtime: ShardRuntime) => void;
}

/** What came of a run. */
export interface Outcome {
  readonly seed: number;
  readonly plan: Plan;
  /** Hash over all that happened, and all that lies on the disks. */
  readonly digest: string;
  /** Undefined where everything held. */
  readonly failure: Error | undefined;
  /** The last lines of the trace. */
  readonly tail: readonly string[];
}

/** Runs the scenario of a seed. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Outcome> {
  const run = new Simulation(seed, options);
  let failure: Error | undefined;
  try {
    await run.run();
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    run.trace.line(`failed: ${failure.message}`);
  }
  run.end();
  const tail = run.trace.tail();
  return { seed, plan: run.plan, digest: run.trace.digest(), failure, tail };
}

class Simulation implements ClusterWorld {
  readonly plan: Plan;
  readonly clock = new SimClock();
  readonly network: SimNetwork;
  readonly trace: Trace;
  readonly writes = new Writes();
  readonly ledger = new Ledger(this.writes);
  readonly namespace: Namespace;
  readonly nodes: readonly SimNode[];
  readonly book = new Map<string, BookEntry>();
  readonly readers = new Set<LiveReader>();
  draining = false;
  readonly #random: SimRandom;
  readonly #replicas: ReplicaChecker;
  /** Of a lone node. */
  readonly #time = new TimeChecker();
  /** Of a cluster; undefined for a lone node. */
  readonly #watch: ClusterWatch | undefined;
  readonly #options: SimulationOptions;
  /** Undefined where all stays in memory. */
  readonly #cold: ColdWatch | undefined;
  #clients: Promise<void>[] = [];
  #failure: Error | undefined;
  readonly #waiting = new Set<{ left: number; over: () => boolean; resolve: () => void }>();
  /** Group time while no node runs is what it was last. */
  #times = { min: 0, max: 0 };
  /** Things that are wrong with the cluster, and when the last one was over. */
  #troubles = 0;
  #troubledMs = -Infinity;

  constructor(seed: number, options: SimulationOptions) {
    this.#random = new SimRandom(seed);
    const drawn = drawPlan(this.#random.fork(), options.nodes);
    this.plan = options.plan?.(drawn) ?? drawn;
    const { nodes, cluster } = this.plan;
    this.trace = new Trace(this.clock, options.print);
    this.trace.line(JSON.stringify(this.plan));
    this.#options = options;
    this.network = new SimNetwork({
      clock: this.clock,
      random: cluster === undefined ? new SimRandom(0) : this.#random.fork(),
      latencyMsMax: cluster?.latencyMsMax,
    });
    this.#cold = this.plan.cold && new ColdWatch({
      plan: this.plan,
      clock: this.clock,
      random: this.#random.fork(),
      trace: this.trace,
      nodes: () => this.nodes,
      replicas: () => this.#replicas,
    });
    this.#replicas = new ReplicaChecker(this.#cold);
    const watch = cluster && new ClusterWatch(this.#replicas, () => this.#rightMs());
    this.#watch = watch;
    this.namespace = new Namespace({
      times: (key) => this.#timesOf(key),
      undecided: watch && ((over, decided) => {
        watch.undecided.add(over, () => this.clock.monotonicMs(), decided);
      }),
    });
    this.nodes = Array.from({ length: nodes }, (_, at) => this.#makeNode(at + 1));
  }

  async run(): Promise<void> {
    await this.#all(this.nodes, (node) => this.bringUp(node));
    const random = this.#random.fork();
    this.#clients = Array.from({ length: this.plan.clients }, (_, at) => {
      const client = new SimClient(this, at + 1, this.#random.fork()).run();
      client.catch((error) => this.fail(error));
      return client;
    });
    const publishers = this.#publish();
    const cold = troubleCold(this, this.#cold?.bucket, this.#random.fork());
    cold.catch((error) => this.fail(error));
    await this.#strike(random);
    await this.#drive(cold);
    await this.#drive(this.events(random.below(500)));
    this.draining = true;
    await this.#drive(Promise.all(this.#clients));
    for (const node of this.serving) await this.#drive(proveProgress(this, node, `n${node.id}`));
    await this.#drive(pause(this, SETTLE_MS));
    this.#checkDecided();
    this.namespace.settle();
    for (const node of this.serving) await this.#drive(audit(this, node, this.#replicas));
    await this.#auditPublished(publishers);
    await this.#drive(auditObjects(this), TROUBLE_MS_MAX);
    if (this.plan.cold?.sweepsOut) await this.#drive(auditOrphans(this));
    await this.#turnOver(publishers);
  }

  /** Ends all processes. */
  end(): void {
    for (const node of this.nodes) {
      if (node.running) node.kill();
      this.trace.disk(node.disk);
    }
  }

  get serving(): readonly SimNode[] {
    return this.nodes.filter((node) => !node.isWiped);
  }

  events(count: number, over: () => boolean = () => false): Promise<void> {
    if (count <= 0 || over()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add({ left: count, over, resolve }));
  }

  async bringUp(node: SimNode): Promise<void> {
    const isLone = this.#watch === undefined;
    if (isLone) this.namespace.restarting();
    await node.start();
    if (!node.running) throw new Violation("progress", `node ${node.id} ends: ${node.fatal}`);
    if (isLone) this.#replicas.recovered(node.groups);
  }

  mayJump(node: SimNode): boolean {
    return this.nodes.length === 1 || node.id <= (this.nodes.length - 1) >> 1;
  }

  troubled(): () => void {
    this.#troubles++;
    return () => {
      this.#troubles--;
      this.#troubledMs = this.clock.monotonicMs();
      this.#watch?.undecided.delayed(this.#troubledMs);
    };
  }

  mayBeDeaf(): boolean {
    return this.#troubles > 0 || this.clock.monotonicMs() < this.#troubledMs + DEAF_MS;
  }

  isVoter(node: SimNode): boolean {
    const groups = new Set<number>();
    for (const group of this.nodes.flatMap((other) => other.groups)) {
      if (!group.ready || !group.leads) continue;
      const { voters, outgoing } = group.status().membership;
      if (voters.includes(node.member) && outgoing.length === 0) groups.add(group.id);
    }
    return groups.size === this.plan.groups;
  }

  groupNowMs(): number {
    const [node] = this.nodes;
    if (this.#watch === undefined) return node?.running ? node.groupTimes().max : 0;
    return this.#timesOf(undefined).max;
  }

  expiredMs(node: SimNode): number {
    return this.#watch === undefined ? node.groupTimes().min : this.groupNowMs() - EXPIRING_MS;
  }

  async tryStart(disk: SimDisk): Promise<Error | undefined> {
    const { clock, network, trace } = this;
    const random = this.#random.fork();
    // Nothing it does may reach what others share.
    const bucket = sharedBucket(this.plan.cold, { clock, random });
    if (bucket !== undefined) bucket.faults.isDown = true;
    const world = { clock, network, trace, bucket, random };
    const hooks = { onGroup: () => {}, onUp: () => {} };
    const copy = new SimNode(99, this.plan, world, hooks, disk);
    try {
      await copy.start();
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
    try {
      for (const { id, state } of copy.groups) {
        if (state.stateHash() === (this.#replicas.hashOf(id) ?? state.stateHash())) continue;
        throw new Violation("faults", `a node on a rotten disk has another group ${id}`);
      }
      return await readRotten(this, copy);
    } finally {
      copy.kill();
    }
  }

  #makeNode(id: number): SimNode {
    const { clock, network, trace } = this;
    const cold = this.#cold;
    const bucket = cold?.bucket;
    const random = this.#random.fork();
    const world = { clock, network, trace, bucket, random, blockMsMax: BLOCK_MS_MAX };
    const node = new SimNode(id, this.plan, world, {
      onGroup: (node, group) => {
        this.#options.onGroup?.(group);
        this.#replicas.attach(group, node.formation);
      },
      onLog: (node, log, stored) => this.#watch?.onLog(node, log, stored),
      onStart: (node) => this.#watch?.starting(node),
      onFatal: (node, reason) => {
        // Nothing but its disk may end a node.
        if (reason instanceof DiskError) return;
        this.fail(new Violation("life", `node ${node.id} ends: ${reason.message}`));
      },
      onUp: (runtime) => this.#options.onUp?.(runtime),
      coldLook: cold && ((node) => cold.look(node.id)),
      onStore: this.#options.onStore,
    });
    const { skewMsMax = 0 } = this.plan.cluster ?? {};
    if (skewMsMax > 0) {
      node.machine.wallOffsetMs += Math.round((2 * world.random.next() - 1) * skewMsMax);
    }
    return node;
  }

  #publish(): readonly Publisher[] {
    const random = this.#random.fork();
    return Array.from({ length: this.plan.publishers }, (_, at) => {
      const publisher = new Publisher(this, at + 1, random.fork());
      const running = publisher.run();
      running.catch((error) => this.fail(error));
      this.#clients.push(running);
      return publisher;
    });
  }

  async #auditPublished(publishers: readonly Publisher[]): Promise<void> {
    for (const node of this.serving) {
      for (const publisher of publishers) await this.#drive(publisher.audit(node));
    }
  }

  async #strike(random: SimRandom): Promise<void> {
    if (this.plan.cluster !== undefined) {
      return await this.#drive(trouble(this, random), TROUBLE_MS_MAX);
    }
    for (const fault of this.plan.faults) {
      const [node] = this.nodes;
      if (node !== undefined) await this.#drive(strike(this, node, fault, random));
    }
  }

  /** Does something with many nodes at once. */
  async #all(nodes: readonly SimNode[], work: (node: SimNode) => Promise<void>): Promise<void> {
    await this.#drive(Promise.all(nodes.map(work)));
  }

  /** Lets events happen until the work is done; nothing else moves the clock. */
  async #drive(work: Promise<unknown>, stuckMs = STUCK_MS): Promise<void> {
    let over = false;
    const end = () => {
      over = true;
    };
    work.then(end, end);
    const untilMs = this.clock.monotonicMs() + stuckMs;
    let [nowMs, events] = [0, 0];
    await this.clock.run(0);
    while (!over) {
      if (!await this.clock.step()) await this.clock.run(1);
      if (this.clock.monotonicMs() !== nowMs) [nowMs, events] = [this.clock.monotonicMs(), 0];
      if (++events > EVENTS_AT_ONCE_MAX) {
        throw new Violation("progress", `${events} events without time going by`);
      }
      this.#check();
      for (const waiter of this.#waiting) {
        if (--waiter.left > 0 && !waiter.over()) continue;
        this.#waiting.delete(waiter);
        waiter.resolve();
        // What waited goes on before the next event.
        await this.clock.run(0);
      }
      if (this.clock.monotonicMs() > untilMs) {
        throw new Violation("progress", `nothing came of it in ${stuckMs} ms`);
      }
    }
    await work;
    this.#check();
  }

  /** Stops, starts again, and finds everything as it was. */
  async #turnOver(publishers: readonly Publisher[]): Promise<void> {
    const nodes = this.serving;
    // Together they would forget everything.
    if (this.plan.cluster?.memory === true) return;
    await this.#all(this.nodes, (node) => node.stop());
    await this.#all(this.nodes, (node) => this.bringUp(node));
    // Nobody votes at once, and a reader may be less patient than that.
    if (this.#watch !== undefined) await this.#drive(pause(this, ELECTED_MS));
    for (const node of nodes) await this.#drive(readAll(this, node));
    await this.#auditPublished(publishers);
    await this.#all(this.nodes, (node) => node.stop());
  }

  /** With everything healed, every request has taken effect by now or never will. */
  #checkDecided(): void {
    const left = this.#watch?.undecided.size ?? 0;
    if (left > 0) throw new Violation("progress", `nobody knows what became of ${left} requests`);
  }

  #timesOf(key: string | undefined): { min: number; max: number } {
    const watch = this.#watch;
    if (watch === undefined) return this.#groupTimes();
    const { groups } = this.plan;
    const all = Array.from({ length: groups }, (_, group) => group);
    // What a new leader applies first is answered before anybody has looked at its time.
    const latest = (group: number) =>
      Math.max(watch.time.latest(group), this.#replicas.applied(group).stampMs);
    const max = Math.max(...all.map(latest));
    // A fork lives where its source does.
    const isAnywhere = key === undefined || this.namespace.path(key).wasForkPath;
    const among = isAnywhere ? all : [groupOf(key, groups)];
    return { min: Math.min(...among.map((group) => this.#replicas.applied(group).stampMs)), max };
  }

  #groupTimes(): { min: number; max: number } {
    const running = this.nodes.filter((node) => node.groups.length > 0);
    if (running.length > 0) {
      const times = running.map((node) => node.groupTimes());
      this.#times = {
        min: Math.min(...times.map(({ min }) => min)),
        max: Math.max(...times.map(({ max }) => max)),
      };
    }
    return this.#times;
  }

  /** What most wall clocks say, more or less. */
  #rightMs(): number {
    return WALL_OFFSET_MS + this.clock.monotonicMs();
  }

  #check(): void {
    const nowMs = this.clock.monotonicMs();
    if (this.#watch === undefined) {
      for (const node of this.nodes) this.#time.check(node.groups, nowMs);
    } else {
      this.#watch.look(this.nodes, nowMs, this.#troubles > 0);
    }
    const failure = this.#replicas.failure ?? this.#cold?.objects.failure ?? this.#failure;
    if (failure !== undefined) throw failure;
  }

  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }
}
