import type { Clock, Timer } from "../io/mod.ts";

/** How often live reads are looked at. */
const LOOK_MS = 500;

/** A live read that has something to do as time goes by. */
export interface LiveReader {
  /** Called every so often with the monotonic time in ms. */
  onTime(nowMs: number): void;
  /** The node is shutting down: end the read cleanly. */
  onShutdown(): void;
}

/** All live reads of one shard: bounded in number, and moved on by one timer for all. */
export class LiveReaders {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #readers = new Set<LiveReader>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(clock: Clock, max: number) {
    this.#clock = clock;
    this.#max = max;
  }

  /** How many there are. */
  get count(): number {
    return this.#readers.size;
  }

  /** Whether another one fits. */
  get hasRoom(): boolean {
    return !this.#closed && this.#readers.size < this.#max;
  }

  /** Takes a reader in. */
  add(reader: LiveReader): void {
    this.#readers.add(reader);
    if (this.#timer === undefined) this.#schedule();
  }

  /** Lets a reader go. */
  remove(reader: LiveReader): void {
    this.#readers.delete(reader);
  }

  /** Ends all live reads and lets no more in. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const reader of [...this.#readers]) reader.onShutdown();
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(LOOK_MS, () => {
      this.#timer = undefined;
      const nowMs = this.#clock.monotonicMs();
      for (const reader of [...this.#readers]) reader.onTime(nowMs);
      if (this.#readers.size > 0 && !this.#closed) this.#schedule();
    });
  }
}
