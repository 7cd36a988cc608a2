/**
 * One node for a scenario told step by step.
 *
 * @module
 */

import type { ReadAnswer } from "../../group/mod.ts";
import type { ShardRuntime } from "../../node/runtime.ts";
import { groupOf } from "../../shard/mod.ts";
import { type AppendStream, type CreateStream, sliceOf } from "../../stream/mod.ts";
import { SimClock } from "./clock.ts";
import { sharedBucket, type SimBucket } from "./cold_store.ts";
import { SimNetwork } from "./network.ts";
import type { Plan } from "./plan.ts";
import { SimRandom } from "./random.ts";
import { type Lost, SimNode } from "./sim_node.ts";
import { Trace } from "./trace.ts";

const PLAN: Plan = {
  nodes: 1,
  groups: 4,
  journals: 1,
  fsync: true,
  segmentBytes: 32 * 1024,
  snapshotLogBytesMin: 64 * 1024,
  snapshotPieceBytes: 256 * 1024,
  diskLatencyMsMax: 1,
  clients: 0,
  publishers: 0,
  buckets: [],
  ownStreams: 0,
  sharedStreams: 0,
  thinkMsMax: 0,
  bodyBytesMax: 0,
  faults: [],
  cluster: undefined,
  cold: undefined,
  patienceMs: undefined,
};

/** A node, a clock that the scenario moves, and the shortest way to ask for things. */
export class Stage {
  readonly clock = new SimClock();
  readonly node: SimNode;
  /** The store of objects, where it is none of the node's own. */
  readonly bucket: SimBucket | undefined;

  /** @param seed of what takes how long; @param plan what shall be otherwise than usual */
  constructor(seed = 1, plan: Partial<Plan> = {}) {
    const random = new SimRandom(seed);
    const network = new SimNetwork({ clock: this.clock, random: new SimRandom(0) });
    const { clock } = this;
    const bucket = this.bucket = sharedBucket(plan.cold, { clock, random: new SimRandom(seed) });
    const world = { clock, random, network, bucket, trace: new Trace(clock) };
    const hooks = { onGroup: () => {}, onUp: () => {} };
    this.node = new SimNode(1, { ...PLAN, ...plan }, world, hooks);
  }

  /** Starts the node. */
  async start(): Promise<void> {
    await this.clock.until(this.node.start());
  }

  /** Has the node do something, and waits for it. */
  async do<T>(work: (runtime: ShardRuntime) => T | Promise<T>): Promise<T | Lost> {
    return await this.clock.until(this.node.call(work));
  }

  /** Has the node do something, and lets so many events happen. */
  async begin<T>(work: (runtime: ShardRuntime) => Promise<T>, events: number): Promise<Begun<T>> {
    const begun: Begun<T> = { answer: undefined };
    this.node.call(work).then((answer) => begun.answer = answer);
    for (let at = 0; at < events && begun.answer === undefined; at++) await this.clock.step();
    return begun;
  }

  /** Makes a stream, and its bucket where it is missing. */
  create(key: string, more: Partial<CreateStream> = {}) {
    return this.do(({ streams }) => streams.create(createOf(key, more), "make"));
  }

  /** Appends text. */
  append(key: string, text: string) {
    return this.do(({ streams }) => streams.append(appendOf(key, text)));
  }

  /** Reads all of a stream as text, or the refusal. */
  async text(key: string): Promise<string> {
    const request = { key, from: "start", maxBytes: 1 << 20, touch: false } as const;
    const answer: ReadAnswer | Lost = await this.do(({ streams }) => streams.read(request));
    if ("refused" in answer) return answer.refused;
    if (!("plan" in answer)) return JSON.stringify(answer);
    const decoder = new TextDecoder();
    return answer.plan.slices.map(({ slab, start, end }) =>
      decoder.decode(slab.bytes.subarray(start, end))
    ).join("");
  }

  /** A path in `bucket` whose home is that group. */
  pathIn(bucket: string, group: number, salt = ""): string {
    for (let at = 0;; at++) {
      const key = `${bucket}/${salt}${at}`;
      if (groupOf(key, PLAN.groups) === group) return key;
    }
  }
}

/** A request that was begun; its answer where there is one. */
export interface Begun<T> {
  answer: T | Lost | undefined;
}

/** A create of a stream of text. */
export function createOf(key: string, more: Partial<CreateStream> = {}): CreateStream {
  return { type: "create", key, contentType: "text/plain", closed: false, ...more };
}

/** An append of text. */
export function appendOf(key: string, text: string): AppendStream {
  const data = sliceOf(new TextEncoder().encode(text));
  return { type: "append", key, contentType: "text/plain", closed: false, body: { data } };
}
