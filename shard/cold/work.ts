import type { Answer, Completion, Group, Unavailable } from "../../group/mod.ts";
import type { Clock, Random, Tracer } from "../../io/mod.ts";
import type { MemberId } from "../../raft/mod.ts";
import type { Command, ObjectName, StreamKey } from "../../stream/mod.ts";
import type { HotBytes } from "../hot_bytes.ts";
import type { LogLine } from "../log_line.ts";
import type { OrderAnswer } from "../orders/types.ts";
import type { Peers } from "../peers.ts";
import type { ColdCounters } from "./counters.ts";
import { type ColdFacts, coldFactsOf } from "./facts.ts";
import { Flusher } from "./flusher.ts";
import { GroupRoom } from "./group_room.ts";
import type { ColdJob } from "./job.ts";
import { Keeper } from "./keeper.ts";
import { Merger } from "./merger.ts";
import { ObjectNumbers } from "./numbers.ts";
import { Orphans } from "./orphans.ts";
import type { Repair } from "./object_bytes.ts";
import { OwnCopies } from "./own_copies.ts";
import { isProvable, Proofs } from "./proofs.ts";
import { ColdReads } from "./reads.ts";
import { NO } from "./requests.ts";
import { StoreHealth } from "./store_health.ts";
import { Sweeper } from "./sweeper.ts";
import type { ColdTier } from "./tier.ts";

/** A flush that an operator asked for is given up after this. */
const FLUSH_NOW_MS_MAX = 20_000;

/** What the parts of a shard's cold tier are made with. */
export interface ColdParts {
  readonly tier: ColdTier;
  /** All groups of the shard. */
  readonly groups: readonly Group[];
  readonly clock: Clock;
  readonly random: Random;
  /** Undefined where nobody asked for traces. */
  readonly tracer?: Tracer | undefined;
  /** What was done so far: each part counts what it does. */
  readonly counters: ColdCounters;
  /** Takes lines for the operator. */
  readonly log: LogLine;
  /** Left out where nobody else has the objects. */
  readonly repair?: Repair;
  /**
   * Has the other voters take an object that lies in this node's own store; says whether a majority
   * holds it durably. Left out where the store is shared, and on a single node.
   */
  readonly spread?: (group: Group, object: ObjectName) => Promise<boolean>;
}

/** What a shard's cold tier is made with. */
export interface ColdWorkOptions extends Omit<ColdParts, "repair" | "spread"> {
  /** Links to the other nodes; undefined on a single node. */
  readonly peers?: Peers;
  /** Ids of the other nodes. */
  readonly nodes?: readonly number[];
}

/** All that a shard does with its cold tier. */
export class ColdWork {
  /** Names of new objects. */
  readonly numbers: ObjectNumbers = new ObjectNumbers();
  /** Where each node of a cluster keeps its own copies: what it has, and what it gets from others. */
  readonly own: OwnCopies | undefined;
  /** Reads of bytes in objects. */
  readonly reads: ColdReads;
  readonly #parts: ColdParts;
  readonly #flushIntervalMs: number;
  readonly #flusher: Flusher;
  readonly #room: GroupRoom;
  readonly #jobs: readonly ColdJob[];
  readonly #proofs: Proofs;
  #lookedMs = -Infinity;

  constructor({ peers, nodes = [], ...given }: ColdWorkOptions) {
    const { tier, counters, log, clock } = given;
    const { holdings } = tier;
    const own = this.own = peers && holdings && new OwnCopies({ ...given, peers, holdings, nodes });
    const parts = this.#parts = own === undefined ? given : {
      ...given,
      repair: (object) => own.repair(object),
      spread: (group, object) => own.spread(group, object),
    };
    this.#flushIntervalMs = tier.setup.flushIntervalMs;
    this.reads = new ColdReads(parts);
    this.#proofs = new Proofs(this.reads, clock);
    const health = new StoreHealth(tier.store.name, counters, log);
    this.#room = new GroupRoom(tier.setup.hotBytesPerGroupMax, counters, log);
    this.#flusher = new Flusher(parts, this.numbers, health);
    const { sweepMs, listMs, mergeMs, mergePauseMs, underWayMs } = tier.setup.timing ?? {};
    this.#jobs = [
      this.#flusher,
      new Sweeper(parts, { everyMs: sweepMs, underWayMs }),
      new Orphans(parts, { firstMs: listMs, everyMs: listMs, underWayMs }),
      new Merger(parts, this.numbers, { everyMs: mergeMs, pauseMs: mergePauseMs }),
      ...(holdings === undefined ? [] : [new Keeper(parts, health)]),
      ...(own === undefined ? [] : [own]),
    ];
  }

  /** Bytes of objects that lie in this process's memory. */
  get memoryBytes(): number {
    return this.#parts.tier.memoryBytes();
  }

  /** Puts a command into a group's log, with what it needs from objects. */
  propose(group: Group, command: Command, done: (answer: Answer) => void): void {
    if (group.leads && !this.#room.admits(group, command)) {
      return done({ unavailable: "overloaded" });
    }
    if (isProvable(command)) this.#proofs.propose(group, command, done);
    else group.propose(command, done);
  }

  /** Makes a read's answer one with all of its bytes in memory. */
  get complete(): Completion {
    return this.reads.complete;
  }

  /** Bytes of an object from the store; see `GroupAccess.fetch`. Never rejects. */
  fetch(
    group: Group,
    object: ObjectName,
    offset: number,
    length: number,
  ): Promise<Uint8Array | Unavailable> {
    return this.reads.fetch(group, object, offset, length);
  }

  /** Puts a stream's hot bytes into objects now. */
  async flush(group: Group, key: StreamKey): Promise<OrderAnswer<"flush">> {
    if (!group.leads) return { refused: "not_leader", leader: group.status().leader };
    const { bytes, ended } = await this.#flusher.flushNow(group, key, FLUSH_NOW_MS_MAX);
    if (ended === "done") return { flushedBytes: bytes };
    if (ended === "stopped") return { refused: "shutting_down" };
    return ended === "late"
      ? { refused: "cold_unavailable" }
      : { refused: "not_leader", leader: group.status().leader };
  }

  /** Answers another node's request. @throws Error when it is malformed */
  async answer(group: Group, from: MemberId, bytes: Uint8Array): Promise<Uint8Array> {
    return this.own === undefined ? NO : await this.own.answer(group, from, bytes);
  }

  /** Objects that a group's replica refers to and this node does not have. */
  lacking(group: number): number {
    return this.own?.lacking(group) ?? 0;
  }

  /** Has the group's replica had every object at some time since the start? */
  hasCaughtUp(group: Group): boolean {
    return this.own?.hasCaughtUp(group) ?? true;
  }

  /** Moves time on. */
  tick(nowMs: number, hot: HotBytes): void {
    this.#room.tick();
    for (const job of this.#jobs) job.tick?.(nowMs);
    if (nowMs - this.#lookedMs < this.#flushIntervalMs) return;
    this.#lookedMs = nowMs;
    for (const job of this.#jobs) job.look(nowMs, hot);
  }

  /** What operators may know of it. */
  facts(): ColdFacts {
    const { groups, tier, counters } = this.#parts;
    return coldFactsOf(groups, tier.reader.usage(), counters);
  }

  /** Begins nothing more and waits for what is under way. */
  async stop(): Promise<void> {
    this.reads.close();
    await Promise.all(this.#jobs.map((job) => job.stop()));
  }

  /** Begins nothing more. */
  abandon(): void {
    void this.stop();
  }
}
