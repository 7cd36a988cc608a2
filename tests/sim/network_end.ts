import { type Connection, NetworkError } from "../../io/mod.ts";

/** Bytes that one end may have sent and the other not read: what systems buffer on both sides. */
const WINDOW_BYTES = 192 << 10;
/** Bytes that travel together at most. */
const SEGMENT_BYTES_MAX = 64 << 10;
/** How often a write is parted at a random place, whatever its length. */
const PARTED_CHANCE = 0.1;

/** What travels from one end to the other, in order. */
type Parcel = Uint8Array | "fin" | "reset";

/** What an end needs of the network around it. */
export interface EndSurroundings {
  /** Time that a parcel takes from this end, in ms; drawn anew each time. */
  latencyMs(): number;
  /** Does nothing go from here to the other end now? */
  isCut(): boolean;
  /** Is the process here stopped, so that it learns of nothing? */
  isPaused(): boolean;
  /** Has the machine here no power, so that it does not answer for processes that are gone? */
  isDown(): boolean;
  /** Runs something later, whatever happens to any process. */
  after(delayMs: number, callback: () => void): void;
  below(bound: number): number;
  chance(probability: number): boolean;
  /** Something from this end waits for a cut to heal. */
  onStall(): void;
  /** This end will do nothing any more. */
  onGone(): void;
}

/** One end of a simulated connection. */
export class SimEnd implements Connection {
  #other: SimEnd | undefined;
  /** Parcels on their way from here, and how many of the first of them wait for a cut to heal. */
  #transit: Parcel[] = [];
  #stalled = 0;
  #lastArrivalMs = 0;
  #nowMs: () => number;
  /** Sent from here and not read there. */
  #unreadBytes = 0;
  #received: Uint8Array[] = [];
  #finished = false;
  #broken: NetworkError | undefined;
  #gone = false;
  #killed = false;
  #reader: { into: Uint8Array } & Waiter<number> | undefined;
  #writer: { bytes: Uint8Array; done: number } & Waiter<void> | undefined;

  constructor(
    readonly remote: string,
    readonly surroundings: EndSurroundings,
    nowMs: () => number,
  ) {
    this.#nowMs = nowMs;
  }

  /** Makes two ends of one connection. */
  static join(one: SimEnd, other: SimEnd): void {
    one.#other = other;
    other.#other = one;
  }

  read(into: Uint8Array): Promise<number> {
    if (this.#killed) return new Promise(() => {});
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#reader = { into, resolve, reject };
      this.wake();
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#killed) return new Promise(() => {});
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      this.#writer = { bytes, done: 0, resolve, reject };
      this.#push();
    });
  }

  close(): void {
    if (this.#gone) return;
    // As systems do: what nobody will read is answered by a reset.
    if (this.#broken === undefined) this.#send(this.#received.length > 0 ? "reset" : "fin");
    this.#leave();
    this.#settle("closed on this side");
  }

  /** The process here is gone: its reads and writes never end. */
  kill(): void {
    if (this.#gone) return;
    if (!this.surroundings.isDown() && this.#broken === undefined) {
      this.#send(this.surroundings.chance(0.5) ? "reset" : "fin");
    }
    this.#leave();
    this.#killed = true;
    this.#reader = this.#writer = undefined;
  }

  /** This end learns that the connection is no more; the other only when it sends something. */
  breakOff(): void {
    this.#transit = [];
    this.#stalled = 0;
    this.#settle("connection reset");
  }

  /** Both ends learn that the connection is no more. */
  breakBoth(): void {
    this.breakOff();
    this.#other?.breakOff();
  }

  /** Lets go on what waited for a cut to heal. */
  heal(): void {
    const stalled = this.#stalled;
    this.#stalled = 0;
    for (let count = 0; count < stalled; count++) this.#travel();
  }

  /** Gives the process here what it may have now. */
  wake(): void {
    const reader = this.#reader;
    if (reader === undefined || this.surroundings.isPaused()) return;
    const chunk = this.#received[0];
    if (chunk === undefined && !this.#finished) return;
    this.#reader = undefined;
    if (chunk === undefined) return reader.resolve(0);
    const taken = chunk.subarray(0, reader.into.length);
    reader.into.set(taken);
    if (taken.length === chunk.length) this.#received.shift();
    else this.#received[0] = chunk.subarray(taken.length);
    this.#other?.wasRead(taken.length);
    reader.resolve(taken.length);
  }

  /** The other end has read so many bytes: there is room for more. */
  wasRead(count: number): void {
    this.#unreadBytes -= count;
    this.#push();
  }

  #push(): void {
    while (this.#writer !== undefined) {
      const { bytes, done, resolve } = this.#writer;
      if (done === bytes.length) {
        this.#writer = undefined;
        return resolve();
      }
      let count = Math.min(SEGMENT_BYTES_MAX, bytes.length - done);
      // No crumbs, as systems do: else ever smaller segments would fill the window.
      if (WINDOW_BYTES - this.#unreadBytes < count) return;
      if (this.surroundings.chance(PARTED_CHANCE)) count = 1 + this.surroundings.below(count);
      this.#writer.done += count;
      this.#unreadBytes += count;
      this.#send(bytes.slice(done, done + count));
    }
  }

  #send(parcel: Parcel): void {
    this.#transit.push(parcel);
    this.#travel();
  }

  #travel(): void {
    const nowMs = this.#nowMs();
    const arrivalMs = Math.max(this.#lastArrivalMs, nowMs + this.surroundings.latencyMs());
    this.#lastArrivalMs = arrivalMs;
    this.surroundings.after(arrivalMs - nowMs, () => this.#arrive());
  }

  /** Each timer brings the first parcel there is, so that none passes another. */
  #arrive(): void {
    if (this.#transit.length === this.#stalled) return;
    if (this.#stalled > 0 || this.surroundings.isCut()) {
      this.#stalled++;
      return this.surroundings.onStall();
    }
    const parcel = this.#transit.shift();
    if (parcel !== undefined) this.#other?.take(parcel);
  }

  /** A parcel has come from the other end. */
  take(parcel: Parcel): void {
    if (this.#gone || this.#broken !== undefined) {
      if (parcel !== "reset" && !this.surroundings.isDown()) this.#send("reset");
      return;
    }
    if (parcel === "reset") return this.breakOff();
    if (parcel === "fin") this.#finished = true;
    else this.#received.push(parcel);
    this.wake();
  }

  #settle(detail: string): void {
    this.#received = [];
    this.#broken ??= new NetworkError("broken", this.remote, detail);
    const [reader, writer] = [this.#reader, this.#writer];
    this.#reader = this.#writer = undefined;
    reader?.reject(this.#broken);
    writer?.reject(this.#broken);
  }

  #leave(): void {
    this.#gone = true;
    this.surroundings.onGone();
  }
}

interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (reason: NetworkError) => void;
}
