import type { ProcessUsage } from "../io/machine.ts";
import type { Clock, Random, Tracer } from "../io/mod.ts";
import type { Admission, GroupFacts, ShardFacts } from "../shard/mod.ts";
import type { Buckets } from "../node/buckets.ts";
import type { Listings } from "../node/listing.ts";
import type { StreamSnapshots } from "../node/snapshots.ts";
import type { Streams } from "../node/streams.ts";
import type { Gate } from "./auth/mod.ts";
import type { BodyReader } from "./body.ts";
import type { LargeAnswers } from "./large_answers.ts";
import type { LiveReaders } from "./live_readers.ts";
import type { Outgoing } from "./outgoing.ts";
import type { RecentReads } from "./recent_reads.ts";
import type { SecuritySetup } from "./security.ts";
import type { Traffic } from "./traffic.ts";

/** What the node calls itself. */
export interface NodeIdentity {
  readonly nodeId: number;
  readonly clusterId: string;
  readonly version: string;
}

/** What operators may ask of the node through this plane. */
export interface NodeFacts extends NodeIdentity {
  readonly uptimeMs: number;
  /** Undefined where it is no process of its own. */
  readonly process: ProcessUsage | undefined;
  /** It is about to end. */
  readonly stopping: boolean;
  /** It leads as little as it can. */
  readonly draining: boolean;
  readonly groups: readonly GroupFacts[];
  readonly shards: readonly ShardFacts[];
  /** Whether the member of another node is connected. */
  readonly hears: (member: string) => boolean;
}

/** What requests are answered with. */
export interface HttpContext {
  readonly streams: Streams;
  readonly buckets: Buckets;
  readonly listings: Listings;
  readonly snapshots: StreamSnapshots;
  readonly clock: Clock;
  readonly random: Random;
  /** Undefined where nobody asked for traces. */
  readonly tracer?: Tracer | undefined;
  /** Asked before the body of a write is read. */
  readonly admission: Admission;
  readonly bodies: BodyReader;
  readonly liveReaders: LiveReaders;
  readonly recentReads: RecentReads;
  readonly largeAnswers: LargeAnswers;
  readonly outgoing: Outgoing;
  readonly traffic: Traffic;
  readonly settings: HttpSettings;
  /** Undefined lets everybody do everything. */
  readonly gate: Gate | undefined;
  /** Facts of the node, for health and metrics. */
  readonly facts: () => Promise<NodeFacts>;
}

/** The part of the configuration that concerns this room. */
export interface HttpSettings {
  readonly longPollTimeoutMs: number;
  readonly sseMaxAgeMs: number;
  /** `*`, `off`, or the origins that are let in. */
  readonly corsOrigins: "*" | "off" | readonly string[];
  readonly appendBytesMax: number;
  /** Of the body of an append batch, and of its items. */
  readonly batchBytesMax: number;
  readonly batchItemsMax: number;
  /** Of the body of a StreamSnapshot. */
  readonly snapshotBytesMax: number;
  readonly producerIdBytesMax: number;
  readonly streamSeqBytesMax: number;
  /** Bytes of request bodies that a shard holds at once; more are `overloaded`. */
  readonly bodyBytesInFlightMax: number;
  /** Bytes of large answers that a shard holds for its clients; answers are shorter as they are more. */
  readonly outgoingBytesMax: number;
  /** Live reads that a shard serves at once; more are `overloaded`. */
  readonly liveReadersMax: number;
  /** Log a line for every request that was answered. */
  readonly logRequests: boolean;
}

/** What the first shard hands to the planes of the others. */
export interface PlaneSetup {
  readonly settings: HttpSettings;
  readonly identity: NodeIdentity;
  readonly security: SecuritySetup;
}
