/**
 * A network that is slow, breaks and can be cut.
 *
 * It is TCP: the bytes of one connection are neither reordered nor lost while it stands, but they
 * take their time, stall, and end in the middle of a message. Two connections between the same nodes
 * are delayed apart from each other.
 *
 * @module
 */

import {
  type Connection,
  type Network,
  type NetworkAddress,
  NetworkError,
  type NetworkListener,
} from "../../io/mod.ts";
import type { SimClock } from "./clock.ts";
import { SimEnd } from "./network_end.ts";
import type { SimRandom } from "./random.ts";

/** What may go wrong by itself: probabilities from 0 to 1, all 0 at first. */
export interface SimNetworkFaults {
  /** Of an attempt to connect: it is refused, or hangs. */
  connect: number;
  /** Of whatever is sent: its connection breaks, for both ends or for one. */
  break: number;
  /** Of whatever is sent: it, and what is sent after it, takes up to `stallMsMax` longer. */
  stall: number;
}

/** How a {@linkcode SimNetwork} is made. */
export interface SimNetworkOptions {
  readonly clock: SimClock;
  readonly random: SimRandom;
  /** Longest time that bytes take when nothing goes wrong. @default 1 */
  readonly latencyMsMax?: number;
  /** Longest time that a stall adds. @default 500 */
  readonly stallMsMax?: number;
}

/** One machine, and of its processes the one that lives. */
interface Host {
  readonly nodeId: number;
  readonly listeners: Map<number, SimListener[]>;
  readonly ends: Set<SimEnd>;
  /** Counts processes. */
  life: number;
  isDown: boolean;
  isPaused: boolean;
  /** Connections that a paused process will find. */
  backlog: (() => void)[];
}

const EPHEMERAL_PORT = 40_000;

/** A simulated {@linkcode Network} for each of several nodes; node 2's host is called `node-2`. */
export class SimNetwork {
  readonly faults: SimNetworkFaults = { connect: 0, break: 0, stall: 0 };
  readonly #options: SimNetworkOptions;
  readonly #hosts = new Map<number, Host>();
  /** Directions that are cut, as `from>to`. */
  readonly #cuts = new Set<string>();
  /** Attempts to connect that hang. */
  #hanging: (() => void)[] = [];
  /** Ends, be they closed, of which something waits for a cut to heal. */
  readonly #stalled = new Set<SimEnd>();
  #nextPort = EPHEMERAL_PORT;

  constructor(options: SimNetworkOptions) {
    this.#options = options;
  }

  /** The host name of a node. */
  static hostname(nodeId: number): string {
    return `node-${nodeId}`;
  }

  /** The network as the process that now begins on that node sees it. */
  of(nodeId: number): Network {
    const host = this.#host(nodeId);
    host.isDown = host.isPaused = false;
    const { life } = host;
    this.#retry();
    return {
      connect: (address) => this.#connect(host, life, address),
      listen: (address, shared, accept) => this.#listen(host, life, address, shared, accept),
    };
  }

  /**
   * Nothing goes from `from` to `to` until it heals, and nothing back unless `oneWay`. Connections
   * stall; with `reset` both ends of those that stand see them break.
   */
  cut(from: number, to: number, options: { oneWay?: boolean; reset?: boolean } = {}): void {
    this.#cuts.add(`${from}>${to}`);
    if (!options.oneWay) this.#cuts.add(`${to}>${from}`);
    if (options.reset) this.break(from, to);
  }

  /** Lets everything through again; what stalled goes on, attempts that hung too. */
  heal(): void {
    this.#cuts.clear();
    const stalled = [...this.#stalled];
    this.#stalled.clear();
    for (const end of stalled) end.heal();
    this.#retry();
  }

  /** Breaks all connections between two nodes: `one` sees it, and `other` unless `oneSide`. */
  break(one: number, other: number, options: { oneSide?: boolean } = {}): void {
    for (const [from, to] of options.oneSide ? [[one, other]] : [[one, other], [other, one]]) {
      const name = SimNetwork.hostname(to as number);
      for (const end of [...this.#host(from as number).ends]) {
        if (end.remote.startsWith(`${name}:`)) end.breakOff();
      }
    }
  }

  /**
   * The process on that node ends: its listeners and connections with it. The other ends are told,
   * unless the machine is `silent` because it lost its power: they find out by themselves.
   */
  kill(nodeId: number, options: { silent?: boolean } = {}): void {
    const host = this.#host(nodeId);
    host.life++;
    host.isDown = options.silent ?? false;
    host.isPaused = false;
    host.backlog = [];
    host.listeners.clear();
    for (const end of [...host.ends]) end.kill();
  }

  /** The process on that node learns of nothing until {@linkcode SimNetwork.resume}. */
  pause(nodeId: number): void {
    this.#host(nodeId).isPaused = true;
  }

  /** The process on that node goes on, and finds what has come. */
  resume(nodeId: number): void {
    const host = this.#host(nodeId);
    host.isPaused = false;
    const backlog = host.backlog;
    host.backlog = [];
    for (const accept of backlog) accept();
    for (const end of [...host.ends]) end.wake();
  }

  /** How many connections a node holds. */
  connectionsOf(nodeId: number): number {
    return this.#host(nodeId).ends.size;
  }

  #host(nodeId: number): Host {
    let host = this.#hosts.get(nodeId);
    if (host === undefined) {
      const [listeners, ends] = [new Map(), new Set<SimEnd>()];
      host = { nodeId, listeners, ends, life: 0, isDown: false, isPaused: false, backlog: [] };
      this.#hosts.set(nodeId, host);
    }
    return host;
  }

  #listen(
    host: Host,
    life: number,
    { hostname, port: asked }: NetworkAddress,
    shared: boolean,
    accept: (connection: Connection) => void,
  ): Promise<NetworkListener> {
    if (life !== host.life) return new Promise(() => {});
    const port = asked === 0 ? this.#nextPort++ : asked;
    const there = host.listeners.get(port) ?? [];
    if (there.some((listener) => !listener.shared || !shared)) {
      const name = `${hostname}:${port}`;
      return Promise.reject(new NetworkError("in_use", name, "address already in use"));
    }
    const listener: SimListener = {
      hostname,
      port,
      shared,
      accept,
      close: () => {
        const left = host.listeners.get(port)?.filter((one) => one !== listener) ?? [];
        if (left.length > 0) host.listeners.set(port, left);
        else host.listeners.delete(port);
        return Promise.resolve();
      },
    };
    host.listeners.set(port, [...there, listener]);
    return Promise.resolve(listener);
  }

  #connect(from: Host, life: number, address: NetworkAddress): Promise<Connection> {
    const name = `${address.hostname}:${address.port}`;
    const nodeId = /^node-(\d+)$/.exec(address.hostname)?.[1];
    const to = nodeId === undefined ? undefined : this.#host(Number(nodeId));
    return new Promise((resolve, reject) => {
      const refuse = (detail: string) => reject(new NetworkError("unreachable", name, detail));
      const attempt = () => {
        if (life !== from.life) return;
        if (to === undefined) return refuse("no such host");
        const isCut = this.#isCut(from, to) || this.#isCut(to, from);
        if (isCut || to.isDown) return void this.#hanging.push(attempt);
        const { random } = this.#options;
        if (random.chance(this.faults.connect)) {
          return random.chance(0.5) ? refuse("no route to host") : undefined;
        }
        const listeners = to.listeners.get(address.port);
        const listener = listeners?.[random.below(listeners.length)];
        if (listener === undefined) return refuse("connection refused");
        const end = this.#join(from, to, address.port, listener);
        this.#after(this.#latencyMs(), () => {
          if (life === from.life) resolve(end);
        });
      };
      this.#after(this.#latencyMs(), attempt);
    });
  }

  #join(from: Host, to: Host, port: number, listener: SimListener): SimEnd {
    const dialled = this.#end(from, to, port);
    const accepted = this.#end(to, from, this.#nextPort++);
    SimEnd.join(dialled, accepted);
    const { life } = to;
    const accept = () => {
      if (life === to.life) listener.accept(accepted);
    };
    if (to.isPaused) to.backlog.push(accept);
    else accept();
    return dialled;
  }

  #end(host: Host, other: Host, port: number): SimEnd {
    const { clock, random } = this.#options;
    const end: SimEnd = new SimEnd(`${SimNetwork.hostname(other.nodeId)}:${port}`, {
      latencyMs: () => {
        if (random.chance(this.faults.break)) this.#breakSoon(end);
        return this.#latencyMs();
      },
      isCut: () => this.#isCut(host, other),
      isPaused: () => host.isPaused,
      isDown: () => host.isDown,
      after: (delayMs, callback) => this.#after(delayMs, callback),
      below: (bound) => random.below(bound),
      chance: (probability) => random.chance(probability),
      onStall: () => this.#stalled.add(end),
      onGone: () => host.ends.delete(end),
    }, () => clock.monotonicMs());
    host.ends.add(end);
    return end;
  }

  /** One end sees the connection break; the other at some time as well, or when it next sends. */
  #breakSoon(end: SimEnd): void {
    const isBoth = this.#options.random.chance(0.5);
    this.#after(this.#latencyMs(), () => isBoth ? end.breakBoth() : end.breakOff());
  }

  #latencyMs(): number {
    const { random, latencyMsMax = 1, stallMsMax = 500 } = this.#options;
    const stallMs = random.chance(this.faults.stall) ? random.next() * stallMsMax : 0;
    return random.next() * latencyMsMax + stallMs;
  }

  #isCut(from: Host, to: Host): boolean {
    return this.#cuts.has(`${from.nodeId}>${to.nodeId}`);
  }

  #retry(): void {
    const hanging = this.#hanging;
    this.#hanging = [];
    for (const attempt of hanging) this.#after(this.#latencyMs(), attempt);
  }

  #after(delayMs: number, callback: () => void): void {
    this.#options.clock.setTimer(delayMs, callback);
  }
}

interface SimListener extends NetworkListener {
  readonly shared: boolean;
  readonly accept: (connection: Connection) => void;
}
