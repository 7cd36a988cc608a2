import { ClusterLinks } from "./cluster_links.ts";
import { coldPlaceOf, coldSetupOf, prepareCold } from "./cold.ts";
import type { Config } from "./config/mod.ts";
import { Crew } from "./crew.ts";
import type { Log } from "./log.ts";
import { RETRY_MS } from "./patience.ts";
import { type Io, ShardRuntime } from "./runtime.ts";
import { type CertifiedKey, type DiskLock, pause } from "../io/mod.ts";
import type { LineLevel, ShardSetup } from "../shard/mod.ts";
import { openStore, type Store } from "./store.ts";

/** What a node needs beside its configuration. */
export interface NodeParts {
  readonly io: Io;
  readonly log: Log;
  /** Bytes of memory that the process may use. */
  readonly memoryBytes: number;
  /** Identity of this boot of the machine; empty where it is not known. */
  readonly osBootId: string;
  /** Whether several shards may listen on one port. */
  readonly sharesPorts: boolean;
  /** Starts the worker of a further shard. */
  readonly spawn: () => Worker;
  /** Handed to each worker's entry as it is. */
  readonly extra: unknown;
  /** The node can't go on (a failed write, a worker that died); called once. */
  readonly onFatal: (reason: Error) => void;
}

/** Streams in memory may take this part of what the process may use (SPEC section 8). */
const HOT_PART_OF_MEMORY = 1 / 4;

/**
 * A node: its data directory and its links to other nodes first, and once the cluster has formed its
 * shards, the first of them in this isolate and one worker for each further one.
 */
export class Node {
  readonly #config: Config;
  readonly #parts: NodeParts;
  readonly #store: Store;
  /** Keeps other nodes off the folder of cold objects. */
  readonly #coldLock: DiskLock | undefined;
  readonly #links: ClusterLinks | undefined;
  readonly #crew: Crew;
  readonly #onFatal: (reason: Error) => void;
  #runtime: ShardRuntime | undefined;
  #ended = false;

  private constructor(
    config: Config,
    parts: NodeParts,
    store: Store,
    coldLock: DiskLock | undefined,
  ) {
    let failed = false;
    this.#onFatal = (reason) => {
      if (failed || this.#ended) return;
      failed = true;
      parts.onFatal(reason);
    };
    this.#config = config;
    this.#parts = parts;
    this.#store = store;
    this.#coldLock = coldLock;
    this.#links = config.cluster && new ClusterLinks({
      config,
      cluster: config.cluster,
      store,
      io: parts.io,
      shared: parts.sharesPorts && config.cores > 1,
      log: (line, level = "info") => parts.log(level, line),
      onFatal: this.#onFatal,
    });
    this.#crew = new Crew({
      spawn: parts.spawn,
      size: config.cores - 1,
      onFatal: this.#onFatal,
      log: parts.log,
    });
  }

  /**
   * Opens the data directory, prepares the cold tier and, as one of several nodes, opens the links
   * to the others.
   *
   * @throws when the data directory is damaged, in use, or of another cluster, the cold store
   * refuses this node, or the peer plane's address is taken; nothing is left open
   */
  static async open(config: Config, parts: NodeParts): Promise<Node> {
    const log = (line: string, level: LineLevel = "info") => parts.log(level, line);
    const store = await openStore(config, parts.io, parts.osBootId, log);
    let coldLock: DiskLock | undefined;
    try {
      coldLock = await prepareCold(config, store, parts.io, parts.log);
    } catch (reason) {
      store.release();
      throw reason;
    }
    const node = new Node(config, parts, store, coldLock);
    try {
      await node.#links?.listen();
      return node;
    } catch (reason) {
      node.abandon();
      throw reason;
    }
  }

  /** Whether the node belongs to a cluster that has formed; a single node always does. */
  get formed(): boolean {
    return this.#store.record !== undefined;
  }

  /** This isolate's shard, once the node has begun. */
  get runtime(): ShardRuntime | undefined {
    return this.#runtime;
  }

  /**
   * Waits for the cluster to form, where it has not, and starts all shards.
   *
   * @throws when journals or RaftSnapshots are damaged; nothing is left open
   */
  async begin(): Promise<ShardRuntime> {
    let ports: (MessagePort | undefined)[] = [];
    try {
      await this.#links?.formed();
      const { coldBackend } = this.#config;
      if (coldBackend !== "none") await this.#store.refersTo(coldBackend);
      const place = coldPlaceOf(this.#config, this.#store);
      if (place !== undefined) this.#parts.log("info", `objects lie in ${place}`);
      const setupOf = (index: number) => this.#setup(index);
      ports = await this.#crew.start(setupOf, this.#parts.extra);
      const hooks = {
        onFatal: this.#onFatal,
        log: (line: string, level: LineLevel = "info") => this.#parts.log(level, line),
      };
      const { io } = this.#parts;
      const runtime = await ShardRuntime.start(setupOf(0), io, ports, hooks, this.#links?.links);
      this.#runtime = runtime;
      await this.#store.started();
      return runtime;
    } catch (reason) {
      this.abandon();
      for (const port of ports) port?.close();
      throw reason;
    }
  }

  /**
   * Resolves once this node knows who leads every group, or has waited for so long: what it took
   * before would wait here while other nodes could serve it.
   */
  async hearOfLeaders(waitMs: number): Promise<void> {
    const { clock } = this.#parts.io;
    const deadlineMs = clock.monotonicMs() + waitMs;
    while (this.#links !== undefined && !this.#ended && clock.monotonicMs() < deadlineMs) {
      const groups = await this.#runtime?.groups() ?? [];
      if (groups.every(({ leader }) => leader !== undefined)) return;
      await pause(clock, RETRY_MS);
    }
  }

  /** Has the workers listen, too, on a port where this isolate listens. */
  listenEverywhere(hostname: string, port: number, tls?: CertifiedKey): Promise<void> {
    return this.#crew.listen(hostname, port, tls);
  }

  /** Hands the other shards what is new of the `extra` that they were started with. */
  renew(extra: unknown): Promise<void> {
    return this.#crew.renew(extra);
  }

  /** Hands all leaderships over to other nodes, as far as there are any. */
  async handOver(): Promise<void> {
    if (this.#links === undefined || this.#runtime === undefined) return;
    await Promise.all([this.#crew.handOver(), this.#runtime.handOver()]);
  }

  /** Has the other shards answer the requests they have, and take no more. */
  async quiet(): Promise<void> {
    if (this.#runtime !== undefined) await this.#crew.quiet();
  }

  /** Makes everything durable and ends all shards, which must be quiet: they need each other. */
  async stop(): Promise<void> {
    if (this.#runtime === undefined) return this.abandon();
    this.#ended = true;
    // Workers first: what they still ask of this shard's groups must be answered.
    await this.#crew.stop();
    await this.#runtime.stop();
    await this.#links?.close();
    this.#coldLock?.release();
    await this.#store.close();
  }

  /** Ends without finishing anything: after a failure nothing can be made durable any more. */
  abandon(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#crew.terminate();
    this.#runtime?.abandon();
    this.#links?.close();
    this.#coldLock?.release();
    this.#store.release();
  }

  #setup(index: number): ShardSetup {
    const { cores, raftGroupCount, fsync } = this.#config;
    return {
      ...shardSetup(this.#store, this.#links),
      index,
      shardCount: cores,
      groupCount: raftGroupCount,
      fsync: fsync === "always",
      hotBytesMax: Math.floor(this.#parts.memoryBytes * HOT_PART_OF_MEMORY / cores),
      appendWaitMsMax: this.#config.maxAppendWaitMs,
      cold: coldSetupOf(this.#config, this.#store),
      decodeOwn: false,
    };
  }
}

/** The part of a shard's setup that follows from what the node keeps. */
export function shardSetup(store: Store, links: ClusterLinks | undefined) {
  const { journalCount, formation, member, founders, directory, hasStarted } = store;
  return {
    journalCount,
    formation,
    member,
    voters: founders,
    directory,
    hasStarted,
    cluster: links?.setup,
  };
}
