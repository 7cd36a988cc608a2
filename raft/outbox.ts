import { invariant } from "./invariant.ts";
import type { Log } from "./log/log.ts";
import type { Message } from "./messages.ts";
import type { Entry, HardState, Payload, SnapshotMark } from "./types.ts";

/** One turn's work for the caller; see the manual in `mod.ts`. */
export interface Ready<P extends Payload> {
  /** May be sent at once. A `snapshot` among them is the wish to send a RaftSnapshot's bytes. */
  readonly messages: readonly Message<P>[];
  /** To make durable, before the entries; undefined when unchanged. */
  readonly hardState: HardState | undefined;
  /** A leader's RaftSnapshot to install, in place of all entries and state; before the entries. */
  readonly snapshot: SnapshotMark | undefined;
  /** To make durable, in order; they replace what was written before from the first one's index on. */
  readonly entries: readonly Entry<P>[];
  /** Is there anything to make durable? Otherwise {@linkcode Raft.stable} is not needed. */
  readonly durable: boolean;
}

/** A ready that was handed out, and what becomes true once it is durable. */
class Batch<P extends Payload> implements Ready<P> {
  readonly durable: boolean;
  /** The log is durable up to here then; lowered when the log is cut meanwhile. */
  stableTo: number;

  constructor(
    readonly messages: readonly Message<P>[],
    readonly hardState: HardState | undefined,
    readonly snapshot: SnapshotMark | undefined,
    readonly entries: readonly Entry<P>[],
    /** May be sent once this is durable. */
    readonly waiting: Message<P>[],
    stableTo: number,
  ) {
    this.stableTo = stableTo;
    this.durable = entries.length > 0 || hardState !== undefined || snapshot !== undefined;
  }
}

/**
 * The two outboxes: what may go at once, and what waits until this member's own promise is durable.
 *
 * Invariant: a message waits only in a batch that has something to make durable.
 */
export class Outbox<P extends Payload> {
  readonly #log: Log<P>;
  #now: Message<P>[] = [];
  #waiting: Message<P>[] = [];
  #hardState: HardState | undefined = undefined;
  #snapshot: SnapshotMark | undefined = undefined;
  /** Handed out and not yet durable, oldest first. */
  readonly #outstanding: Batch<P>[] = [];

  constructor(log: Log<P>) {
    this.#log = log;
  }

  /** There is something to take. */
  get filled(): boolean {
    return this.#log.handed < this.#log.last || this.#now.length > 0 ||
      this.#hardState !== undefined || this.#snapshot !== undefined;
  }

  /** Sends `message` with the next ready. */
  send(message: Message<P>): void {
    this.#now.push(message);
  }

  /** Sends `message` once everything that holds now is durable. */
  sendWhenStable(message: Message<P>): void {
    const last = this.#outstanding[this.#outstanding.length - 1];
    if (this.#log.unhanded || this.#hardState !== undefined || this.#snapshot !== undefined) {
      this.#waiting.push(message);
    } else if (last !== undefined) {
      last.waiting.push(message);
    } else {
      this.#now.push(message);
    }
  }

  /** Term or vote changed. */
  saveHardState(hardState: HardState): void {
    this.#hardState = hardState;
  }

  /** A leader's RaftSnapshot replaces the log. */
  install(mark: SnapshotMark): void {
    this.#limit(this.#log.stable);
    this.#snapshot = mark;
  }

  /** The log was cut at `index`: what is under way makes nothing from there on durable. */
  truncated(index: number): void {
    this.#limit(index - 1);
  }

  #limit(stableTo: number): void {
    for (const batch of this.#outstanding) batch.stableTo = Math.min(batch.stableTo, stableTo);
  }

  /** Hands out what there is. */
  take(): Ready<P> {
    const log = this.#log;
    const entries = log.unhanded ? log.slice(log.handed + 1, log.last) : [];
    log.handed = log.last;
    const batch = new Batch(
      this.#now,
      this.#hardState,
      this.#snapshot,
      entries,
      this.#waiting,
      log.last,
    );
    this.#now = [];
    this.#hardState = undefined;
    this.#snapshot = undefined;
    if (batch.durable) {
      this.#waiting = [];
      this.#outstanding.push(batch);
    }
    return batch;
  }

  /** `ready` is durable: marks the log, and answers what had to wait. */
  settle(ready: Ready<P>): Message<P>[] {
    const batch = this.#outstanding.shift();
    invariant(batch !== undefined && batch === ready, "readies become stable in order");
    if (batch.stableTo > this.#log.stable) this.#log.stable = batch.stableTo;
    return batch.waiting;
  }
}
