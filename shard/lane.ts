import type { Clock, Timer } from "../io/mod.ts";
import type { CommandPayload, Group, GroupOptions } from "../group/mod.ts";
import type { Ready } from "../raft/mod.ts";
import type { RecordLog } from "../storage/types.ts";
import type { Crowding } from "./crowding.ts";

/** Batches that may wait for their sync while the next one is collected. */
const FLUSHES_IN_FLIGHT_MAX = 2;

/** What a lane does for its groups. */
export type LaneOfGroups = Pick<GroupOptions, "onDirty" | "turnNowMs">;

/** What one write makes durable. */
interface Batch {
  readonly groups: Group[];
  readonly readies: (readonly Ready<CommandPayload>[])[];
}

const NO_MESSAGES = () => {};

/**
 * The turn: everything that the groups of one journal have to write goes out as one batch, and what
 * depends on it goes on once that is durable.
 *
 * Two synchronous halves around one asynchronous write: `collect` takes every dirty group's work and
 * hands the journal one batch; `complete` marks it stable, applies what committed and answers.
 */
export class Lane {
  readonly log: RecordLog;
  readonly groups: readonly Group[];
  readonly #clock: Clock;
  readonly #crowding: Pick<Crowding, "gapMs"> | undefined;
  readonly #onFatal: (reason: Error) => void;
  readonly #onTurn: (groups: readonly Group[]) => void;
  readonly #sendMessages: () => void;
  #dirty: Group[] = [];
  /** Collected, and not yet handed to the log's flush: too many were under way. */
  #collected: Batch = { groups: [], readies: [] };
  #scheduled = false;
  #inFlight = 0;
  /** Writes that ever began. */
  #begun = 0;
  #wroteMs = -Infinity;
  /** Runs while the next write would be too soon. */
  #gapTimer: Timer | undefined;
  /** The monotonic clock as this turn's first command read it; -1 before that. */
  #nowMs = -1;
  #failed = false;
  #nudged = false;
  #drained: (() => void) | undefined;

  constructor(options: {
    log: RecordLog;
    clock: Clock;
    /** How far apart writes are to be; undefined where that does not matter. */
    crowding: Pick<Crowding, "gapMs"> | undefined;
    groups: (lane: LaneOfGroups) => readonly Group[];
    /** A write or sync failed: nothing of this lane can be trusted to become durable any more. */
    onFatal: (reason: Error) => void;
    /** Called after each turn with the groups that took part. */
    onTurn: (groups: readonly Group[]) => void;
    /** Sends what the groups have to say to other nodes; left out where there are none. */
    sendMessages?: () => void;
  }) {
    this.log = options.log;
    this.#clock = options.clock;
    this.#crowding = options.crowding;
    this.#onFatal = options.onFatal;
    this.#onTurn = options.onTurn;
    this.#sendMessages = options.sendMessages ?? NO_MESSAGES;
    this.groups = options.groups({
      onDirty: (group) => this.#markDirty(group),
      turnNowMs: () => this.#nowMs < 0 ? this.#nowMs = this.#clock.monotonicMs() : this.#nowMs,
    });
  }

  /** Makes a turn come that has nothing of a group to write: a mark in the log wants to go out. */
  nudge(): void {
    this.#nudged = true;
    this.#schedule();
  }

  /** Resolves once nothing is waiting to be written. */
  async drain(): Promise<void> {
    while (!this.#failed && (this.#dirty.length > 0 || this.#writing || this.#nudged)) {
      await new Promise<void>((resolve) => this.#drained = resolve);
    }
  }

  #markDirty(group: Group): void {
    this.#dirty.push(group);
    this.#schedule();
  }

  /** A number for the oldest write under way, see `DiskPace`; they end in their order. */
  get oldestWrite(): number {
    return this.#inFlight === 0 ? 0 : this.#begun - this.#inFlight + 1;
  }

  get #writing(): boolean {
    return this.#inFlight > 0 || this.#collected.groups.length > 0;
  }

  #schedule(): void {
    if (this.#scheduled || this.#failed) return;
    this.#scheduled = true;
    this.#clock.defer(this.#turn);
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#nowMs = -1;
    if (this.#failed) return;
    this.#safely(() => {
      const nudged = this.#nudged;
      this.#nudged = false;
      this.#collect();
      this.#sendMessages();
      if (nudged || this.#collected.groups.length > 0) this.#write(nudged);
      else this.#rest();
    });
  };

  /** A group that throws has lost its footing: nothing that it would say after that counts. */
  #safely(work: () => void): void {
    try {
      work();
    } catch (reason) {
      this.#fail(reason);
    }
  }

  /** Messages go out and reads are answered whatever is being written; writes wait for a place. */
  #write(nudged: boolean): void {
    if (this.#inFlight >= FLUSHES_IN_FLIGHT_MAX || this.#isTooSoon()) {
      this.#nudged ||= nudged;
      return;
    }
    const batch = this.#collected;
    this.#collected = { groups: [], readies: [] };
    const flushed = this.#flush();
    if (flushed === undefined) return this.#complete(batch);
    this.#inFlight++;
    this.#begun++;
    flushed.then(() => {
      this.#inFlight--;
      if (!this.#failed) this.#safely(() => this.#complete(batch));
    }, (reason) => this.#fail(reason));
  }

  /** Whether the last write was a moment ago, see `crowding.ts`; the end of the gap brings a turn. */
  #isTooSoon(): boolean {
    if (this.#gapTimer !== undefined) return true;
    const gapMs = this.#crowding?.gapMs ?? 0;
    if (gapMs === 0) return false;
    const nowMs = this.#clock.monotonicMs();
    const leftMs = this.#wroteMs + gapMs - nowMs;
    if (leftMs > 0) {
      this.#gapTimer = this.#clock.setTimer(leftMs, () => {
        this.#gapTimer = undefined;
        this.#schedule();
      });
      return true;
    }
    this.#wroteMs = nowMs;
    return false;
  }

  #collect(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    const { groups, readies } = this.#collected;
    for (const group of dirty) {
      const taken = group.absorb();
      if (taken.length > 0) {
        groups.push(group);
        readies.push(taken);
      }
      // What others have acknowledged need not wait for what this turn writes.
      group.advance();
    }
  }

  #flush(): Promise<void> | undefined {
    try {
      return this.log.flush();
    } catch (reason) {
      return Promise.reject(reason);
    }
  }

  #complete({ groups, readies }: Batch): void {
    for (let i = 0; i < groups.length; i++) {
      (groups[i] as Group).complete(readies[i] as Batch["readies"][number]);
    }
    this.#sendMessages();
    this.#onTurn(groups);
    this.#rest();
  }

  /** What a turn left behind makes the next one come; with nothing left, who waits may go on. */
  #rest(): void {
    const waiting = this.#nudged || this.#collected.groups.length > 0;
    const mayWrite = this.#inFlight < FLUSHES_IN_FLIGHT_MAX && this.#gapTimer === undefined;
    if (this.#dirty.length > 0 || (waiting && mayWrite)) return this.#schedule();
    if (!this.#writing && !this.#nudged) this.#release();
  }

  #fail(reason: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#release();
    this.#onFatal(reason instanceof Error ? reason : new Error(String(reason)));
  }

  #release(): void {
    const drained = this.#drained;
    this.#drained = undefined;
    drained?.();
  }
}
