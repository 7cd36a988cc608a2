import { resolve } from "node:path";
import {
  availableCores,
  availableMemoryBytes,
  handleUse,
  osBootId,
  processUsage,
} from "../io/machine.ts";
import { DenoClock, denoDisk, denoRandom } from "../io/deno.ts";
import type { CertifiedKey } from "../io/mod.ts";
import { exportMetrics, openTracer } from "../io/telemetry.ts";
import {
  adminObstacle,
  asksForTokens,
  type Config,
  configFromInput,
  type ConfigInput,
  memoryWarning,
} from "../node/config/mod.ts";
import { createLog, type Log } from "../node/log.ts";
import { Node } from "../node/node.ts";
import type { ShardRuntime } from "../node/runtime.ts";
import { createAdminHandler } from "./admin/plane.ts";
import { respondError } from "./answer.ts";
import { Gate } from "./auth/mod.ts";
import type { HttpSettings, PlaneSetup } from "./context.ts";
import { HandleWatch } from "./handle_watch.ts";
import type { Handler } from "./handler.ts";
import { health } from "./health.ts";
import { INSTRUMENTS } from "./metrics/mod.ts";
import { ClientPlane } from "./plane.ts";
import { networkOf, renewNetwork } from "./network.ts";
import { Security } from "./security.ts";
import { canSharePort, listen, type Listener, type ListenOptions } from "./serve.ts";
import { VERSION } from "./version.ts";

/** How long a node that comes back may wait to hear who leads before it listens. */
const LEADERS_MS_MAX = 500;
/** How long a node may that is new, whose groups have to elect, or to let it in. */
const FIRST_LEADERS_MS_MAX = 5_000;

/** What clients have yet to take of large answers may be so much of what the process may use. */
const OUTGOING_PART_OF_MEMORY = 1 / 16;

/** Where a node listens. */
export interface ListenAddress {
  /** Host and port, ready to be called. */
  readonly url: string;
  /** The host's address. */
  readonly hostname: string;
  /** The port. */
  readonly port: number;
}

/** A node in this process. */
export interface UrsulaNode {
  /**
   * Answers one request of the Durable Streams Protocol; for `Deno.serve` or a router. Bodies may be
   * the node's own memory: read them, do not write into them.
   */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Resolves when the node has ended: with the reason, where it could not go on. */
  readonly closed: Promise<Error | undefined>;
  /** Listens on the configured address, or another one. @throws when it is taken */
  listen(address?: { readonly hostname?: string; readonly port?: number }): Promise<ListenAddress>;
  /**
   * Opens the admin plane, which changes the cluster, on the configured address or another one.
   * @throws when it is taken, or not on loopback and without an auth file
   */
  listenAdmin(address?: { readonly hostname?: string; readonly port?: number }): Promise<
    ListenAddress
  >;
  /**
   * Reads the auth file and the certificates again; `SIGHUP` does that to the program. What is broken
   * is logged, and the version before it stays in force. Never rejects.
   */
  reload(): Promise<void>;
  /** Finishes what is under way, makes it durable and ends. Harmless when repeated. */
  close(): Promise<void>;
}

/**
 * Starts a node inside this program, with its data in `dataDir` or, with `raftMemory`, in memory.
 *
 * @param input any of the options of the configuration page; the rest have their defaults
 * @throws when an option is not valid, or the data directory is damaged, in use or another cluster's
 */
export async function createNode(input: ConfigInput = {}): Promise<UrsulaNode> {
  const config = configFromInput(input, { cores: availableCores() });
  const log = createLog(
    { level: config.logLevel, format: config.logFormat },
    (line) => console.error(line.trimEnd()),
    Date.now,
  );
  return await startNode(config, log);
}

/** {@linkcode createNode} with everything decided. */
export async function startNode(config: Config, log: Log): Promise<UrsulaNode> {
  const clock = new DenoClock();
  const security = await Security.open(config, clock, log);
  const { auth } = security.setup;
  const gate = auth && new Gate(auth, clock, (line) => log("warn", line));
  const network = networkOf(security.setup);
  const tracer = await openTracer(VERSION);
  const io = { clock, random: denoRandom, disk: denoDisk, network, tracer };
  const memoryBytes = availableMemoryBytes();
  const warning = memoryWarning(config.profile, memoryBytes);
  if (warning !== undefined) log("warn", warning);
  const settings = settingsOf(config, memoryBytes);
  const handles = new HandleWatch(clock, handleUse);
  const identity = { nodeId: config.nodeId, clusterId: config.clusterId, version: VERSION };
  const extra: PlaneSetup = {
    settings,
    identity,
    // As of when a shard starts, which may be long after this where the cluster has to form.
    get security() {
      return security.setup;
    },
  };
  const onFatal = (reason: Error) => embedded.fail(reason);
  const opening = Node.open(withAbsolutePaths(config), {
    io,
    log,
    memoryBytes,
    osBootId: osBootId(),
    sharesPorts: canSharePort(),
    spawn: () => new Worker(new URL("../shard/worker.ts", import.meta.url), { type: "module" }),
    extra,
    onFatal,
  });
  const node = await opening.catch((reason) => {
    clock.close();
    throw reason;
  });
  const embedded: EmbeddedNode = new EmbeddedNode({
    config,
    log,
    clock,
    node,
    security,
    gate,
    handles,
  });
  security.onRenew = async (setup) => {
    renewNetwork(network, setup);
    if (setup.auth !== undefined) gate?.renew(setup.auth);
    if (setup.tls !== undefined) await embedded.renew(setup.tls);
    await node.renew(setup);
  };
  const onError = (reason: unknown) => log("error", describe(reason));
  const hasFormed = node.formed;
  const begun = node.begin().then(async (runtime) => {
    await node.hearOfLeaders(hasFormed ? LEADERS_MS_MAX : FIRST_LEADERS_MS_MAX);
    const plane = new ClientPlane({
      runtime,
      io,
      settings,
      identity,
      gate,
      usage: processUsage,
      handles,
      onError,
      tellRequest: (fields) => log("info", "request", { ...fields, shard: 0 }),
    });
    await embedded.begin(runtime, plane);
    await exportMetrics(VERSION, INSTRUMENTS, () => plane.metrics());
  });
  // Where the cluster has to form first, this node answers already that it is not ready.
  if (hasFormed) await begun;
  else begun.catch(onFatal);
  return embedded;
}

class EmbeddedNode implements UrsulaNode {
  readonly closed: Promise<Error | undefined>;
  readonly #config: Config;
  readonly #log: Log;
  readonly #clock: DenoClock;
  readonly #node: Node;
  readonly #security: Security;
  readonly #gate: Gate | undefined;
  readonly #handles: HandleWatch;
  #resolveClosed!: (reason: Error | undefined) => void;
  #plane: ClientPlane | undefined;
  #runtime: ShardRuntime | undefined;
  #listener: Listener | undefined;
  #adminListener: Listener | undefined;
  #ending: Promise<void> | undefined;

  constructor(parts: {
    readonly config: Config;
    readonly log: Log;
    readonly clock: DenoClock;
    readonly node: Node;
    readonly security: Security;
    readonly gate: Gate | undefined;
    readonly handles: HandleWatch;
  }) {
    this.#config = parts.config;
    this.#log = parts.log;
    this.#clock = parts.clock;
    this.#node = parts.node;
    this.#security = parts.security;
    this.#gate = parts.gate;
    this.#handles = parts.handles;
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
  }

  readonly fetch = (request: Request): Promise<Response> =>
    this.#plane === undefined ? answerUnformed(request) : this.#plane.fetch(request);

  /** {@linkcode EmbeddedNode.fetch} for who wants to know where requests come from: at a price. */
  readonly #fetchFrom: Handler = (request, arrival) =>
    this.#plane === undefined ? answerUnformed(request) : this.#plane.fetch(request, arrival);

  async listen(
    address: { readonly hostname?: string; readonly port?: number } = {},
  ): Promise<ListenAddress> {
    if (this.#listener !== undefined) throw new Error("the node listens already");
    const { hostname, port } = { ...this.#config.listen, ...address };
    const shared = this.#config.cores > 1 && canSharePort();
    if (this.#config.cores > 1 && !shared) {
      this.#log("warn", "without --unstable-net only the first shard takes connections");
    }
    const listener = this.#listener = this.#listenOn(
      this.#config.logRequests ? this.#fetchFrom : this.fetch,
      { hostname, port, shared },
    );
    if (this.#plane !== undefined) await this.#listenEverywhere();
    return this.#addressOf(listener);
  }

  reload(): Promise<void> {
    return this.#security.reload();
  }

  async listenAdmin(
    address: { readonly hostname?: string; readonly port?: number } = {},
  ): Promise<ListenAddress> {
    if (this.#adminListener !== undefined) throw new Error("the admin plane listens already");
    const { hostname, port } = { ...this.#config.adminListen, ...address };
    const obstacle = adminObstacle({ hostname, port }, asksForTokens(this.#config));
    if (obstacle !== undefined) throw new Error(obstacle);
    const answer = createAdminHandler({
      serving: () =>
        this.#plane && this.#runtime &&
        { node: this.#runtime, context: this.#plane.context },
      nodeId: this.#config.nodeId,
      hostNames: this.#config.adminHosts,
      gate: this.#gate,
      onError: (reason) => this.#log("error", describe(reason)),
    });
    const options = { hostname, port, shared: false };
    const listener = this.#adminListener = this.#listenOn(answer, options);
    return await Promise.resolve(this.#addressOf(listener));
  }

  close(): Promise<void> {
    return this.#ending ??= this.#close();
  }

  /** The node serves. */
  async begin(runtime: ShardRuntime, plane: ClientPlane): Promise<void> {
    // It was told to end while it waited for its cluster.
    if (this.#ending !== undefined) return;
    this.#runtime = runtime;
    this.#plane = plane;
    await this.#listenEverywhere();
  }

  /** Shows another certificate to new connections. */
  async renew(tls: CertifiedKey): Promise<void> {
    await Promise.all([this.#listener?.renew(tls), this.#adminListener?.renew(tls)]);
  }

  /** The node can't go on. */
  fail(reason: Error): void {
    // It was told to end while it waited for its cluster.
    if (this.#ending !== undefined) return;
    this.#log("error", `the node can't go on: ${reason.message}`);
    this.#ending = this.#abandon(reason);
  }

  async #listenEverywhere(): Promise<void> {
    if (this.#listener?.shared !== true) return;
    const { hostname, port } = this.#listener;
    await this.#node.listenEverywhere(hostname, port, this.#security.setup.tls);
  }

  #listenOn(
    answer: Handler,
    options: Pick<ListenOptions, "hostname" | "port" | "shared">,
  ): Listener {
    try {
      return listen(answer, {
        ...options,
        tls: this.#security.setup.tls,
        log: (line, level = "info") => this.#log(level, line),
        settle: () => this.#plane?.settle(),
        handles: this.#handles,
      });
    } catch (reason) {
      const detail = reason instanceof Error ? reason.message : String(reason);
      throw new Error(`can't listen on ${options.hostname}:${options.port}: ${detail}`);
    }
  }

  #addressOf({ hostname, port }: Listener): ListenAddress {
    const scheme = this.#security.setup.tls === undefined ? "http" : "https";
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    return { hostname, port, url: `${scheme}://${host}:${port}` };
  }

  async #close(): Promise<void> {
    this.#log("info", "stopping: leaderships are handed over, requests under way answered");
    this.#security.close();
    // First of all, as every group is without a leader from when this node stops until it has another.
    await this.#node.handOver();
    this.#plane?.endLiveReads();
    await Promise.all([
      this.#listener?.stop(),
      this.#adminListener?.stop(),
      this.#node.quiet(),
    ]);
    this.#plane?.close();
    await this.#node.stop();
    this.#log("info", "stopped: all that was acknowledged is durable");
    this.#clock.close();
    this.#resolveClosed(undefined);
  }

  async #abandon(reason: Error): Promise<void> {
    this.#security.close();
    this.#plane?.close();
    this.#node.abandon();
    this.#clock.close();
    this.#resolveClosed(reason);
    await Promise.all([this.#listener?.stop(), this.#adminListener?.stop()]);
  }
}

function describe(reason: unknown): string {
  return reason instanceof Error ? reason.stack ?? reason.message : String(reason);
}

/** What a node answers whose cluster has not formed. */
function answerUnformed(request: Request): Promise<Response> {
  const isHealth = new URL(request.url).pathname === "/healthz";
  const { status, headers, body } = isHealth ? health() : respondError("not_ready", {}, {
    message: "the cluster has not formed yet",
  });
  return Promise.resolve(new Response(body as string, { status, headers }));
}

function withAbsolutePaths(config: Config): Config {
  const { coldBackend, coldRoot } = config;
  const isFolder = coldBackend === "fs" && coldRoot !== undefined;
  return {
    ...config,
    dataDir: resolve(config.dataDir),
    coldRoot: isFolder ? resolve(coldRoot) : coldRoot,
  };
}

function settingsOf(config: Config, memoryBytes: number): HttpSettings {
  const shards = config.cores;
  return {
    longPollTimeoutMs: config.longPollTimeoutMs,
    sseMaxAgeMs: config.sseMaxAgeMs,
    corsOrigins: config.corsOrigin,
    appendBytesMax: config.maxAppendBytes,
    batchBytesMax: config.maxBatchBytes,
    batchItemsMax: config.maxBatchItems,
    snapshotBytesMax: config.maxSnapshotBytes,
    producerIdBytesMax: config.maxProducerIdBytes,
    streamSeqBytesMax: config.maxStreamSeqBytes,
    bodyBytesInFlightMax: Math.max(
      config.maxAppendBytes,
      config.maxBatchBytes,
      config.maxSnapshotBytes + config.maxAppendBytes,
      config.maxBodyBytesInFlight / shards,
    ),
    outgoingBytesMax: memoryBytes * OUTGOING_PART_OF_MEMORY / shards,
    logRequests: config.logRequests,
    liveReadersMax: Math.ceil(config.maxLiveReaders / shards),
  };
}
