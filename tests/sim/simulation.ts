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
import type { ShardRuntime } from "../../node/runtime.ts";
import { checkDiskUsage, TimeChecker } from "./check/bounds.ts";
import { Ledger } from "./check/ledger.ts";
import { Namespace } from "./check/namespace.ts";
import { ReplicaChecker } from "./check/replicas.ts";
import { checkResidue } from "./check/residue.ts";
import { Writes } from "./check/writes.ts";
import { proveProgress, SimClient } from "./client.ts";
import { SimClock } from "./clock.ts";
import type { SimDisk } from "./disk.ts";
import { type FaultWorld, strike } from "./faults.ts";
import { drawPlan, type Plan } from "./plan.ts";
import { SimRandom } from "./random.ts";
import * as requests from "./requests.ts";
import { SimNode } from "./sim_node.ts";
import { Trace } from "./trace.ts";
import { Violation } from "./violation.ts";
import { type BookEntry, pause } from "./world.ts";

/** Errands that a crash left are run within this: a reservation's 10 s, and some sweeps. */
const SETTLE_MS = 15_000;
/** Nothing takes longer in a run; beyond it something hangs. */
const STUCK_MS = 60_000;
/** Events at one moment; with more, somebody goes round in circles. */
const EVENTS_AT_ONCE_MAX = 20_000;
const READ_BYTES_MAX = 100_000;

/** How a run may be changed. */
export interface SimulationOptions {
  /** Takes every line of the trace as it comes. */
  readonly print?: (line: string) => void;
  /** Instead of the plan that the seed would draw. */
  readonly plan?: (drawn: Plan) => Plan;
  /** Sees every group when it opens, before the checkers do: where tests break the product. */
  readonly onGroup?: (group: Group) => void;
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

class Simulation implements FaultWorld {
  readonly plan: Plan;
  readonly clock = new SimClock();
  readonly trace: Trace;
  readonly writes = new Writes();
  readonly ledger = new Ledger(this.writes);
  readonly namespace: Namespace;
  readonly nodes: readonly SimNode[];
  readonly book = new Map<string, BookEntry>();
  draining = false;
  readonly #random: SimRandom;
  readonly #replicas = new ReplicaChecker();
  readonly #time = new TimeChecker();
  readonly #options: SimulationOptions;
  #clients: Promise<void>[] = [];
  #failure: Error | undefined;
  readonly #waiting = new Set<{ left: number; over: () => boolean; resolve: () => void }>();
  /** Group time while no node runs is what it was last. */
  #times = { min: 0, max: 0 };

  constructor(seed: number, options: SimulationOptions) {
    this.#random = new SimRandom(seed);
    const drawn = drawPlan(this.#random.fork());
    this.plan = options.plan?.(drawn) ?? drawn;
    this.trace = new Trace(this.clock, options.print);
    this.trace.line(JSON.stringify(this.plan));
    this.#options = options;
    this.namespace = new Namespace(() => this.#groupTimes());
    this.nodes = Array.from({ length: this.plan.nodes }, (_, at) => this.#makeNode(at + 1));
  }

  async run(): Promise<void> {
    const { plan } = this;
    for (const node of this.nodes) await this.#drive(this.bringUp(node));
    const random = this.#random.fork();
    this.#clients = Array.from({ length: plan.clients }, (_, at) => {
      const client = new SimClient(this, at + 1, this.#random.fork()).run();
      client.catch((error) => this.fail(error));
      return client;
    });
    for (const fault of plan.faults) {
      const [node] = this.nodes;
      if (node !== undefined) await this.#drive(strike(this, node, fault, random));
    }
    await this.#drive(this.events(random.below(500)));
    this.draining = true;
    await this.#drive(Promise.all(this.#clients));
    for (const node of this.nodes) await this.#drive(proveProgress(this, node, `n${node.id}`));
    await this.#drive(pause(this, SETTLE_MS));
    this.namespace.settle();
    for (const node of this.nodes) await this.#drive(this.#audit(node));
    for (const node of this.nodes) await this.#drive(this.#turnOver(node));
  }

  /** Ends all processes. */
  end(): void {
    for (const node of this.nodes) {
      if (node.running) node.kill();
      this.trace.disk(node.disk);
    }
  }

  events(count: number, over: () => boolean = () => false): Promise<void> {
    if (count <= 0 || over()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.add({ left: count, over, resolve }));
  }

  async bringUp(node: SimNode): Promise<void> {
    this.namespace.restarting();
    await node.start();
    if (!node.running) throw new Violation("progress", `node ${node.id} ends: ${node.fatal}`);
    this.#replicas.recovered(node.groups);
  }

  async tryStart(disk: SimDisk): Promise<Error | undefined> {
    const world = { clock: this.clock, random: this.#random.fork(), trace: this.trace };
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
    } finally {
      copy.kill();
    }
  }

  #makeNode(id: number): SimNode {
    const world = { clock: this.clock, random: this.#random.fork(), trace: this.trace };
    return new SimNode(id, this.plan, world, {
      onGroup: (node, group) => {
        this.#options.onGroup?.(group);
        this.#replicas.attach(group, node.formation);
      },
      onUp: (runtime) => this.#options.onUp?.(runtime),
    });
  }

  /** Lets events happen until the work is done; nothing else moves the clock. */
  async #drive(work: Promise<unknown>): Promise<void> {
    let over = false;
    const end = () => {
      over = true;
    };
    work.then(end, end);
    const untilMs = this.clock.monotonicMs() + STUCK_MS;
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
        throw new Violation("progress", `nothing came of it in ${STUCK_MS} ms`);
      }
    }
    await work;
    this.#check();
  }

  /** Looks at everything once more, when all is quiet. */
  async #audit(node: SimNode): Promise<void> {
    checkResidue(node.groups);
    checkDiskUsage(node.disk, this.plan, node.groups);
    await this.#replicas.compare(node.groups);
    for (const { id } of this.namespace.buckets) {
      await requests.exists(this, node, "audit", id);
      const page = { prefix: "", after: "", limit: 1000 };
      await requests.list(this, node, "audit", id, page);
    }
    for (const { key } of [...this.namespace.paths]) await this.#auditPath(node, key);
  }

  /** Each path is whole, or free. */
  async #auditPath(node: SimNode, key: string): Promise<void> {
    const facts = await this.#readWhole(node, key);
    if (facts === "gone") return;
    if (facts === undefined) {
      const command = { type: "create", key, contentType: "text/plain", closed: false } as const;
      const answer = await requests.create(this, node, "audit", command, "make");
      if ("ok" in answer && answer.ok === "created") return;
      throw new Violation("residue", `${key} is neither there nor free: ${JSON.stringify(answer)}`);
    }
    const { ttlSeconds, expiresAtMs = Infinity } = facts;
    if (ttlSeconds !== undefined || expiresAtMs <= node.groupTimes().min) {
      throw new Violation("time", `${key} should have expired: ${JSON.stringify(facts)}`);
    }
  }

  async #readWhole(node: SimNode, key: string) {
    let from = 0;
    for (;;) {
      const request = { key, from, maxBytes: READ_BYTES_MAX, touch: false };
      const answer = await requests.read(this, node, "audit", request);
      if ("refused" in answer) return answer.refused === "stream_gone" ? "gone" : undefined;
      if (!("plan" in answer)) throw new Violation("progress", `${key} can't be read`);
      const { facts, next, upToDate } = answer.plan;
      if (upToDate) {
        this.ledger.whole(key, facts.incarnation, facts.tail);
        return facts;
      }
      from = next;
    }
  }

  /** Stops, starts again, and finds everything as it was. */
  async #turnOver(node: SimNode): Promise<void> {
    await node.stop();
    await this.bringUp(node);
    for (const { key } of this.namespace.paths) await this.#readWhole(node, key);
    await node.stop();
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

  #check(): void {
    for (const node of this.nodes) this.#time.check(node.groups, this.clock.monotonicMs());
    const failure = this.#replicas.failure ?? this.#failure;
    if (failure !== undefined) throw failure;
  }

  fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
  }
}
