import type { Clock, Random } from "../io/mod.ts";
import {
  type MemberId,
  Raft,
  type RaftStatus,
  type Ready,
  type SnapshotMark,
} from "../raft/mod.ts";
import type { RecordLog, StoredGroup } from "../storage/types.ts";
import {
  type Command,
  type GroupState,
  KEYS_PER_COMMAND_MAX,
  type StreamFacts,
  type StreamKey,
} from "../stream/mod.ts";
import type { Answer, ReadAnswer, ReadRequest } from "./answers.ts";
import { GroupTime } from "./group_time.ts";
import { adoptBody, CommandPayload, placeCommand } from "./payload.ts";
import { RAFT_TIMING } from "./raft_timing.ts";
import { placeEntry, restoreEntries } from "./records.ts";
import { type Watcher, Watches } from "./watch.ts";

/** Streams whose deadlines are looked at, or pushed back, at one tick. */
const KEYS_PER_TICK_MAX = 960;

/** What a group is made of. */
export interface GroupOptions {
  readonly id: number;
  readonly member: MemberId;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: RecordLog;
  readonly state: GroupState;
  readonly snapshot: SnapshotMark;
  readonly stored: StoredGroup | undefined;
  /** Called when the group has something for the next turn. */
  readonly onDirty: (group: Group) => void;
  /** The monotonic clock as read once for all groups' commands of a turn, in ms. */
  readonly turnNowMs: () => number;
  /** The leader, too, applies what went through the codec. */
  readonly decodeOwn: boolean;
}

/** A RaftSnapshot about to be written. */
export interface SnapshotSource {
  readonly mark: SnapshotMark;
  readonly chunks: Iterable<Uint8Array>;
}

const UNKNOWN: Answer = { unavailable: "outcome_unknown" };

interface Waiter {
  readonly index: number;
  readonly term: number;
  readonly done: (answer: Answer) => void;
}

/** See the folder's doc. */
export class Group {
  readonly id: number;
  readonly state: GroupState;
  /** Whether the group is on its shard's list for the next turn. */
  dirty = false;
  /** Encoded bytes of entries since the last RaftSnapshot. */
  logBytes = 0;

  readonly #raft: Raft<CommandPayload>;
  readonly #log: RecordLog;
  readonly #clock: Clock;
  readonly #time: GroupTime;
  readonly #watches = new Watches();
  readonly #onDirty: (group: Group) => void;
  readonly #turnNowMs: () => number;
  readonly #decodeOwn: boolean;
  readonly #touched = new Set<StreamKey>();
  #taken: Ready<CommandPayload>[] = [];
  #waiters: Waiter[] = [];
  #expiriesInFlight = 0;

  constructor(options: GroupOptions) {
    this.id = options.id;
    this.state = options.state;
    this.#log = options.log;
    this.#clock = options.clock;
    this.#onDirty = options.onDirty;
    this.#turnNowMs = options.turnNowMs;
    this.#decodeOwn = options.decodeOwn;
    const entries = restoreEntries(options.stored);
    let lastStampMs = options.state.stampMs;
    for (const entry of entries) {
      if (entry.kind !== "command") continue;
      this.logBytes += entry.payload.length;
      lastStampMs = entry.payload.stampMs;
    }
    this.#time = new GroupTime(options.clock, lastStampMs);
    this.#raft = new Raft<CommandPayload>({
      id: options.member,
      hardState: { term: options.stored?.term ?? 0, votedFor: options.stored?.votedFor },
      snapshot: options.snapshot,
      entries,
      random: () => options.random.next(),
      nowMs: options.clock.monotonicMs(),
      ...RAFT_TIMING,
    });
  }

  /** Asks to lead at once: for a group's only voter, who needs nobody's consent. */
  campaign(): void {
    this.#raft.campaign();
    this.#take();
  }

  /** Group time in ms. */
  get nowMs(): number {
    return this.#time.now();
  }

  /** Whether this replica leads and has applied everything committed before its term. */
  get ready(): boolean {
    return this.#raft.hasLease(this.#clock.monotonicMs());
  }

  /** Figures for operators. */
  status(): RaftStatus {
    return this.#raft.status();
  }

  /** Puts a command into the log; `done` is called once, when it was applied or can't be. */
  propose(command: Command, done: (answer: Answer) => void): void {
    if (this.#raft.role !== "leader") return done({ unavailable: "no_leader" });
    const stampMs = this.#time.now(this.#turnNowMs());
    const space = placeCommand(this.#log, command, stampMs);
    const payload = this.#decodeOwn
      ? new CommandPayload(space)
      : new CommandPayload(space, command, stampMs);
    const proposed = this.#raft.propose(payload);
    if ("refused" in proposed) {
      const overloaded = proposed.refused === "overloaded";
      return done({ unavailable: overloaded ? "overloaded" : "no_leader" });
    }
    adoptBody(command, space);
    this.#log.sealEntry(space, this.id, proposed.index, proposed.term, "command");
    this.#waiters.push({ index: proposed.index, term: proposed.term, done });
    if (!this.dirty) this.#markDirty();
  }

  /** Answers from the local replica, behind whatever makes that linearizable. */
  read(request: ReadRequest): ReadAnswer {
    if (!this.ready) return { unavailable: "no_leader" };
    const { key, from, maxBytes, incarnation } = request;
    const found = this.state.read(key, from, maxBytes, incarnation);
    if ("refused" in found) return found;
    if ("moved" in found) {
      return { ok: "moved", target: found.moved, token: found.token, linked: found.linked };
    }
    if (request.touch && found.facts.ttlSeconds !== undefined) {
      this.#touch(key, this.#time.now());
    }
    return { plan: found };
  }

  /** Begins to watch a stream; answers its facts, after which events follow. */
  watch(key: StreamKey, incarnation: string, watcher: Watcher): StreamFacts | undefined {
    const answer = this.read({ key, from: "now", maxBytes: 0, incarnation, touch: true });
    if (!("plan" in answer)) return undefined;
    this.#watches.add(key, answer.plan.facts, watcher);
    return answer.plan.facts;
  }

  /** Stops watching. */
  unwatch(key: StreamKey, watcher: Watcher): void {
    this.#watches.remove(key, watcher);
  }

  /** Moves time on: elections and leases, deadlines, and touches held back since the last tick. */
  tick(monotonicMs: number = this.#clock.monotonicMs()): void {
    this.#raft.tick(monotonicMs);
    if (this.#raft.hasReady) this.#take();
    if (!this.#raft.hasLease(monotonicMs)) return;
    const nowMs = this.#time.now(monotonicMs);
    this.#expireDue(nowMs);
    this.#replicateTouches(nowMs);
  }

  /** First half of a turn: what is new is in the log's batch. Hand the answer to `complete`. */
  absorb(): readonly Ready<CommandPayload>[] {
    // Still dirty while it takes, or it would ask for another turn, with nothing to write.
    this.dirty = true;
    this.#take();
    const taken = this.#taken;
    this.#taken = [];
    this.dirty = false;
    return taken;
  }

  /** Second half: that batch is durable. Applies what committed and answers who waits. */
  complete(readies: readonly Ready<CommandPayload>[]): void {
    for (const ready of readies) this.#raft.stable(ready);
    const committed = this.#raft.takeCommitted();
    if (committed.length === 0) return;
    const waiters = this.#waiters;
    let answered = 0;
    for (const entry of committed) {
      if (entry.kind !== "command") continue;
      const { command, stampMs } = entry.payload;
      const outcome = this.state.apply(command, entry.index, stampMs);
      const waiter = waiters[answered];
      if (waiter === undefined || waiter.index !== entry.index) continue;
      answered++;
      waiter.done(waiter.term === entry.term ? outcome : UNKNOWN);
    }
    if (answered > 0) this.#waiters = answered === waiters.length ? [] : waiters.slice(answered);
    const last = (committed[committed.length - 1] as { index: number }).index;
    this.#time.observe(this.state.stampMs);
    this.#raft.applied(last);
    this.#raft.release(last);
    this.#wakeWatchers();
    if (this.#raft.hasReady) this.#take();
  }

  /** The state as it is now, for a RaftSnapshot; applying goes on while it is read out. */
  snapshot(): SnapshotSource {
    const pieces = this.state.export();
    // The first pull fixes what is exported: it must be what the mark says.
    const first = pieces.next();
    return {
      mark: this.#raft.markAt(this.#raft.appliedIndex),
      chunks: resumed(first, pieces),
    };
  }

  /** A RaftSnapshot is durable; the log up to it may go. */
  compact(mark: SnapshotMark, logBytesCovered: number): void {
    this.logBytes -= logBytesCovered;
    this.#raft.compact(mark);
  }

  /** Gives up whatever waits, as its outcome can no longer be learnt here. */
  close(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.done(UNKNOWN);
    this.#watches.endAll();
  }

  /** Ends all live reads. */
  endWatches(): void {
    this.#watches.endAll();
  }

  /**
   * Takes what the core has to write and puts it into the log's batch. Entries that the core makes
   * by itself must stand there before any proposal that follows them, so this is done at once.
   */
  #take(): void {
    for (let ready = this.#raft.ready(); ready !== undefined; ready = this.#raft.ready()) {
      if (!ready.durable) continue;
      const { hardState } = ready;
      if (hardState !== undefined) {
        this.#log.putHardState(this.id, hardState.term, hardState.votedFor);
      }
      for (const entry of ready.entries) {
        if (entry.kind === "command") this.logBytes += entry.payload.length;
        else placeEntry(this.#log, this.id, entry);
      }
      this.#taken.push(ready);
    }
    if (this.#taken.length > 0 && !this.dirty) this.#markDirty();
  }

  #markDirty(): void {
    this.dirty = true;
    this.#onDirty(this);
  }

  #wakeWatchers(): void {
    const changed = this.state.takeChanged();
    if (this.#watches.empty) return;
    for (const { key } of changed) this.#watches.wake(key, this.state);
  }

  #touch(key: StreamKey, nowMs: number): void {
    if (this.#touched.size < KEYS_PER_TICK_MAX && this.state.touchWanted(key, nowMs)) {
      this.#touched.add(key);
    }
  }

  #replicateTouches(nowMs: number): void {
    for (const key of this.#watches.keys()) this.#touch(key, nowMs);
    if (this.#touched.size === 0) return;
    const keys = [...this.#touched];
    this.#touched.clear();
    for (const part of parts(keys)) this.propose({ type: "touch", keys: part }, () => {});
  }

  #expireDue(nowMs: number): void {
    if (this.#expiriesInFlight > 0) return;
    const keys = this.state.due(nowMs, KEYS_PER_TICK_MAX);
    for (const part of parts(keys)) {
      this.#expiriesInFlight++;
      this.propose({ type: "expire", keys: part }, () => this.#expiriesInFlight--);
    }
  }
}

/** Keys as single commands may name them. */
function parts(keys: readonly StreamKey[]): StreamKey[][] {
  const found: StreamKey[][] = [];
  for (let at = 0; at < keys.length; at += KEYS_PER_COMMAND_MAX) {
    found.push(keys.slice(at, at + KEYS_PER_COMMAND_MAX));
  }
  return found;
}

function* resumed(
  first: IteratorResult<Uint8Array, void>,
  rest: Generator<Uint8Array, void, void>,
): Generator<Uint8Array, void, void> {
  try {
    if (first.done !== true) yield first.value;
    yield* rest;
  } finally {
    rest.return();
  }
}
