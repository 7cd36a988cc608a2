import {
  type Answer,
  type BootstrapAnswer,
  type BootstrapBroken,
  type BootstrapRequest,
  type BootstrapStretch,
  type Eventually,
  type Group,
  type KeptBytes,
  type ReadAnswer,
  readMessage,
  type ReadRequest,
  type Unavailable,
  type Watcher,
  type WireItem,
} from "../group/mod.ts";
import { type Clock, pause, type Timer } from "../io/mod.ts";
import type { MemberId } from "../raft/mod.ts";
import type { Command, ObjectName, StreamFacts, StreamKey } from "../stream/mod.ts";
import type {
  GroupAccess,
  GroupFacts,
  OrderAccess,
  PlaneFacts,
  ShardFacts,
  Survey,
  SurveyAnswers,
} from "./access.ts";
import { Activity } from "./activity.ts";
import { Admission } from "./admission.ts";
import type { AgreedWall } from "./agreed_wall.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Caretaker } from "./caretaker.ts";
import type { BootstrapReads } from "./cold/bootstrap_reads.ts";
import { ObjectNumbers } from "./cold/numbers.ts";
import { checkStretch, pinnedStretch } from "./cold/object_stretch.ts";
import type { Sweeper } from "./cold/sweeper.ts";
import { NO } from "./cold/requests.ts";
import type { ColdWork } from "./cold/work.ts";
import type { Crowding } from "./crowding.ts";
import type { DiskPace } from "./disk_pace.ts";
import type { DiskRoom } from "./disk_space.ts";
import { factsOf } from "./group_facts.ts";
import { addsBytes, HotBytes } from "./hot_bytes.ts";
import type { JournalFacts } from "./journal_facts.ts";
import type { Lane } from "./lane.ts";
import { LeaderChanges } from "./leader_changes.ts";
import type { LogLine } from "./log_line.ts";
import type { GroupOrder, OrderAnswer, Orders } from "./orders/mod.ts";
import { answerSurvey } from "./survey.ts";
import type { Transfers } from "./transfers.ts";

/** How often deadlines, elections and bounds are looked at. */
const TICK_MS = 20;
/** A tick that comes so late was held up, and waits once more for what has arrived meanwhile. */
const LATE_MS = 100;
const HEAR_MS = 1;
/** How often the groups' memberships are. */
const LOOK_MS = 1_000;
/** Handing leaderships over may take this long, and is looked at so often. */
const HAND_OVER_MS = 2_000;
const HAND_OVER_LOOK_MS = 2;

const NOTHING = new Uint8Array(0);

/** What a shard may hold. */
export interface ShardBounds {
  /** Bytes of streams in memory; beyond it what would add bytes is `overloaded`. */
  readonly hotBytesMax: number;
  /** How long writes may stand in line before more of them are `overloaded`. */
  readonly appendWaitMsMax?: number | undefined;
}

/** What a shard has where its node is part of a cluster. */
export interface ShardLinks {
  readonly transfers: Transfers;
  readonly arrivals: Arrivals;
  readonly caretaker: Caretaker;
  readonly wall: AgreedWall;
}

/** Puts a command to wherever its group is led. */
export type Submit = (group: number, command: Command) => void;

/** One core: the groups it owns, and the turns of their journals. */
export class Shard implements GroupAccess, OrderAccess {
  readonly groupCount: number;
  /** What the shard's client plane says of itself. */
  plane: (() => PlaneFacts) | undefined;
  /** How many calls other shards, by index, have yet to answer. */
  waitsFor: () => readonly number[] = () => [];
  /** What the journals say, where anything is kept on disk. */
  journal: (() => JournalFacts) | undefined;
  /** Room on the disk, where anything is kept there. */
  disk: DiskRoom | undefined;
  readonly #index: number;
  readonly #clock: Clock;
  readonly #lanes: readonly Lane[];
  readonly #crowding: Crowding | undefined;
  readonly #pace: DiskPace | undefined;
  readonly #groups = new Map<number, Group>();
  readonly #hot: HotBytes;
  readonly #activity = new Activity();
  /** Who hands a write to this shard from outside asks here first, and tells when it is answered. */
  readonly admission: Admission;
  #diskRefusals = 0;
  #stopping = false;
  #draining = false;
  #ticker: Timer | undefined;
  readonly #links: ShardLinks | undefined;
  readonly #leaders: LeaderChanges;
  readonly #cold: ColdWork | undefined;
  readonly #sweeper: Sweeper | undefined;
  readonly #bootstraps: BootstrapReads;
  readonly #kept: KeptBytes;
  readonly #orders: Orders;
  readonly #numbers: ObjectNumbers;
  #lookedMs: number;
  #tickedMs: number;
  /** When the next tick is due. */
  #dueMs: number;
  #heardFirst = false;
  /** Reads push deadlines back wherever they are served; the leader has to hear of it. */
  submitTouch: Submit = (group, command) => this.propose(group, command, () => {});

  constructor(options: {
    index: number;
    groupCount: number;
    clock: Clock;
    bounds: ShardBounds;
    lanes: readonly Lane[];
    crowding: Crowding | undefined;
    /** How fast the journals' disk is; undefined where there is none. */
    pace: DiskPace | undefined;
    links?: ShardLinks;
    cold?: ColdWork;
    /** Where there is no cold tier, which has its own. */
    sweeper?: Sweeper;
    bootstraps: BootstrapReads;
    kept: KeptBytes;
    orders: Orders;
    log: LogLine;
  }) {
    this.#index = options.index;
    this.groupCount = options.groupCount;
    this.#clock = options.clock;
    this.#hot = new HotBytes(options.bounds.hotBytesMax, options.log);
    this.admission = new Admission(options.clock, options.log, options.bounds.appendWaitMsMax);
    this.#lanes = options.lanes;
    this.#crowding = options.crowding;
    this.#pace = options.pace;
    this.#links = options.links;
    this.#leaders = new LeaderChanges(options.log);
    this.#cold = options.cold;
    this.#sweeper = options.sweeper;
    this.#bootstraps = options.bootstraps;
    this.#kept = options.kept;
    this.#orders = options.orders;
    this.#numbers = options.cold?.numbers ?? new ObjectNumbers();
    this.#lookedMs = this.#tickedMs = this.#dueMs = options.clock.monotonicMs();
    for (const lane of options.lanes) {
      for (const group of lane.groups) this.#groups.set(group.id, group);
    }
    this.#tick();
  }

  /** Whether the group lives here. */
  owns(group: number): boolean {
    return this.#groups.has(group);
  }

  /** What is done with objects; undefined where there is no place for them. */
  get cold(): ColdWork | undefined {
    return this.#cold;
  }

  /** Ids of the groups that live here. */
  get groups(): IterableIterator<number> {
    return this.#groups.keys();
  }

  propose(group: number, command: Command, done: (answer: Answer) => void): void {
    if (this.#stopping) return done({ unavailable: "stopping" });
    const replica = this.#group(group);
    // Elsewhere another node leads, which may well have room.
    const { leads } = replica;
    if (this.#overloaded && leads && addsBytes(command)) return this.#refuse(done);
    if (leads) this.#activity.count(command);
    if (this.#cold === undefined) replica.propose(command, done);
    else this.#cold.propose(replica, command, done);
  }

  submit(group: number, command: Command): Promise<Answer> {
    return new Promise((resolve) => this.propose(group, command, resolve));
  }

  read(group: number, request: ReadRequest): Eventually<ReadAnswer> {
    this.#activity.reads++;
    return this.#group(group).read(request, this.#cold?.complete);
  }

  async fetch(
    group: number,
    object: ObjectName,
    offset: number,
    length: number,
  ): Promise<Uint8Array | Unavailable> {
    checkStretch(object, offset, length);
    const replica = this.#group(group);
    if (length === 0) return NOTHING;
    if (this.#cold !== undefined) return await this.#cold.fetch(replica, object, offset, length);
    return pinnedStretch(replica.state.cold, object, offset, length) ??
      { unavailable: "cold_unavailable" };
  }

  beginBootstrap(group: number, request: BootstrapRequest): Eventually<BootstrapAnswer> {
    return this.#group(group).bootstrap(request);
  }

  nextOfBootstrap(group: number, session: number): Eventually<BootstrapStretch | BootstrapBroken> {
    return this.#bootstraps.next(this.#group(group), session);
  }

  tellBootstrap(group: number, session: number, what: "goes_on" | "ends"): void {
    const { bootstraps } = this.#group(group);
    if (what === "ends") bootstraps.end(session);
    else bootstraps.renew(session, this.#clock.monotonicMs());
  }

  survey<A extends Survey["about"]>(
    group: number,
    survey: Extract<Survey, { about: A }>,
  ): Eventually<SurveyAnswers[A] | Unavailable> {
    const replica = this.#group(group);
    const answer = (obstacle: Unavailable | undefined) =>
      obstacle ?? answerSurvey(replica, survey, this.#numbers) as SurveyAnswers[A];
    const leading = replica.lead();
    return leading instanceof Promise ? leading.then(answer) : answer(leading);
  }

  facts(group: number): GroupFacts {
    return factsOf(this.#group(group), this.#index, this.#cold);
  }

  order(group: number, order: GroupOrder): Promise<OrderAnswer> {
    return this.#orders.obey(this.#group(group), order);
  }

  /** Facts of the shard itself, and of all its groups: all that operators may know, in one go. */
  report(): ShardFacts {
    const { bytes: now, bytesMax: max, refused } = this.#hot;
    const { appends, appendBytes, reads, loopDelay } = this.#activity;
    const kept = this.#kept;
    return {
      id: this.#index,
      appends,
      appendBytes,
      reads,
      loopDelay: loopDelay.cells,
      writeGapMs: this.#crowding?.gapMs ?? 0,
      diskSlow: this.#pace?.slow ?? false,
      waitsFor: this.waitsFor(),
      journal: this.journal?.(),
      hotBytes: { now, max, refused },
      writes: this.admission.facts(),
      kept: { now: kept.bytes, max: kept.bytesMax, refused: kept.brokenOff },
      disk: {
        freeBytes: this.disk?.freeBytes,
        low: this.#diskLow,
        refused: this.#diskRefusals,
      },
      plane: this.plane?.(),
      cold: this.#cold?.facts(),
      groups: Array.from(
        this.#groups.values(),
        (group) => factsOf(group, this.#index, this.#cold),
      ),
    };
  }

  /** Takes a Raft message of another node's replica. @throws Error when it is malformed */
  step(item: WireItem, from: MemberId, nowMs: number = this.#clock.monotonicMs()): void {
    const replica = this.#group(item.group);
    replica.step(readMessage(item, from, replica.member), nowMs);
  }

  /** Takes a step of a RaftSnapshot's transfer; answers what to say to the sender. */
  arrive(group: number, from: MemberId, bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#links === undefined) throw new Error("a single node takes in no RaftSnapshots");
    return this.#links.arrivals.take(this.#group(group), from, bytes);
  }

  /** Answers what another node asks about objects. @throws Error when that is malformed */
  async answerCold(group: number, from: MemberId, bytes: Uint8Array): Promise<Uint8Array> {
    return await this.#cold?.answer(this.#group(group), from, bytes) ?? NO;
  }

  watch(
    group: number,
    key: StreamKey,
    incarnation: string,
    watcher: Watcher,
  ): Eventually<StreamFacts | undefined> {
    return this.#group(group).watch(key, incarnation, watcher);
  }

  unwatch(group: number, key: StreamKey, watcher: Watcher): void {
    this.#group(group).unwatch(key, watcher);
  }

  /**
   * Has every group elect this node, its only voter; resolves once all have caught up.
   *
   * @param wallMs where group time goes on, unless it is there already
   */
  async lead(wallMs: number): Promise<void> {
    for (const group of this.#groups.values()) {
      group.followWall(wallMs);
      group.campaign();
    }
    for (const lane of this.#lanes) await lane.drain();
    const waiting = [...this.#groups.values()].find((group) => !group.ready);
    if (waiting !== undefined) throw new Error(`group ${waiting.id} did not come to lead itself`);
  }

  /** Hands the leadership of every group over to another node, as far as there is one. */
  async handOver(): Promise<void> {
    this.#orders.stop();
    this.#links?.caretaker.retire();
    const groups = [...this.#groups.values()];
    await this.#handOverUntil(() => groups.filter((group) => this.#handsOver(group)).length === 0);
  }

  /**
   * Leads as little as it can from now on, or no more so; answers how many groups it leads still,
   * once those are handed over that can be.
   */
  async drain(draining: boolean): Promise<number> {
    const caretaker = this.#links?.caretaker;
    const groups = [...this.#groups.values()];
    this.#draining = draining;
    if (caretaker !== undefined) caretaker.draining = draining;
    for (const { core } of groups) core.beReluctant(draining);
    const isOver = () =>
      caretaker === undefined || !this.#draining ||
      groups.filter((group) => caretaker.sheds(group)).length === 0;
    if (draining) await this.#handOverUntil(isOver);
    return groups.filter(({ leads }) => leads).length;
  }

  /** Whether it leads as little as it can. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Takes no new commands, finishes those under way and ends live reads. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#orders.stop();
    this.#links?.transfers.stop();
    await this.#links?.arrivals.stop();
    for (const group of this.#groups.values()) group.endWatches();
    await this.#cold?.stop();
    await this.#sweeper?.stop();
    for (const lane of this.#lanes) await lane.drain();
    this.abandon();
  }

  /** Stops at once: whatever waits gets an unknown outcome. */
  abandon(): void {
    this.#stopping = true;
    this.#orders.stop();
    this.#links?.transfers.stop();
    this.#cold?.abandon();
    void this.#sweeper?.stop();
    this.#ticker?.cancel();
    for (const group of this.#groups.values()) group.close();
  }

  get #diskLow(): boolean {
    return this.disk !== undefined && this.disk.low;
  }

  get #overloaded(): boolean {
    return this.#hot.overloaded || this.#diskLow;
  }

  #refuse(done: (answer: Answer) => void): void {
    if (this.#diskLow) this.#diskRefusals++;
    else this.#hot.refused++;
    done({ unavailable: "overloaded" });
  }

  /**
   * A process that was held up has heard nothing, whatever was said: it hears first, and then draws
   * its conclusions. Otherwise it would campaign against a leader, or send its live readers away.
   */
  #tick(): void {
    const nowMs = this.#clock.monotonicMs();
    const lateMs = nowMs - this.#dueMs;
    this.#activity.loopDelay.record(lateMs);
    this.admission.tick(nowMs, lateMs);
    this.#crowding?.tick(nowMs);
    const hearsFirst = nowMs - this.#tickedMs > LATE_MS && !this.#heardFirst;
    this.#heardFirst = hearsFirst;
    this.#tickedMs = nowMs;
    if (!hearsFirst) this.#work(nowMs);
    const delayMs = hearsFirst ? HEAR_MS : TICK_MS;
    this.#dueMs = this.#clock.monotonicMs() + delayMs;
    this.#ticker = this.#clock.setTimer(delayMs, () => this.#tick());
  }

  #work(nowMs: number): void {
    let hotBytes = this.#cold?.memoryBytes ?? 0;
    for (const group of this.#groups.values()) {
      group.tick(nowMs);
      for (const keys of group.takeTouched()) this.submitTouch(group.id, { type: "touch", keys });
      hotBytes += group.state.hotFootprint;
    }
    this.#hot.observe(hotBytes);
    this.#cold?.tick(nowMs, this.#hot);
    this.#pace?.tick(nowMs);
    this.#sweeper?.look(nowMs);
    if (this.#links !== undefined) this.#tickLinks(this.#links, nowMs);
  }

  #tickLinks({ arrivals, caretaker, wall }: ShardLinks, nowMs: number): void {
    // A follower out of room acknowledges nothing more; what a leader refuses is decided by command.
    const hasRoom = !this.#hot.full && !this.#diskLow;
    const wallMs = wall.nowMs();
    for (const group of this.#groups.values()) {
      group.acceptEntries(hasRoom || group.leads);
      if (wallMs !== undefined) group.followWall(wallMs);
    }
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    arrivals.tick(nowMs);
    this.#leaders.look(this.#groups.values());
    if (this.#pace !== undefined) caretaker.seeDisk(this.#pace);
    for (const group of this.#groups.values()) {
      // Elsewhere its readers see what is new.
      if (this.#pace?.hangs) group.endWatches();
      caretaker.look(group, nowMs, this.#diskLow);
    }
  }

  async #handOverUntil(isOver: () => boolean): Promise<void> {
    const untilMs = this.#clock.monotonicMs() + HAND_OVER_MS;
    while (!isOver() && this.#clock.monotonicMs() < untilMs) {
      await pause(this.#clock, HAND_OVER_LOOK_MS);
    }
  }

  /** Begins to hand a group over, or sees to it that it goes on; says whether to wait for it. */
  #handsOver(group: Group): boolean {
    if (!group.leads) return false;
    const status = group.status();
    if (status.transferringTo !== undefined) return true;
    const heir = this.#links?.caretaker.heirOf(status);
    return heir !== undefined && group.transfer(heir) === undefined;
  }

  #group(id: number): Group {
    const group = this.#groups.get(id);
    if (group === undefined) throw new Error(`group ${id} does not live on this shard`);
    return group;
  }
}
