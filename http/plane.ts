import type { ProcessUsage } from "../io/machine.ts";
import type { Clock, MetricRow, Random, Tracer } from "../io/mod.ts";
import { groupsOf, type ShardRuntime } from "../node/runtime.ts";
import type { Gate } from "./auth/mod.ts";
import { BodyReader } from "./body.ts";
import type { HttpContext, HttpSettings, NodeIdentity } from "./context.ts";
import type { HandleWatch } from "./handle_watch.ts";
import { createHandler, type Handler } from "./handler.ts";
import { LargeAnswers } from "./large_answers.ts";
import { LiveReaders } from "./live_readers.ts";
import { metricRows } from "./metrics/mod.ts";
import { Outgoing } from "./outgoing.ts";
import type { TellRequest } from "./request_log.ts";
import { RecentReads } from "./recent_reads.ts";
import { Traffic } from "./traffic.ts";

/** The client plane of one shard: answers requests, wherever they come from. */
export class ClientPlane {
  /** Answers one request. */
  readonly fetch: Handler;
  /** What requests are answered with; the admin plane answers some of the same. */
  readonly context: HttpContext;
  readonly #bodies: BodyReader;
  readonly #liveReaders: LiveReaders;
  readonly #outgoing: Outgoing;

  constructor(options: {
    runtime: ShardRuntime;
    io: { clock: Clock; random: Random; tracer?: Tracer | undefined };
    settings: HttpSettings;
    identity: NodeIdentity;
    /** Left out lets everybody do everything. */
    gate?: Gate | undefined;
    /** What the process uses; left out in a simulation. */
    usage?: () => ProcessUsage;
    /** Left out in a simulation, too. */
    handles?: HandleWatch;
    onError: (reason: unknown) => void;
    /** Told of every request that was answered, where `settings.logRequests` asks for it. */
    tellRequest?: TellRequest;
  }) {
    const { runtime, io, settings, identity, gate, usage, handles } = options;
    const startedMs = io.clock.monotonicMs();
    this.#bodies = new BodyReader(
      io.clock,
      settings.bodyBytesInFlightMax,
      settings.appendBytesMax,
    );
    this.#liveReaders = new LiveReaders(io.clock, settings.liveReadersMax, handles);
    this.#outgoing = new Outgoing(io.clock, settings.outgoingBytesMax);
    const bodies = this.#bodies;
    const readers = this.#liveReaders;
    const traffic = new Traffic();
    runtime.plane = () => ({
      traffic: { responses: traffic.responses, durations: traffic.durations },
      liveReaders: { now: readers.count, max: readers.max, refused: readers.refused },
      bodies: { now: bodies.bytesInFlight, max: bodies.bytesMax, refused: bodies.refused },
    });
    const context: HttpContext = this.context = {
      streams: runtime.streams,
      buckets: runtime.buckets,
      listings: runtime.listings,
      snapshots: runtime.snapshots,
      clock: io.clock,
      random: io.random,
      tracer: io.tracer,
      admission: runtime.admission,
      bodies: this.#bodies,
      liveReaders: this.#liveReaders,
      recentReads: new RecentReads(),
      largeAnswers: new LargeAnswers(io.clock),
      outgoing: this.#outgoing,
      traffic,
      settings,
      gate,
      facts: async () => {
        const shards = await runtime.shards();
        return {
          ...identity,
          process: usage?.(),
          uptimeMs: io.clock.monotonicMs() - startedMs,
          stopping: runtime.stopping,
          draining: runtime.draining,
          groups: groupsOf(shards),
          shards,
          hears: (member) => runtime.hears(member),
        };
      },
    };
    const { tellRequest } = options;
    const requestLog = settings.logRequests && tellRequest !== undefined
      ? { clock: io.clock, tell: tellRequest }
      : undefined;
    this.fetch = createHandler(context, options.onError, requestLog);
  }

  /** All that the node says of itself in numbers. */
  async metrics(): Promise<MetricRow[]> {
    return metricRows(await this.context.facts());
  }

  /** Ends live reads cleanly and lets no new ones in. */
  endLiveReads(): void {
    this.#liveReaders.close();
  }

  /** See {@linkcode BodyReader.settle}. */
  settle(): Promise<void> {
    return this.#bodies.settle();
  }

  /** Gives up on bodies that are still coming in. */
  close(): void {
    this.#liveReaders.close();
    this.#bodies.close();
    this.#outgoing.close();
  }
}
