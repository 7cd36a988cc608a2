import type { Config } from "./config/mod.ts";
import { Crew } from "./crew.ts";
import type { Log } from "./log.ts";
import { type Io, ShardRuntime } from "./runtime.ts";
import type { ShardSetup } from "../shard/mod.ts";
import { openStore, type Store } from "./store.ts";

/** What a node needs beside its configuration. */
export interface NodeParts {
  readonly io: Io;
  readonly log: Log;
  /** Bytes of memory that the process may use. */
  readonly memoryBytes: number;
  /** Identity of this boot of the machine; empty where it is not known. */
  readonly osBootId: string;
  /** Starts the worker of a further shard. */
  readonly spawn: () => Worker;
  /** Handed to each worker's entry as it is. */
  readonly extra: unknown;
  /** The node can't go on (a failed write, a worker that died); called once. */
  readonly onFatal: (reason: Error) => void;
}

/** Streams in memory may take this part of what the process may use (SPEC section 8). */
const HOT_PART_OF_MEMORY = 1 / 4;

/** A node at work: its first shard in this isolate, one worker for each further one. */
export class Node {
  /** This isolate's shard. */
  readonly runtime: ShardRuntime;
  readonly nodeId: number;
  readonly #crew: Crew;
  readonly #store: Store;

  private constructor(runtime: ShardRuntime, crew: Crew, store: Store) {
    this.runtime = runtime;
    this.#crew = crew;
    this.#store = store;
    this.nodeId = store.nodeId;
  }

  /**
   * Opens the data directory, starts all shards and has them lead their groups.
   *
   * @throws when the data directory is damaged, in use, or of another cluster; nothing is left open
   */
  static async start(config: Config, parts: NodeParts): Promise<Node> {
    const { io, log } = parts;
    const store = await openStore(config, io, parts.osBootId);
    let failed = false;
    const onFatal = (reason: Error) => {
      if (failed) return;
      failed = true;
      parts.onFatal(reason);
    };
    const crew = new Crew({ spawn: parts.spawn, size: config.cores - 1, onFatal, log });
    let ports: (MessagePort | undefined)[] = [];
    let runtime: ShardRuntime | undefined;
    try {
      const setupOf = (index: number) => setupShard(config, store, parts.memoryBytes, index);
      ports = await crew.start(setupOf, parts.extra);
      const hooks = { onFatal, log: (line: string) => log("info", line) };
      runtime = await ShardRuntime.start(setupOf(0), io, ports, hooks);
      await store.started();
      return new Node(runtime, crew, store);
    } catch (reason) {
      crew.terminate();
      runtime?.abandon();
      for (const port of ports) port?.close();
      store.release();
      throw reason;
    }
  }

  /** Has the workers listen, too, on a port where this isolate listens. */
  listenEverywhere(hostname: string, port: number): Promise<void> {
    return this.#crew.listen(hostname, port);
  }

  /** Has the other shards answer the requests they have, and take no more. */
  quiet(): Promise<void> {
    return this.#crew.quiet();
  }

  /** Makes everything durable and ends all shards, which must be quiet: they need each other. */
  async stop(): Promise<void> {
    // Workers first: what they still ask of this shard's groups must be answered.
    await this.#crew.stop();
    await this.runtime.stop();
    await this.#store.close();
  }

  /** Ends without finishing anything: after a failure nothing can be made durable any more. */
  abandon(): void {
    this.#crew.terminate();
    this.runtime.abandon();
    this.#store.release();
  }
}

function setupShard(config: Config, store: Store, memoryBytes: number, index: number): ShardSetup {
  return {
    index,
    shardCount: config.cores,
    groupCount: config.raftGroupCount,
    journalCount: store.journalCount,
    formation: store.formation,
    member: store.member,
    directory: store.directory,
    hasStarted: store.hasStarted,
    fsync: config.fsync === "always",
    hotBytesMax: Math.floor(memoryBytes * HOT_PART_OF_MEMORY / config.cores),
    decodeOwn: false,
  };
}
