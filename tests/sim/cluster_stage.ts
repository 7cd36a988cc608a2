/**
 * A cluster for a scenario told step by step.
 *
 * @module
 */

import type { Group, ReadAnswer } from "../../group/mod.ts";
import type { ShardRuntime } from "../../node/runtime.ts";
import { SimClock } from "./clock.ts";
import { sharedBucket, type SimBucket } from "./cold_store.ts";
import { SimNetwork } from "./network.ts";
import { type ClusterPlan, drawPlan, type Plan } from "./plan.ts";
import { SimRandom } from "./random.ts";
import { type Lost, SimNode } from "./sim_node.ts";
import { appendOf, createOf } from "./stage.ts";
import { Trace } from "./trace.ts";

/** Longer than any of a scenario's waits. */
const PATIENT_MS = 60_000;
const LOOK_MS = 5;

/** Nodes, links between them, and the shortest way to ask for things. */
export class ClusterStage {
  readonly clock = new SimClock();
  readonly network: SimNetwork;
  readonly nodes: readonly SimNode[];
  /** The store of objects, where they share one. */
  readonly bucket: SimBucket | undefined;

  /** @param seed of what takes how long; @param plan, cluster what shall be otherwise than usual */
  constructor(seed = 1, plan: Partial<Plan> = {}, cluster: Partial<ClusterPlan> = {}) {
    const random = new SimRandom(seed);
    const drawn = drawPlan(new SimRandom(1), 3);
    const whole: Plan = {
      ...drawn,
      groups: 1,
      journals: 1,
      fsync: true,
      segmentBytes: 32 * 1024,
      snapshotLogBytesMin: 64 * 1024,
      snapshotPieceBytes: 256 * 1024,
      diskLatencyMsMax: 1,
      cold: undefined,
      ...plan,
      cluster: {
        memory: false,
        readLease: true,
        latencyMsMax: 1,
        retainedBytesMax: 1 << 26,
        skewMsMax: 0,
        faults: [],
        ...cluster,
      },
    };
    this.network = new SimNetwork({ clock: this.clock, random: random.fork(), latencyMsMax: 1 });
    const trace = new Trace(this.clock);
    const hooks = { onGroup: () => {}, onUp: () => {} };
    const { clock, network } = this;
    const bucket = this.bucket = sharedBucket(whole.cold, { clock, random: new SimRandom(seed) });
    this.nodes = Array.from({ length: whole.nodes }, (_, at) => {
      const world = { clock, network, random: random.fork(), trace, bucket };
      return new SimNode(at + 1, whole, world, hooks);
    });
  }

  /** Starts all nodes, and waits until every group has a leader. */
  async start(): Promise<void> {
    await this.clock.until(Promise.all(this.nodes.map((node) => node.start())));
    await this.until(() => this.leader(0) !== undefined);
  }

  /** The node of an id. */
  node(id: number): SimNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** A node's replica of a group. */
  group(node: SimNode, group = 0): Group {
    const found = node.groups.find(({ id }) => id === group);
    if (found === undefined) throw new Error(`node ${node.id} has no group ${group}`);
    return found;
  }

  /** The node that leads a group, and has caught up. */
  leader(group = 0): SimNode | undefined {
    return this.nodes.find(({ groups }) =>
      groups.some((replica) => replica.id === group && replica.leads && replica.ready)
    );
  }

  /** The nodes that do not lead a group. */
  followers(group = 0): [SimNode, SimNode] {
    const leader = this.leader(group);
    return this.nodes.filter((node) => node !== leader) as [SimNode, SimNode]; // of three
  }

  /** Lets time go by until something holds. */
  async until(holds: () => boolean, limitMs = PATIENT_MS): Promise<void> {
    const endMs = this.clock.monotonicMs() + limitMs;
    while (!holds()) {
      if (this.clock.monotonicMs() >= endMs) throw new Error(`it never held: ${holds}`);
      await this.clock.run(LOOK_MS);
    }
  }

  /** Has a node do something, and waits for it. */
  async do<T>(node: SimNode, work: (runtime: ShardRuntime) => T | Promise<T>): Promise<T | Lost> {
    return await this.clock.until(node.call(work));
  }

  /** Makes a stream, and its bucket where it is missing. */
  create(node: SimNode, key: string, more: Parameters<typeof createOf>[1] = {}) {
    return this.do(node, ({ streams }) => streams.create(createOf(key, more), "make"));
  }

  /** Appends text. */
  append(node: SimNode, key: string, text: string) {
    return this.do(node, ({ streams }) => streams.append(appendOf(key, text)));
  }

  /** Reads all of a stream as text, or the refusal. */
  async text(node: SimNode, key: string): Promise<string> {
    const request = { key, from: "start", maxBytes: 1 << 20, touch: false } as const;
    const answer: ReadAnswer | Lost = await this.do(node, ({ streams }) => streams.read(request));
    if ("refused" in answer) return answer.refused;
    if (!("plan" in answer)) return JSON.stringify(answer);
    const decoder = new TextDecoder();
    return answer.plan.slices.map(({ slab, start, end }) =>
      decoder.decode(slab.bytes.subarray(start, end))
    ).join("");
  }
}
