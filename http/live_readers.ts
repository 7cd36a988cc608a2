import type { Clock, Timer } from "../io/mod.ts";
import { type Feed, Roster, type Seat } from "../shard/mod.ts";
import { cursorAfter } from "./cursor.ts";
import type { HandleWatch } from "./handle_watch.ts";

/** How often live reads are looked at. */
const LOOK_MS = 500;
/** Live reads that are looked at in one turn of the event loop. */
const TURN_LOOKS = 200;
/** How often those are looked at whose client has yet to take what waits for it. */
const ROOM_MS = 10;

/** A live read that has something to do as time goes by. */
export interface LiveReader {
  /** Called every so often with the monotonic time in ms. */
  onTime(nowMs: number): void;
  /** Called a little after {@linkcode LiveReaders.whenRoom}. */
  onRoom(): void;
  /** The node is shutting down: end the read cleanly. */
  onShutdown(): void;
}

/** All live reads of one shard: bounded in number, and moved on by one timer for all. */
export class LiveReaders {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #handles: HandleWatch | undefined;
  readonly #readers = new Roster<LiveReader>();
  #crowded = new Set<LiveReader>();
  #timer: Timer | undefined;
  #roomTimer: Timer | undefined;
  #nowMs = 0;
  #cursor = 0;
  #closed = false;
  #refused = 0;

  /** @param handles none are let in while it says that they are scarce: each keeps a connection */
  constructor(clock: Clock, max: number, handles?: HandleWatch) {
    this.#clock = clock;
    this.#max = max;
    this.#handles = handles;
  }

  /** The monotonic clock in ms, at most half a second ago: read once for all. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The present interval's cursor (P§10.1), at most half a second old. */
  get cursor(): number {
    return this.#cursor;
  }

  /** How many there are. */
  get count(): number {
    return this.#readers.size;
  }

  /** How many there may be. */
  get max(): number {
    return this.#max;
  }

  /** How often another one did not fit. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Whether another one fits. To be asked again once it has its feed, which it gives back where it
   * does not: others may have come meanwhile.
   */
  admits(feed?: Feed): boolean {
    const hasRoom = this.#readers.size < this.#max && this.#handles?.scarce !== true;
    if (!this.#closed && hasRoom) return true;
    if (!this.#closed) this.#refused++;
    feed?.forsake();
    return false;
  }

  /** Takes a reader in. */
  add(reader: LiveReader): Seat<LiveReader> {
    if (this.#timer === undefined) this.#schedule();
    return this.#readers.add(reader);
  }

  /**
   * Asks a reader back soon, who has more to send than there is room for. A stream's own `pull` would
   * say when there is room, at a price for every event of every reader that keeps up.
   */
  whenRoom(reader: LiveReader): void {
    this.#crowded.add(reader);
    this.#roomTimer ??= this.#clock.setTimer(ROOM_MS, () => {
      this.#roomTimer = undefined;
      const crowded = this.#crowded;
      this.#crowded = new Set();
      for (const waiting of crowded) waiting.onRoom();
    });
  }

  /** Lets a reader go. */
  remove(seat: Seat<LiveReader>): void {
    this.#readers.remove(seat);
    if (this.#crowded.size > 0) this.#crowded.delete(seat.member);
  }

  /** Ends all live reads and lets no more in. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#roomTimer?.cancel();
    this.#readers.forEach((reader) => reader.onShutdown());
  }

  #schedule(): void {
    this.#nowMs = this.#clock.monotonicMs();
    this.#cursor = cursorAfter(undefined, this.#clock.wallMs(), 0);
    this.#timer = this.#clock.setTimer(LOOK_MS, () => {
      this.#nowMs = this.#clock.monotonicMs();
      this.#lookAt(this.#readers.seats(), 0);
    });
  }

  #lookAt(seats: readonly Seat<LiveReader>[], from: number): void {
    const end = Math.min(seats.length, from + TURN_LOOKS);
    for (const seat of seats.slice(from, end)) {
      if (seat.at >= 0) seat.member.onTime(this.#nowMs);
    }
    if (this.#closed) return;
    if (end < seats.length) return this.#clock.defer(() => this.#lookAt(seats, end));
    this.#timer = undefined;
    if (this.#readers.size > 0) this.#schedule();
  }
}
