import type { Clock, Disk, Random } from "../io/mod.ts";
import {
  type GroupAccess,
  type GroupFacts,
  journalOf,
  Mailbox,
  Neighbourhood,
  type OpenShard,
  openShard,
  shardOf,
  type ShardSetup,
} from "../shard/mod.ts";
import { Buckets } from "./buckets.ts";
import { Forks } from "./forks.ts";
import { Listings } from "./listing.ts";
import { Streams } from "./streams.ts";
import { Sweep } from "./sweep.ts";

/** The world as a shard needs it. */
export interface Io {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
}

/** One shard at work, with everything that reaches the whole node from it. */
export class ShardRuntime {
  readonly access: GroupAccess;
  readonly streams: Streams;
  readonly buckets: Buckets;
  readonly listings: Listings;
  readonly #open: OpenShard;
  readonly #mailboxes: readonly (Mailbox | undefined)[];
  readonly #sweep: Sweep;

  private constructor(
    open: OpenShard,
    setup: ShardSetup,
    io: Io,
    ports: readonly (MessagePort | undefined)[],
  ) {
    const { shard } = open;
    const { journalCount, shardCount } = setup;
    const defer = (callback: () => void) => io.clock.defer(callback);
    this.#open = open;
    this.#mailboxes = ports.map((port) => port && new Mailbox(port, shard, defer));
    this.access = new Neighbourhood(shard, (group) => {
      const owner = this.#mailboxes[shardOf(journalOf(group, journalCount), shardCount)];
      if (owner === undefined) throw new Error(`no line to the shard of group ${group}`);
      return owner;
    });
    this.buckets = new Buckets(this.access, io.clock);
    const forks = new Forks(this.access, io.clock);
    this.streams = new Streams(this.access, io.clock, this.buckets, forks);
    this.listings = new Listings(this.access);
    this.#sweep = new Sweep({
      access: this.access,
      clock: io.clock,
      buckets: this.buckets,
      forks,
      groups: [...shard.groups],
    });
  }

  /**
   * Opens a shard: reads its journals and RaftSnapshots, and leads its groups.
   *
   * @param ports lines to the other shards, by index; undefined at this shard's own
   * @param onFatal told when the shard can't go on: a failed write or sync
   */
  static async start(
    setup: ShardSetup,
    io: Io,
    ports: readonly (MessagePort | undefined)[],
    hooks: { onFatal: (reason: Error) => void; log: (line: string) => void },
  ): Promise<ShardRuntime> {
    const open = await openShard(setup, io, hooks);
    return new ShardRuntime(open, setup, io, ports);
  }

  /** Facts of every group of the node. */
  async groups(): Promise<GroupFacts[]> {
    const ids = Array.from({ length: this.access.groupCount }, (_, group) => group);
    return await Promise.all(ids.map((id) => this.access.survey<"group">(id, { about: "group" })));
  }

  /** Gives up whatever is under way: after a failure nothing can be made durable. */
  abandon(): void {
    this.#sweep.stop();
    this.#open.abandon();
    for (const mailbox of this.#mailboxes) mailbox?.close();
  }

  /** Takes no more commands and finishes those under way. */
  async stop(): Promise<void> {
    this.#sweep.stop();
    await this.#open.stop();
    for (const mailbox of this.#mailboxes) mailbox?.close();
  }
}
