import type {
  Answer,
  BootstrapAnswer,
  BootstrapBroken,
  BootstrapRequest,
  BootstrapStretch,
  Eventually,
  ReadAnswer,
  ReadRequest,
  Unavailable,
  Watcher,
} from "../group/mod.ts";
import type {
  BucketView,
  Command,
  HomeLink,
  ListedStream,
  ObjectName,
  PathEntry,
  StreamFacts,
  StreamKey,
  UnlinkErrand,
} from "../stream/mod.ts";
import type { ColdFacts } from "./cold/facts.ts";
import type { NewObject } from "./cold/numbers.ts";
import type { GroupOrder, OrderAnswer } from "./orders/mod.ts";
import type { JournalFacts } from "./journal_facts.ts";

/** A question that is not about one stream of a group. */
export type Survey =
  | { readonly about: "streams"; readonly bucket: string; readonly page: Page }
  | { readonly about: "buckets"; readonly page: Page }
  | { readonly about: "bucket"; readonly bucket: string }
  | { readonly about: "errands" }
  | { readonly about: "link"; readonly key: StreamKey }
  | { readonly about: "time" }
  | { readonly about: "object" };

/** A stretch of a sorted listing. */
export interface Page {
  readonly prefix: string;
  /** Exclusive; empty begins at the beginning. */
  readonly after: string;
  readonly limit: number;
}

/** What a leader knows of another member. */
export interface FollowerFacts {
  readonly member: string;
  /** It holds the leader's log up to here. */
  readonly match: number;
  /** Since it was last heard from. */
  readonly silentMs: number;
}

/** What an operator wants to know of a group. */
export interface GroupFacts {
  readonly id: number;
  /** Index of the shard that owns it. */
  readonly shard: number;
  /** Member id of this node's replica. */
  readonly member: string;
  /** Member id of who leads, as far as is known here. */
  readonly leader: string | undefined;
  /** This node's replica leads. */
  readonly leads: boolean;
  readonly voters: readonly string[];
  readonly learners: readonly string[];
  readonly term: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** What a leader knows of the other members; empty on others. */
  readonly followers: readonly FollowerFacts[];
  /** The replica has caught up, has a leader, and would vote. */
  readonly ready: boolean;
  /**
   * The replica has at some time since its start applied all that a leader had committed, and had
   * every object of it where the node keeps its own.
   */
  readonly caughtUp: boolean;
  /** Objects that the replica refers to, and that this node is yet to fetch from others. */
  readonly coldLacking: number;
  /** The replica is a voter. */
  readonly votes: boolean;
  /** There is room for entries; a follower without acknowledges none. */
  readonly hasRoom: boolean;
  /** Entries that this node, leading, has proposed and that are not committed, and their bytes. */
  readonly proposals: number;
  readonly proposalBytes: number;
  /** Commands refused because too many waited, or no majority had room. */
  readonly overloads: number;
  readonly hotBytes: number;
  /** Bytes of objects that streams refer to. */
  readonly coldBytes: number;
  readonly streams: number;
}

/** A bound, as it stands. */
export interface BoundFacts {
  readonly now: number;
  readonly max: number;
  /** How often something was refused because of it. */
  readonly refused: number;
}

/** What a shard's client plane says of itself. */
export interface PlaneFacts {
  readonly liveReaders: BoundFacts;
  /** Bytes of request bodies. */
  readonly bodies: BoundFacts;
  /** What it answered; what the numbers mean is the plane's own business. */
  readonly traffic: TrafficFacts;
}

/** What a client plane answered since its start. */
export interface TrafficFacts {
  /** How many answers of each kind. */
  readonly responses: Float64Array;
  /** How long they took: histograms, see `durations.ts`. */
  readonly durations: Float64Array;
}

/** What an operator wants to know of a shard. */
export interface ShardFacts {
  /** Index of the shard. */
  readonly id: number;
  /** Bytes of streams in memory. */
  readonly hotBytes: BoundFacts;
  /** Writes under way; refused are those that found too long a line. */
  readonly writes: BoundFacts;
  /** Trimmed bytes in memory for bootstraps; refused are those that were broken off. */
  readonly kept: BoundFacts;
  /** Room on the disk; `freeBytes` undefined where it is not known, or nothing is kept there. */
  readonly disk: {
    readonly freeBytes: number | undefined;
    readonly low: boolean;
    readonly refused: number;
  };
  /** See `activity.ts`. */
  readonly appends: number;
  readonly appendBytes: number;
  readonly reads: number;
  /** A histogram, see `durations.ts`. */
  readonly loopDelay: Float64Array;
  /** What lies between two writes to a journal at least, in ms, see `crowding.ts`; 0 where none is synced. */
  readonly writeGapMs: number;
  /** A write to a journal has taken a second of late, see `disk_pace.ts`. */
  readonly diskSlow: boolean;
  /** Calls that other shards, by index, have yet to answer. */
  readonly waitsFor: readonly number[];
  /** Undefined where nothing is kept on disk. */
  readonly journal: JournalFacts | undefined;
  /** Undefined while nobody serves clients there. */
  readonly plane: PlaneFacts | undefined;
  /** Undefined where all is kept in memory. */
  readonly cold: ColdFacts | undefined;
  /** Of every group that lives there. */
  readonly groups: readonly GroupFacts[];
}

/** What a crash may have left half-way, for the sweep to finish. */
export interface Errands {
  /** Buckets with an intent that is not settled. */
  readonly intents: readonly BucketView[];
  /** Paths reserved for forks, overdue. */
  readonly reservations: readonly PathEntry[];
  /** Links of forks that ended in this group. */
  readonly unlinks: readonly UnlinkErrand[];
}

/** The answer to a {@linkcode Survey}, by what it is about. */
export interface SurveyAnswers {
  readonly streams: readonly ListedStream[];
  readonly buckets: readonly BucketView[];
  readonly bucket: { readonly view: BucketView | undefined };
  readonly errands: Errands;
  /** Of the fork at a path whose home is another group; undefined where there is none. */
  readonly link: { readonly link: HomeLink | undefined };
  /** The leader's group time, in ms. */
  readonly time: { readonly nowMs: number };
  /** A name for a new object. */
  readonly object: NewObject;
}

/** Orders to this node's own replicas, from wherever the caller runs. */
export interface OrderAccess {
  /** Has the replica carry an order out; it is sent to no other node. */
  order(group: number, order: GroupOrder): Promise<OrderAnswer | Unavailable>;
}

/** Bytes of an object that {@linkcode GroupAccess.fetch} answers at a time: a run of the reader. */
export const FETCH_BYTES_MAX = 1 << 20;

/**
 * Every group of this node, from wherever the caller runs: its own shard's are called, the others'
 * are reached through the mailbox.
 */
export interface GroupAccess {
  readonly groupCount: number;
  /** Puts a command into a group's log; `done` is called once, when it was applied or refused. */
  propose(group: number, command: Command, done: (answer: Answer) => void): void;
  /** {@linkcode GroupAccess.propose} as a promise. */
  submit(group: number, command: Command): Promise<Answer>;
  /** Reads one stream. */
  read(group: number, request: ReadRequest): Eventually<ReadAnswer>;
  /**
   * Bytes of one of the group's objects, such as a StreamSnapshot, from this node's replica: from
   * memory while they are pinned there, else from the store. In memory of their own.
   *
   * @param length at most {@linkcode FETCH_BYTES_MAX}
   * @throws RangeError when the object has no such bytes, or they are too many
   */
  fetch(
    group: number,
    object: ObjectName,
    offset: number,
    length: number,
  ): Promise<Uint8Array | Unavailable>;
  /** Begins a bootstrap on this node's replica; to be ended, whatever becomes of it. */
  beginBootstrap(group: number, request: BootstrapRequest): Eventually<BootstrapAnswer>;
  /** What comes next of it; to be asked again once that is here. */
  nextOfBootstrap(
    group: number,
    session: number,
  ): Eventually<BootstrapStretch | BootstrapBroken | Unavailable>;
  /** Its client still takes what was fetched for it, or the bootstrap is over. */
  tellBootstrap(group: number, session: number, what: "goes_on" | "ends"): void;
  /** Asks about more than one stream; the leader alone answers. */
  survey<A extends Survey["about"]>(
    group: number,
    survey: Extract<Survey, { about: A }>,
  ): Eventually<SurveyAnswers[A] | Unavailable>;
  /** Facts of this node's replica, whatever it knows. */
  facts(group: number): Eventually<GroupFacts>;
  /** Begins to watch a stream; undefined where that incarnation is not there. */
  watch(
    group: number,
    key: StreamKey,
    incarnation: string,
    watcher: Watcher,
  ): Eventually<StreamFacts | undefined>;
  /** Stops watching. */
  unwatch(group: number, key: StreamKey, watcher: Watcher): void;
}
