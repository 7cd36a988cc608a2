import { type Clock, pause, type Timer } from "../io/mod.ts";
import { type ErrorCode, parseDecimal } from "../protocol/mod.ts";
import { Blocks, copiedPieces, type Gathered, Joined, type PieceReader } from "./body_pieces.ts";

/** Bodies up to this length are read in one go where the client announces the length. */
const WHOLE_BODY_BYTES_MAX = 64 * 1024;
/** A body that grows by nothing for so long is cut off (SPEC section 13). */
const STALL_MS = 30_000;
/** How many looks at the bodies pass in that time. */
const LOOKS_PER_STALL = 10;

/**
 * Between two blocks of a large body others go on. A client that is fast enough has the next piece
 * there before the event loop comes round: without a pause that is all that the loop does.
 */
const BLOCK_PAUSE_MS = 12;

/**
 * Bodies that are on their way when their connections are to be closed have so long to be whole, and
 * are looked at as often. So long after that, none breaks off by its client's fault.
 */
const SETTLE_MS_MAX = 3_000;
const SETTLE_LOOK_MS = 10;
const BREAK_OFF_MS = 5_000;

/** Takes a body, or why there is none. */
export type TakeBody = (body: Uint8Array | ErrorCode) => void;

const EMPTY = new Uint8Array(0);

/** A body on its way: a link of a ring, so that coming and going takes no look-up and no memory. */
class Waiting {
  before: Waiting = this;
  after: Waiting = this;
  /** The look before which something of the body came last. */
  progressAtLook = 0;

  /** Whether it has left. */
  get over(): boolean {
    return this.after === this;
  }

  enter(ring: Waiting): void {
    this.after = ring;
    this.before = ring.before;
    this.before.after = this;
    ring.before = this;
  }

  leave(): void {
    this.before.after = this.after;
    this.after.before = this.before;
    this.before = this;
    this.after = this;
  }

  /** Nothing of it came for too long. */
  giveUp(): void {}
}

/** A body that comes in one go. */
class WholeBody extends Waiting {
  readonly #reader: BodyReader;
  readonly #announced: number;
  readonly #limit: number;
  readonly #done: TakeBody;

  constructor(reader: BodyReader, announced: number, limit: number, done: TakeBody) {
    super();
    this.#reader = reader;
    this.#announced = announced;
    this.#limit = limit;
    this.#done = done;
  }

  end(result: Uint8Array | ErrorCode): void {
    if (this.over) return;
    this.leave();
    this.#reader.bytesInFlight -= this.#announced;
    // A request that did not come over HTTP may announce what it likes.
    const tooLarge = typeof result !== "string" && result.length > this.#limit;
    this.#done(tooLarge ? "payload_too_large" : result);
  }

  override giveUp(): void {
    this.end("request_timeout");
  }
}

/** A body that comes in pieces. */
class PiecewiseBody extends Waiting {
  stalled = false;

  constructor(readonly reader: PieceReader) {
    super();
  }

  override giveUp(): void {
    this.stalled = true;
    this.reader.cancel().catch(() => {});
  }
}

/** Reads request bodies within bounds of length, of time, and of what all of them hold together. */
export class BodyReader {
  /** Bytes announced or received of bodies that are being read, and of those that are held. */
  bytesInFlight = 0;
  /** How often a body was turned away because too much was in flight. */
  refused = 0;
  readonly #clock: Clock;
  readonly #bytesMax: number;
  /** In flight in all, a body in blocks included. */
  readonly #blocksMax: number;
  readonly #ring = new Waiting();
  #look = 0;
  #breaksOffUntilMs = -Infinity;
  #sweep: Timer | undefined;

  /** @param reserved bytes in flight that bodies in blocks leave to all others */
  constructor(clock: Clock, bytesMax: number, reserved = 0) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
    this.#blocksMax = bytesMax - reserved;
  }

  /** Stops watching over bodies. */
  close(): void {
    this.#sweep?.cancel();
    for (const waiting of this.#underWay()) {
      waiting.giveUp();
      waiting.leave();
    }
  }

  /**
   * To be waited for before connections are closed, which breaks off the bodies that come over them:
   * resolves once those that are on their way now are whole, or have had their time.
   */
  async settle(): Promise<void> {
    const underWay = this.#underWay();
    const untilMs = this.#clock.monotonicMs() + SETTLE_MS_MAX;
    while (underWay.some((body) => !body.over) && this.#clock.monotonicMs() < untilMs) {
      await pause(this.#clock, SETTLE_LOOK_MS);
    }
    this.#breaksOffUntilMs = this.#clock.monotonicMs() + BREAK_OFF_MS;
  }

  /** The whole body, or why not. */
  read(request: Request, limit: number): Promise<Uint8Array | ErrorCode> {
    return new Promise((resolve) => this.take(request, limit, resolve));
  }

  /**
   * {@linkcode BodyReader.read} without a promise. What the headers tell is decided before anything
   * is read: `done` may be called at once. It must not throw.
   */
  take(request: Request, limit: number, done: TakeBody): void {
    const announced = request.headers.get("content-length");
    const length = announced === null ? undefined : parseDecimal(announced);
    if (length === undefined) {
      if (request.body === null) return done(EMPTY);
      if (isEncoded(request)) return done("body_encoded");
      return this.#readPieces(request.body, limit, 0, done);
    }
    if (length === 0) return done(EMPTY);
    if (isEncoded(request)) return done("body_encoded");
    if (length > limit) return done("payload_too_large");
    if (this.bytesInFlight + length > this.#bytesMax) return done(this.#refuse());
    if (length > WHOLE_BODY_BYTES_MAX && request.body !== null) {
      return this.#readPieces(request.body, limit, length, done);
    }
    this.#readWhole(request, limit, length, done);
  }

  /**
   * A body that is too large to be joined, in blocks; or why not.
   *
   * @param onBlock sees each block when it is whole
   */
  readBlocks(
    request: Request,
    limit: number,
    onBlock: (block: Uint8Array) => void,
  ): Promise<readonly Uint8Array[] | ErrorCode> {
    const announced = request.headers.get("content-length");
    const length = announced === null ? undefined : parseDecimal(announced);
    if (request.body === null) return Promise.resolve([]);
    if (isEncoded(request)) return Promise.resolve("body_encoded");
    if (length !== undefined && length > limit) return Promise.resolve("payload_too_large");
    const inFlight = this.bytesInFlight + (length ?? 0);
    if (inFlight > this.#blocksMax) return Promise.resolve(this.#refuse());
    const body = new PiecewiseBody(copiedPieces(request.body));
    this.#watch(body);
    return this.#gather(
      body,
      limit,
      length ?? 0,
      new Blocks(length, onBlock, () => pause(this.#clock, BLOCK_PAUSE_MS)),
      this.#blocksMax,
    );
  }

  /** Bytes that there may be in flight. */
  get bytesMax(): number {
    return this.#bytesMax;
  }

  /**
   * A body that was read is in flight until its request is answered: without a leader, or on a slow
   * disk, whatever waits holds its body. To be taken back by {@linkcode BodyReader.release}.
   */
  hold(bytes: number): void {
    this.bytesInFlight += bytes;
  }

  /** The request is answered. */
  release(bytes: number): void {
    this.bytesInFlight -= bytes;
  }

  #brokenOff(): ErrorCode {
    const byServer = this.#clock.monotonicMs() < this.#breaksOffUntilMs;
    return byServer ? "shutting_down" : "body_broken_off";
  }

  #refuse(): ErrorCode {
    this.refused++;
    return "overloaded";
  }

  #readWhole(request: Request, limit: number, announced: number, done: TakeBody): void {
    this.bytesInFlight += announced;
    const body = new WholeBody(this, announced, limit, done);
    this.#watch(body);
    request.bytes().then((bytes) => body.end(bytes), () => body.end(this.#brokenOff()));
  }

  #readPieces(
    stream: ReadableStream<Uint8Array>,
    limit: number,
    announced: number,
    done: TakeBody,
  ): void {
    const body = new PiecewiseBody(copiedPieces(stream));
    this.#watch(body);
    this.#gather(body, limit, announced, new Joined(announced)).then(done);
  }

  async #gather<T>(
    body: PiecewiseBody,
    limit: number,
    announced: number,
    into: Gathered<T>,
    inFlightMax = this.#bytesMax,
  ): Promise<T | ErrorCode> {
    const { reader } = body;
    let length = 0;
    let held = announced;
    this.bytesInFlight += held;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (body.stalled) return "request_timeout";
        if (done) return into.end();
        body.progressAtLook = this.#look;
        length += value.length;
        if (length > limit) return "payload_too_large";
        const pause = into.add(value);
        if (length > held) {
          this.bytesInFlight += length - held;
          held = length;
          if (this.bytesInFlight > inFlightMax) return this.#refuse();
        }
        if (pause !== undefined) await pause;
      }
    } catch {
      return body.stalled ? "request_timeout" : this.#brokenOff();
    } finally {
      this.bytesInFlight -= held;
      body.leave();
      reader.cancel().catch(() => {});
    }
  }

  #watch(waiting: Waiting): void {
    waiting.progressAtLook = this.#look;
    waiting.enter(this.#ring);
    if (this.#sweep === undefined) this.#schedule();
  }

  #schedule(): void {
    this.#sweep = this.#clock.setTimer(STALL_MS / LOOKS_PER_STALL, () => {
      this.#sweep = undefined;
      this.#look++;
      for (const waiting of this.#underWay()) {
        if (this.#look - waiting.progressAtLook > LOOKS_PER_STALL) waiting.giveUp();
      }
      if (!this.#ring.over) this.#schedule();
    });
  }

  #underWay(): Waiting[] {
    const all: Waiting[] = [];
    for (let at = this.#ring.after; at !== this.#ring; at = at.after) all.push(at);
    return all;
  }
}

/** Compressed, as a rule: nothing keeps that with the bytes, and their readers would not know. */
function isEncoded({ headers }: Request): boolean {
  const encoding = headers.get("content-encoding");
  return encoding !== null && encoding.toLowerCase() !== "identity";
}
