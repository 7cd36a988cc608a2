import type { Clock } from "../io/mod.ts";
import {
  type Entry,
  type Fetch,
  type MemberId,
  type MembershipChange,
  Raft,
  type RaftStatus,
  type Ready,
  type RefusalReason,
  type SnapshotMark,
} from "../raft/mod.ts";
import type { ReadableLog } from "../storage/types.ts";
import type { Command, GroupState, StreamFacts, StreamKey } from "../stream/mod.ts";
import type { Answer, Eventually, ReadAnswer, ReadRequest, Unavailable } from "./answers.ts";
import { type BootstrapAnswer, type BootstrapRequest, Bootstraps } from "./bootstraps.ts";
import { CatchUp } from "./catch_up.ts";
import { asIs, type Completion, held, NO_LEADER } from "./completion.ts";
import { Deadlines } from "./deadlines.ts";
import type { GroupCore, GroupOptions } from "./group_options.ts";
import { GroupTime } from "./group_time.ts";
import { Hearing } from "./hearing.ts";
import { adoptBody, CommandPayload, placeCommand } from "./payload.ts";
import { RAFT_TIMING } from "./raft_timing.ts";
import { ReadIndex } from "./read_index.ts";
import { placeEntry, restoreEntries, toEntries } from "./records.ts";
import { SnapshotExports, type SnapshotSource } from "./snapshot_source.ts";
import { Waiters } from "./waiters.ts";
import { type Watcher, Watches } from "./watch.ts";
import type { RaftMessage } from "./wire.ts";

const STOPPING: Unavailable = { unavailable: "stopping" };

/** See the folder's doc. */
export class Group {
  readonly id: number;
  readonly member: MemberId;
  /** Replaced as a whole when a RaftSnapshot is installed. */
  state: GroupState;
  /** Whether the group is on its shard's list for the next turn. */
  dirty = false;
  /** Bootstraps under way; see {@linkcode Group.bootstrap}. */
  readonly bootstraps: Bootstraps;
  /** What is read out of the state for RaftSnapshots. */
  readonly exports: SnapshotExports;
  /** Encoded bytes of entries since the last RaftSnapshot. */
  logBytes = 0;

  readonly #raft: Raft<CommandPayload>;
  readonly #log: ReadableLog;
  readonly #clock: Clock;
  readonly #time: GroupTime;
  readonly #watches = new Watches();
  readonly #waiters = new Waiters();
  readonly #reads: ReadIndex;
  readonly #onDirty: (group: Group) => void;
  readonly #turnNowMs: () => number;
  readonly #send: (group: Group, message: RaftMessage) => void;
  readonly #onFatal: (reason: Error) => void;
  readonly #decodeOwn: boolean;
  readonly #deadlines = new Deadlines();
  #taken: Ready<CommandPayload>[] = [];
  /** Last index whose record is in the log's batch, or further. */
  #placed: number;
  /** The state that a RaftSnapshot brought, until Raft says whether it is wanted. */
  #arrived: GroupState | undefined;
  readonly #catchUp: CatchUp;
  readonly #hearing = new Hearing();
  #overloads = 0;
  #closed = false;

  constructor(options: GroupOptions) {
    this.id = options.id;
    this.member = options.member;
    this.state = options.state;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#onDirty = options.onDirty;
    this.#turnNowMs = options.turnNowMs;
    this.#send = options.send;
    this.#onFatal = options.onFatal;
    this.#decodeOwn = options.decodeOwn;
    this.bootstraps = new Bootstraps(options.bootstraps);
    this.exports = new SnapshotExports(options.snapshotPieceBytes);
    const entries = restoreEntries(options.stored);
    let lastStampMs = options.state.stampMs;
    for (const entry of entries) {
      if (entry.kind !== "command") continue;
      this.logBytes += entry.payload.length;
      lastStampMs = entry.payload.stampMs;
    }
    this.#time = new GroupTime(options.clock, lastStampMs);
    const nowMs = options.clock.monotonicMs();
    this.#catchUp = new CatchUp(nowMs);
    this.#raft = new Raft<CommandPayload>({
      id: options.member,
      hardState: { term: options.stored?.term ?? 0, votedFor: options.stored?.votedFor },
      snapshot: options.snapshot,
      entries,
      random: () => options.random.next(),
      nowMs,
      readLease: options.readLease,
      retainedBytesMax: options.retainedBytesMax,
      followingBytesMax: options.followingBytesMax,
      catchUpBytesMax: options.catchUpBytesMax,
      ...RAFT_TIMING,
    });
    this.#placed = this.#raft.lastIndex;
    // What was asked may be answered already; the turn looks.
    this.#reads = new ReadIndex(this.#raft, options.clock, () => this.dirty || this.#markDirty());
  }

  /** Asks to lead at once: for a group's only voter, who needs nobody's consent. */
  campaign(): void {
    this.#raft.campaign();
    this.#markIfReady();
  }

  /** Group time in ms; the leader's own is what counts. */
  get nowMs(): number {
    return this.#time.now();
  }

  /** Lets group time go on to the wall clock's, which a majority of nodes agrees with. */
  followWall(wallMs: number): void {
    this.#time.follow(wallMs);
  }

  /** Whether this replica leads. */
  get leads(): boolean {
    return this.#raft.role === "leader";
  }

  /**
   * Whether this replica has caught up with a leader since its start, has one, and votes, which it
   * does not at first: nobody could hand over to it. A leader has to know the time as well.
   */
  get ready(): boolean {
    if (!this.caughtUp || this.#raft.leader === undefined) return false;
    return this.leads ? this.#time.known : this.#catchUp.votes(this.#clock.monotonicMs());
  }

  /** Whether this replica has caught up with a leader since its start. */
  get caughtUp(): boolean {
    return this.#catchUp.done;
  }

  /** Whether there is room for entries, as {@linkcode Group.acceptEntries} said last. */
  get hasRoom(): boolean {
    return this.#hearing.hasRoom;
  }

  /** Commands that were refused: too many wait, or no majority has room. */
  get overloads(): number {
    return this.#overloads;
  }

  /** What of the core operators may have at hand; nothing of it sends or writes. */
  get core(): GroupCore {
    return this.#raft;
  }

  /** Figures for operators. */
  status(): RaftStatus {
    return this.#raft.status();
  }

  /** Puts a command into the log; `done` is called once, when it was applied or can't be. */
  propose(command: Command, done: (answer: Answer) => void): void {
    const raft = this.#raft;
    if (raft.role !== "leader") return done({ unavailable: "not_leader", leader: raft.leader });
    // What is stamped before the clocks agree expires when they do, and time leaps.
    if (!this.#time.known) return done({ unavailable: "not_leader" });
    // What the core appended by itself must stand in the journal before what follows it.
    if (raft.lastIndex !== this.#placed) this.#take();
    const nowMs = this.#turnNowMs();
    const stampMs = this.#time.now(nowMs);
    const space = placeCommand(this.#log, command, stampMs);
    const payload = this.#decodeOwn
      ? new CommandPayload(space)
      : new CommandPayload(space, command, stampMs);
    const proposed = raft.propose(payload);
    if ("refused" in proposed) {
      const overloaded = proposed.refused === "overloaded";
      if (overloaded) this.#overloads++;
      return done({ unavailable: overloaded ? "overloaded" : "not_leader" });
    }
    adoptBody(command, space);
    this.#log.sealEntry(space, this.id, proposed.index, proposed.term, "command");
    this.#placed = proposed.index;
    this.#waiters.add(proposed.index, proposed.term, nowMs, done);
    if (!this.dirty) this.#markDirty();
  }

  /**
   * Answers from this replica, once it is sure to have applied whatever was acknowledged before
   * the call: at once where it leads by a lease, else behind a read index.
   */
  read(request: ReadRequest, complete: Completion = asIs): Eventually<ReadAnswer> {
    if (this.#reads.isCurrent) return complete(this, request, this.#readNow(request));
    const read = () => complete(this, request, held(this.#readNow(request)));
    return this.#reads.proven((proven) => proven ? read() : NO_LEADER);
  }

  /** Begins a bootstrap as of now, as a read does; {@linkcode Group.bootstraps} goes on with it. */
  bootstrap({ key, incarnation, touch }: BootstrapRequest): Eventually<BootstrapAnswer> {
    const request: ReadRequest = { key, from: "now", maxBytes: 0, incarnation, touch };
    return this.#reads.whenCurrent((): BootstrapAnswer => {
      const answer = this.#closed ? STOPPING : this.#readNow(request);
      if (!("plan" in answer)) return answer;
      const nowMs = this.#clock.monotonicMs();
      return { bootstrap: this.bootstraps.begin(this.state, key, answer.plan.facts, nowMs) };
    }, NO_LEADER);
  }

  /** Begins to watch a stream; answers its facts, after which events follow. */
  watch(
    key: StreamKey,
    incarnation: string,
    watcher: Watcher,
  ): Eventually<StreamFacts | undefined> {
    const request: ReadRequest = { key, from: "now", maxBytes: 0, incarnation, touch: true };
    // Where the replica stands it is watched from: a promise later more may have been applied.
    return this.#reads.whenCurrent(() => {
      const answer = this.#readNow(request);
      if (!("plan" in answer)) return undefined;
      this.#watches.add(key, answer.plan.facts, watcher);
      return answer.plan.facts;
    }, undefined);
  }

  /** Stops watching. */
  unwatch(key: StreamKey, watcher: Watcher): void {
    this.#watches.remove(key, watcher);
  }

  /**
   * Makes sure that this replica leads and has applied whatever was acknowledged before the call;
   * answers what stands in the way, undefined where nothing does.
   */
  lead(): Eventually<Unavailable | undefined> {
    if (this.#reads.isCurrent) return undefined;
    const refusal = (): Unavailable => ({ unavailable: "not_leader", leader: this.#raft.leader });
    if (!this.leads) return refusal();
    return this.#reads.proven((proven) => proven && this.leads ? undefined : refusal());
  }

  /** Takes a message of another replica. `nowMs` was read after it arrived. */
  step(message: RaftMessage, nowMs: number): void {
    if (this.#closed) return;
    this.#raft.step(message, nowMs);
    this.#markIfReady();
  }

  /** Moves time on: elections and leases, who waits, deadlines, and reads' touches. */
  tick(nowMs: number = this.#clock.monotonicMs()): void {
    const raft = this.#raft;
    raft.tick(nowMs);
    this.#markIfReady();
    if (!this.caughtUp && raft.leader !== undefined) {
      this.#catchUp.ask((done) => this.#reads.confirm(done));
    }
    this.#waiters.expire(nowMs);
    if (!this.#reads.empty) this.#reads.expire(nowMs);
    const groupMs = this.#time.now(nowMs);
    for (const key of this.#watches.keys()) this.#deadlines.touch(this.state, key, groupMs);
    for (const key of this.bootstraps.keys()) this.#deadlines.touch(this.state, key, groupMs);
    this.bootstraps.tick(nowMs);
    // Decided again when it is applied: an outdated leader's never is.
    if (this.leads) {
      this.#deadlines.expire(this.state, groupMs, (command, done) => this.propose(command, done));
    }
    if (!this.#watches.empty && this.#mayBeLost(nowMs)) this.#watches.endAll();
  }

  /** Takes the streams whose deadlines reads have pushed back, as the keys of `touch` commands. */
  takeTouched(): StreamKey[][] {
    return this.#deadlines.takeTouched();
  }

  /** First half of a turn: what is new is in the log's batch. Hand the answer to `complete`. */
  absorb(): readonly Ready<CommandPayload>[] {
    // Still dirty while it takes, or it would ask for another turn, with nothing to write.
    this.dirty = true;
    this.#reads.close();
    this.#take();
    this.dirty = false;
    const taken = this.#taken;
    if (taken.length > 0) this.#taken = [];
    return taken;
  }

  /** Second half: that batch is durable. */
  complete(readies: readonly Ready<CommandPayload>[]): void {
    for (const message of this.#raft.stable(readies)) this.#send(this, message);
    this.advance();
    this.#markIfReady();
  }

  /** Applies what is committed and durable here, and answers who waited for it. */
  advance(): void {
    const raft = this.#raft;
    const committed = raft.takeCommitted();
    if (committed.length > 0) this.#apply(committed);
    if (raft.hasReads) this.#reads.answered(raft.takeReads());
    if (!this.#reads.empty) this.#reads.applied(raft.appliedIndex);
  }

  /**
   * The state as it is now, for a RaftSnapshot, see {@linkcode SnapshotExports.begin}; `to` is the
   * member that it is for, if any.
   */
  snapshot(to?: MemberId): SnapshotSource {
    const mark = this.#raft.markAt(this.#raft.appliedIndex);
    if (to !== undefined) this.#raft.beginSnapshot(to, mark);
    return this.exports.begin(this.state, mark);
  }

  /** A RaftSnapshot is durable; the log up to it may go. */
  compact(mark: SnapshotMark, logBytesCovered: number): void {
    this.logBytes = Math.max(0, this.logBytes - logBytesCovered);
    this.#raft.compact(mark);
  }

  /**
   * Takes a leader's RaftSnapshot, durable here already, in place of log and state where Raft
   * wants it. Says whether it did.
   */
  install(
    message: Extract<RaftMessage, { type: "snapshot" }>,
    state: GroupState,
    nowMs: number,
  ): boolean {
    this.#arrived = state;
    this.#raft.step(message, nowMs);
    this.#take();
    const installed = this.#arrived === undefined;
    this.#arrived = undefined;
    return installed;
  }

  /** The RaftSnapshot for a member went out whole, or not. */
  reportSnapshot(to: MemberId, ok: boolean): void {
    this.#raft.reportSnapshot(to, ok);
    this.#markIfReady();
  }

  /** Says whether there is room for entries of other leaders, and for commands. */
  acceptEntries(accepting: boolean): void {
    this.#hearing.hasRoom = accepting;
    this.#raft.acceptEntries(accepting);
  }

  /** Changes who takes part; undefined where that was put into the log. */
  changeMembership(change: MembershipChange): RefusalReason | undefined {
    const proposed = this.#raft.proposeMembership(change);
    this.#markIfReady();
    return "refused" in proposed ? proposed.refused : undefined;
  }

  /** Hands leadership over to a voter; undefined where that was begun. */
  transfer(to: MemberId): RefusalReason | undefined {
    const refused = this.#raft.transferLeadership(to);
    this.#markIfReady();
    return refused?.refused;
  }

  /**
   * Gives up whatever waits, as its outcome can no longer be learnt here. From here on the group is
   * deaf: other nodes speak to it until the links are closed, but the log takes nothing more.
   */
  close(): void {
    this.#closed = true;
    this.#waiters.giveUpAll();
    this.#reads.refuseAll();
    this.bootstraps.endAll();
    this.#watches.endAll();
  }

  /** Ends all live reads. */
  endWatches(): void {
    this.#watches.endAll();
  }

  #readNow(request: ReadRequest): ReadAnswer {
    const { key, from, maxBytes, incarnation } = request;
    const found = this.state.read(key, from, maxBytes, incarnation);
    if ("refused" in found) return found;
    if ("moved" in found) {
      return { ok: "moved", target: found.moved, token: found.token, linked: found.linked };
    }
    if (request.touch && found.facts.ttlSeconds !== undefined) {
      this.#deadlines.touch(this.state, key, this.#time.now());
    }
    return { plan: found };
  }

  #apply(committed: readonly Entry<CommandPayload>[]): void {
    const raft = this.#raft;
    const waiters = this.#waiters;
    const { leader } = raft;
    for (const entry of committed) {
      if (entry.kind === "command") {
        const { command, stampMs } = entry.payload;
        const outcome = this.bootstraps.apply(this.state, command, entry.index, stampMs);
        entry.payload.forgetCommand();
        waiters.applied(entry.index, entry.term, outcome, leader);
      } else {
        waiters.applied(entry.index, entry.term, undefined, leader);
      }
    }
    waiters.settle();
    const last = (committed[committed.length - 1] as { index: number }).index;
    this.#time.observe(this.state.stampMs);
    raft.applied(last);
    raft.release(last);
    if (!this.caughtUp && this.#reads.isCurrent) this.#catchUp.end();
    this.#watches.wakeAll(this.state);
  }

  /**
   * Takes what the core has to write and puts it into the log's batch, and sends what it has to
   * say. Entries that the core makes by itself must stand there before any proposal that follows.
   */
  #take(): void {
    const raft = this.#raft;
    for (let ready = raft.ready(); ready !== undefined; ready = raft.ready()) {
      for (const message of ready.messages) this.#send(this, message);
      if (!ready.durable) continue;
      const { hardState, snapshot } = ready;
      if (hardState) this.#log.putHardState(this.id, hardState.term, hardState.votedFor);
      if (snapshot !== undefined) this.#takeOver(snapshot);
      for (const entry of ready.entries) this.#place(entry);
      this.#taken.push(ready);
    }
    for (const fetch of raft.takeFetches()) this.#readBack(fetch);
    if (this.#taken.length > 0 && !this.dirty) this.#markDirty();
  }

  /** A follower lacks what left memory: the journal may have it, else it gets a RaftSnapshot. */
  #readBack(fetch: Fetch): void {
    const { from, through, bytesMax } = fetch;
    this.#log.readEntries(this.id, from, through, bytesMax).then((found) => {
      if (this.#closed) return;
      this.#raft.provide(fetch, found && toEntries(found));
      this.#markIfReady();
    }).catch((reason) => this.#onFatal(reason));
  }

  #place(entry: Entry<CommandPayload>): void {
    const { index, term } = entry;
    if (entry.kind === "command") {
      this.logBytes += entry.payload.length;
      const space = entry.payload.place(this.#log);
      if (space !== undefined) this.#log.sealEntry(space, this.id, index, term, "command");
      // Should this replica lead before it has applied it, nothing earlier may follow it.
      this.#time.observe(entry.payload.stampMs);
    } else {
      placeEntry(this.#log, this.id, entry);
    }
    this.#placed = index;
  }

  /** A RaftSnapshot replaces log and state. */
  #takeOver(mark: SnapshotMark): void {
    const state = this.#arrived;
    if (state === undefined) throw new Error("invariant: Raft installs what arrived");
    this.#arrived = undefined;
    this.#log.putSnapshotMark(this.id, mark.index, mark.term, true);
    this.state = state;
    this.logBytes = 0;
    this.#placed = mark.index;
    this.#time.observe(state.stampMs);
    // Readers come back and find where they are.
    this.#watches.endAll();
  }

  /** Asks for a turn where there is something to write, to send, to apply or to answer. */
  #markIfReady(): void {
    const raft = this.#raft;
    if (this.dirty) return;
    if (raft.hasReady || raft.hasCommitted || raft.hasReads) this.#markDirty();
  }

  #markDirty(): void {
    if (this.#closed) return;
    this.dirty = true;
    this.#onDirty(this);
  }

  #mayBeLost(nowMs: number): boolean {
    return this.#hearing.isLost(
      nowMs,
      this.#raft.silentMs(nowMs),
      (done) => this.#reads.confirm(done),
    );
  }
}
