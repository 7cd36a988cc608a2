/** Planes of several nodes on a simulated network: what the tests of this room run on. */

import type { Clock } from "../../io/mod.ts";
import { SimClock } from "../../tests/sim/clock.ts";
import { SimNetwork } from "../../tests/sim/network.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import { PeerPlane } from "../plane.ts";
import type { PeerMessage, PeerPlaneOptions, PeerSelf } from "../types.ts";

/** Where every node's plane listens. */
export const PORT = 14_437;

/** A plane, and what it was told. */
export interface TestPlane {
  readonly plane: PeerPlane;
  readonly messages: PeerMessage[];
  readonly calls: { message: PeerMessage; respond: (bytes: Uint8Array) => void }[];
  readonly lines: string[];
  /** Of `onPeer`, in order. */
  readonly seen: number[];
}

/** What a test may set of a plane. */
export interface TestPlaneOptions extends Partial<PeerSelf> {
  readonly secret?: string;
  /** Nodes of the cluster. @default [1, 2] */
  readonly nodes?: readonly number[];
  readonly onMessage?: PeerPlaneOptions["onMessage"];
}

/** Text as bytes. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes as text. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** What node `nodeId` says of itself, unless told otherwise. */
export function selfOf(nodeId: number, options: Partial<PeerSelf> = {}): PeerSelf {
  return {
    nodeId,
    storeId: `store-${nodeId}`,
    formationId: "formation",
    clusterId: "test",
    groupCount: 64,
    commandVersions: { min: 1, max: 1 },
    coldStore: "own",
    ...options,
  };
}

/** Nodes with a plane each. */
export class TestPlanes {
  readonly clock = new SimClock();
  readonly random: SimRandom;
  readonly network: SimNetwork;
  /** By how much nodes' wall clocks are off, by node. */
  readonly wallErrorMs: Record<number, number> = {};

  constructor(seed = 1) {
    this.random = new SimRandom(seed);
    this.network = new SimNetwork({ clock: this.clock, random: this.random.fork() });
  }

  /** Starts a node's plane. */
  async start(nodeId: number, options: TestPlaneOptions = {}): Promise<TestPlane> {
    const { secret, nodes = [1, 2], onMessage, ...self } = options;
    const test: Omit<TestPlane, "plane"> = { messages: [], calls: [], lines: [], seen: [] };
    const plane = new PeerPlane({
      self: selfOf(nodeId, self),
      peers: nodes.map((id) => ({ nodeId: id, hostname: SimNetwork.hostname(id), port: PORT })),
      io: {
        network: this.network.of(nodeId),
        clock: this.#clockOf(nodeId),
        random: this.random.fork(),
      },
      secret: secret === undefined ? undefined : bytesOf(secret),
      log: (line) => test.lines.push(line),
      onMessage: onMessage ?? ((message) => test.messages.push(message)),
      onCall: (message, respond) => test.calls.push({ message, respond }),
      onPeer: (peer) => test.seen.push(peer),
    });
    await plane.listen({ hostname: "0.0.0.0", port: PORT }, false);
    return { plane, ...test };
  }

  /** Starts nodes 1 and 2, and waits until they are connected both ways. */
  async pair(options: TestPlaneOptions = {}): Promise<[TestPlane, TestPlane]> {
    const one = await this.start(1, options);
    const two = await this.start(2, options);
    await this.run(500);
    return [one, two];
  }

  /** Time as that node's machine tells it. */
  #clockOf(nodeId: number): Clock {
    const { clock } = this;
    return {
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs() + (this.wallErrorMs[nodeId] ?? 0),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
      defer: (callback) => clock.defer(callback),
      deferLast: (callback) => clock.deferLast(callback),
    };
  }

  /** Lets time go by. */
  run(durationMs: number): Promise<void> {
    return this.clock.run(durationMs);
  }
}
