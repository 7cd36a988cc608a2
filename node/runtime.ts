import type { Clock, Disk, LogLine, Network, Random, Tracer } from "../io/mod.ts";
import type { Unavailable } from "../group/mod.ts";
import type { PeerMessage } from "../peer/mod.ts";
import type { MemberId } from "../raft/mod.ts";
import {
  type Admission,
  type GroupAccess,
  type GroupFacts,
  type GroupOrder,
  journalOf,
  Mailbox,
  Neighbourhood,
  type OpenShard,
  openShard,
  type OrderAnswer,
  PEER_KINDS,
  type PlaneFacts,
  presentMember,
  type ShardFacts,
  type ShardHooks,
  shardOf,
  type ShardSetup,
} from "../shard/mod.ts";
import { memberOf, nodeOf } from "../storage/member.ts";
import { Buckets } from "./buckets.ts";
import { Cluster } from "./cluster.ts";
import { Forks } from "./forks.ts";
import type { Links, PeerReceiver } from "./links.ts";
import { Listings } from "./listing.ts";
import { StreamSnapshots } from "./snapshots.ts";
import { Streams } from "./streams.ts";
import { Sweep } from "./sweep.ts";

/** The world as a shard needs it. */
export interface Io {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  readonly network: Network;
  /** Undefined where nobody asked for traces. */
  readonly tracer?: Tracer | undefined;
}

const NOTHING = new Uint8Array(0);

/** One shard at work, with everything that reaches the whole cluster from it. */
export class ShardRuntime implements PeerReceiver {
  readonly access: GroupAccess;
  /** Writes that come from outside ask here first. */
  readonly admission: Admission;
  readonly streams: Streams;
  readonly buckets: Buckets;
  readonly listings: Listings;
  readonly snapshots: StreamSnapshots;
  readonly #open: OpenShard;
  readonly #links: Links | undefined;
  readonly #cluster: Cluster | undefined;
  readonly #neighbourhood: Neighbourhood;
  readonly #log: LogLine;
  readonly #mailboxes: readonly (Mailbox | undefined)[];
  readonly #sweep: Sweep;
  #stopping = false;
  /** Whether the node is being drained, as far as this shard knows. */
  get draining(): boolean {
    return this.#open.shard.draining;
  }

  private constructor(
    open: OpenShard,
    links: Links | undefined,
    setup: ShardSetup,
    io: Io,
    ports: readonly (MessagePort | undefined)[],
    hooks: ShardHooks,
  ) {
    const { shard } = open;
    const { clock } = io;
    const { journalCount, shardCount } = setup;
    this.#open = open;
    this.#links = links;
    this.admission = shard.admission;
    this.#log = hooks.log;
    const defer = (callback: () => void) => clock.defer(callback);
    this.#mailboxes = ports.map((port) => port && new Mailbox(port, shard, defer));
    const local = this.#neighbourhood = new Neighbourhood(shard, clock, (group) => {
      const owner = this.#mailboxes[shardOf(journalOf(group, journalCount), shardCount)];
      if (owner === undefined) throw new Error(`no line to the shard of group ${group}`);
      return owner;
    });
    if (links !== undefined && setup.cluster !== undefined) {
      const { nodeId } = setup.cluster.self;
      const { admission } = this;
      const peers = links.plane;
      const { tracer } = io;
      const { log } = hooks;
      this.#cluster = new Cluster({ nodeId, local, peers, clock, admission, tracer, log });
    }
    const access = this.access = this.#cluster ?? local;
    shard.waitsFor = () => this.#mailboxes.map((mailbox) => mailbox?.waiting ?? 0);
    shard.submitTouch = (group, command) => access.propose(group, command, () => {});
    this.buckets = new Buckets(access, clock);
    const forks = new Forks(access, clock);
    this.streams = new Streams(access, clock, this.buckets, forks);
    this.listings = new Listings(access);
    this.snapshots = new StreamSnapshots(access, clock, open.tier);
    this.#sweep = new Sweep({
      access: local,
      clock,
      buckets: this.buckets,
      forks,
      groups: [...shard.groups],
    });
    links?.attend(this);
  }

  /**
   * Opens a shard: reads its journals and RaftSnapshots, and leads its groups or joins those who do.
   *
   * @param ports lines to the other shards, by index; undefined at this shard's own
   * @param links to the other nodes, the caller's to close; undefined on a single node
   */
  static async start(
    setup: ShardSetup,
    io: Io,
    ports: readonly (MessagePort | undefined)[],
    hooks: ShardHooks,
    links?: Links,
  ): Promise<ShardRuntime> {
    const open = await openShard(setup, io, hooks, links?.plane);
    return new ShardRuntime(open, links, setup, io, ports, hooks);
  }

  /** See {@linkcode PeerReceiver}. */
  take({ from, kind, bytes }: PeerMessage): void {
    if (kind !== PEER_KINDS.RAFT) throw new Error(`a message of kind ${kind}`);
    this.#neighbourhood.takeRaft(memberOf(from), bytes);
  }

  /** See {@linkcode PeerReceiver}. */
  answer({ from, kind, bytes }: PeerMessage, respond: (bytes: Uint8Array) => void): void {
    if (kind === PEER_KINDS.SNAPSHOT) {
      this.#neighbourhood.arrive(memberOf(from), bytes)
        .then(respond, (reason) => {
          this.#log(`a RaftSnapshot from node ${from.nodeId} is not taken: ${reason}`, "warn");
          respond(NOTHING);
        });
    } else if (kind === PEER_KINDS.COLD) {
      this.#neighbourhood.answerCold(memberOf(from), bytes)
        .then(respond, (reason) => {
          this.#log(`a request of node ${from.nodeId} can't be answered: ${reason}`, "warn");
          respond(NOTHING);
        });
    } else {
      this.#cluster?.answerCall(kind, bytes, respond);
    }
  }

  /** Facts of this node's replica of every group. */
  async groups(): Promise<GroupFacts[]> {
    return groupsOf(await this.shards());
  }

  /** What the client plane of this shard says of itself, for operators. */
  set plane(facts: () => PlaneFacts) {
    this.#open.shard.plane = facts;
  }

  /** Facts of every shard of this node and of all its groups, those apart that are ending. */
  async shards(): Promise<ShardFacts[]> {
    // Before it waits for the others' reports.
    const found = [this.#open.shard.report()];
    const others = this.#mailboxes.map((mailbox) => mailbox?.call({ verb: "report", group: 0 }));
    const answers = await Promise.all(others) as (ShardFacts | Unavailable | undefined)[];
    for (const facts of answers) if (facts !== undefined && "id" in facts) found.push(facts);
    return found.sort((one, other) => one.id - other.id);
  }

  /** Whether a member of another node is connected: that very store, not one that took its place. */
  hears(member: MemberId): boolean {
    const { plane } = this.#links ?? {};
    return plane !== undefined && presentMember(plane, nodeOf(member)) === member;
  }

  /** Whether the node is about to end: it answers what comes, and wants to be sent no more. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Has this node's replica of a group carry out what an operator orders. */
  order(group: number, order: GroupOrder): Promise<OrderAnswer | Unavailable> {
    return this.#neighbourhood.order(group, order);
  }

  /**
   * Has all shards of the node lead as little as they can, or lifts that; answers how many groups it
   * leads still. It ends with the process.
   */
  async drain(draining: boolean): Promise<number> {
    const others = this.#mailboxes.map((mailbox) =>
      mailbox?.call({ verb: "drain", group: 0, draining })
    );
    const led = await Promise.all([this.#open.shard.drain(draining), ...others]);
    return led.reduce<number>((sum, count) => sum + (typeof count === "number" ? count : 0), 0);
  }

  /** The node is about to end: hands this shard's leaderships over to other nodes. */
  handOver(): Promise<void> {
    this.#stopping = true;
    return this.#open.shard.handOver();
  }

  /** Gives up whatever is under way: after a failure nothing can be made durable. */
  abandon(): void {
    this.#sweep.stop();
    this.#cluster?.close();
    this.#open.abandon();
    for (const mailbox of this.#mailboxes) mailbox?.close();
  }

  /** Takes no more commands and finishes those under way. */
  async stop(): Promise<void> {
    this.#sweep.stop();
    this.#cluster?.close();
    await this.#open.stop();
    for (const mailbox of this.#mailboxes) mailbox?.close();
  }
}

/** The groups of a node's shards, in order. */
export function groupsOf(shards: readonly ShardFacts[]): GroupFacts[] {
  return shards.flatMap(({ groups }) => groups).sort((one, other) => one.id - other.id);
}
