/**
 * How long groups are without a leader that takes writes, when the node that led them all dies.
 *
 * Three nodes, each with one journal for all groups: what comes while a sync is out forms the next
 * batch. Links keep the order.
 *
 * @module
 */

import type { MemberId } from "../mod.ts";
import { emptyDisk, Machine, type Packet, SETTINGS, type Settings } from "./machine.ts";
import { SeededRandom } from "./random.ts";

/** What a run is made of; times in milliseconds. */
export interface FailoverSettings {
  readonly groups: number;
  readonly electionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly leaseDriftMs: number;
  readonly latencyMinMs: number;
  readonly latencyMaxMs: number;
  readonly syncMs: number;
  /** How often a node looks at the clock. */
  readonly tickMs: number;
}

/** As a cluster is set up. */
export const FAILOVER_SETTINGS: FailoverSettings = {
  groups: 21,
  electionTimeoutMs: 500,
  heartbeatIntervalMs: 100,
  leaseDriftMs: 100,
  latencyMinMs: 1,
  latencyMaxMs: 5,
  syncMs: 5,
  tickMs: 10,
};

const IDS: readonly MemberId[] = ["a", "b", "c"];
/** No group may be without a leader this long. */
const PATIENCE_MS = 60_000;

interface Node {
  readonly id: MemberId;
  readonly groups: Machine[];
  /** Machines whose oldest readies the sync under way covers, once for each ready. */
  syncing: Machine[] | undefined;
  alive: boolean;
}

interface Event {
  readonly atMs: number;
  readonly run: () => void;
}

class Failover {
  readonly #settings: FailoverSettings;
  readonly #random: SeededRandom;
  readonly #nodes: Node[];
  /** A binary heap, earliest first. */
  readonly #events: Event[] = [];
  /** By link: when its latest message arrives. */
  readonly #arrivalMs = new Map<string, number>();
  #nowMs = 0;

  constructor(settings: FailoverSettings, seed: number) {
    this.#settings = settings;
    const random = this.#random = new SeededRandom(seed);
    const core: Settings = {
      ...SETTINGS,
      electionTimeoutMs: settings.electionTimeoutMs,
      heartbeatIntervalMs: settings.heartbeatIntervalMs,
      leaseDriftMs: settings.leaseDriftMs,
      random: () => random.next(),
    };
    this.#nodes = IDS.map((id) => ({
      id,
      groups: Array.from({ length: settings.groups }, () => {
        return new Machine(id, emptyDisk(IDS), core, 0);
      }),
      syncing: undefined,
      alive: true,
    }));
    for (const node of this.#nodes) {
      this.#at(random.next() * settings.tickMs, () => this.#tick(node));
    }
  }

  #at(atMs: number, run: () => void): void {
    const events = this.#events;
    let child = events.push({ atMs, run }) - 1;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const [above, below] = [events[parent], events[child]];
      if (above === undefined || below === undefined || above.atMs <= below.atMs) break;
      events[parent] = below;
      events[child] = above;
      child = parent;
    }
  }

  #next(): Event | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (last === undefined || last === first) return first;
    let parent = 0;
    for (;;) {
      let child = parent * 2 + 1;
      const right = events[child + 1];
      if (right !== undefined && right.atMs < (events[child]?.atMs ?? 0)) child++;
      const below = events[child];
      if (below === undefined || below.atMs >= last.atMs) break;
      events[parent] = below;
      parent = child;
    }
    events[parent] = last;
    return first;
  }

  #until(endMs: number, done: () => boolean): void {
    while (!done()) {
      if ((this.#events[0]?.atMs ?? Infinity) > endMs) break;
      const event = this.#next();
      if (event === undefined) break;
      this.#nowMs = event.atMs;
      event.run();
    }
  }

  #tick(node: Node): void {
    if (!node.alive) return;
    for (const machine of node.groups) machine.raft.tick(this.#nowMs);
    this.#turn(node);
    this.#at(this.#nowMs + this.#settings.tickMs, () => this.#tick(node));
  }

  #turn(node: Node): void {
    for (const [group, machine] of node.groups.entries()) {
      for (let taken = machine.takeReady(); taken !== undefined; taken = machine.takeReady()) {
        this.#send(group, taken.packets);
      }
      machine.apply();
    }
    this.#sync(node);
  }

  #sync(node: Node): void {
    if (node.syncing !== undefined) return;
    const batch: Machine[] = [];
    for (const machine of node.groups) {
      for (let i = 0; i < machine.outstanding.length; i++) batch.push(machine);
    }
    if (batch.length === 0) return;
    node.syncing = batch;
    this.#at(this.#nowMs + this.#settings.syncMs, () => this.#synced(node, batch));
  }

  #synced(node: Node, batch: readonly Machine[]): void {
    if (!node.alive) return;
    node.syncing = undefined;
    for (const machine of batch) {
      this.#send(node.groups.indexOf(machine), machine.completeOldest());
    }
    this.#turn(node);
  }

  #send(group: number, packets: readonly Packet[]): void {
    const { latencyMinMs, latencyMaxMs } = this.#settings;
    for (const packet of packets) {
      const { from, to } = packet.message;
      const link = `${from}>${to}`;
      const latencyMs = latencyMinMs + this.#random.next() * (latencyMaxMs - latencyMinMs);
      const atMs = Math.max(this.#nowMs + latencyMs, this.#arrivalMs.get(link) ?? 0);
      this.#arrivalMs.set(link, atMs);
      this.#at(atMs, () => this.#deliver(group, packet));
    }
  }

  #deliver(group: number, packet: Packet): void {
    const node = this.#nodes.find(({ id }) => id === packet.message.to);
    if (node === undefined || !node.alive) return;
    node.groups[group]?.receive(packet, this.#nowMs);
    this.#turn(node);
  }

  /** Is `group` led, with all of its leader's first entries committed? */
  #writable(group: number): boolean {
    return this.#nodes.some((node) => {
      const raft = node.groups[group]?.raft;
      return node.alive && raft?.role === "leader" && raft.commitIndex === raft.lastIndex;
    });
  }

  run(): number[] {
    const [first] = this.#nodes;
    if (first === undefined) throw new Error("no nodes");
    this.#until(this.#settings.electionTimeoutMs, () => false);
    for (const { raft } of first.groups) {
      raft.tick(this.#settings.electionTimeoutMs);
      raft.campaign();
    }
    this.#turn(first);
    const settledMs = this.#nowMs + 1000 + 20 * this.#settings.syncMs;
    this.#until(settledMs + this.#random.below(200), () => false);
    const startMs = this.#nowMs;
    const waiting = new Set<number>();
    for (const [group, { raft }] of first.groups.entries()) {
      if (raft.role === "leader") waiting.add(group);
    }
    first.alive = false;
    const waitedMs: number[] = [];
    this.#until(startMs + PATIENCE_MS, () => {
      for (const group of waiting) {
        if (!this.#writable(group)) continue;
        waiting.delete(group);
        waitedMs.push(this.#nowMs - startMs);
      }
      return waiting.size === 0;
    });
    if (waiting.size > 0) throw new Error(`${waiting.size} groups stay without a leader`);
    return waitedMs;
  }
}

/** How long each group that the dead node led took no writes, in milliseconds. */
export function failover(settings: FailoverSettings, seed: number): number[] {
  return new Failover(settings, seed).run();
}
