import type { Clock, Timer } from "../io/mod.ts";
import { type ErrorCode, parseDecimal } from "../protocol/mod.ts";
import type { Eventually } from "../shard/mod.ts";

/** Bodies up to this length are read in one go where the client announces the length. */
const WHOLE_BODY_BYTES_MAX = 64 * 1024;
/** A body that grows by nothing for so long is cut off (SPEC section 13). */
const STALL_MS = 30_000;

/** How many looks at the bodies pass in that time. */
const LOOKS_PER_STALL = 10;

interface Waiting {
  /** The look before which something of the body came last. */
  progressAtLook: number;
  readonly giveUp: () => void;
}

const EMPTY = new Uint8Array(0);

/** Reads request bodies within bounds of length, of time, and of what all of them hold together. */
export class BodyReader {
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #waiting = new Set<Waiting>();
  #bytesInFlight = 0;
  #look = 0;
  #sweep: Timer | undefined;

  constructor(clock: Clock, bytesMax: number) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  /** Bytes announced or received of bodies that are being read. */
  get bytesInFlight(): number {
    return this.#bytesInFlight;
  }

  /** Stops watching over bodies. */
  close(): void {
    this.#sweep?.cancel();
    for (const waiting of this.#waiting) waiting.giveUp();
    this.#waiting.clear();
  }

  /** The whole body, or why not. Decided before it is read where the headers tell. */
  read(request: Request, limit: number): Eventually<Uint8Array | ErrorCode> {
    const announced = request.headers.get("content-length");
    const length = announced === null ? undefined : parseDecimal(announced);
    if (length === undefined) {
      return request.body === null ? EMPTY : this.#readPieces(request.body, limit, 0);
    }
    if (length === 0) return EMPTY;
    if (length > limit) return "payload_too_large";
    if (this.#bytesInFlight + length > this.#bytesMax) return "overloaded";
    if (length > WHOLE_BODY_BYTES_MAX && request.body !== null) {
      return this.#readPieces(request.body, limit, length);
    }
    return this.#readWhole(request, limit, length);
  }

  #readWhole(
    request: Request,
    limit: number,
    announced: number,
  ): Promise<Uint8Array | ErrorCode> {
    this.#bytesInFlight += announced;
    return new Promise((resolve) => {
      const end = (result: Uint8Array | ErrorCode) => {
        if (!this.#waiting.delete(waiting)) return;
        this.#bytesInFlight -= announced;
        // A request that did not come over HTTP may announce what it likes.
        const tooLarge = typeof result !== "string" && result.length > limit;
        resolve(tooLarge ? "payload_too_large" : result);
      };
      const waiting = this.#watch(() => end("request_timeout"));
      request.bytes().then(end, () => end("body_broken_off"));
    });
  }

  async #readPieces(
    body: ReadableStream<Uint8Array>,
    limit: number,
    announced: number,
  ): Promise<Uint8Array | ErrorCode> {
    const reader = body.getReader();
    let stalled = false;
    const waiting = this.#watch(() => {
      stalled = true;
      reader.cancel().catch(() => {});
    });
    const pieces: Uint8Array[] = [];
    let length = 0;
    let held = announced;
    this.#bytesInFlight += held;
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (stalled) return "request_timeout";
        if (done) return joined(pieces, length);
        waiting.progressAtLook = this.#look;
        length += value.length;
        pieces.push(value);
        if (length > limit) return "payload_too_large";
        if (length <= held) continue;
        this.#bytesInFlight += length - held;
        held = length;
        if (this.#bytesInFlight > this.#bytesMax) return "overloaded";
      }
    } catch {
      return stalled ? "request_timeout" : "body_broken_off";
    } finally {
      this.#bytesInFlight -= held;
      this.#waiting.delete(waiting);
      reader.cancel().catch(() => {});
    }
  }

  #watch(giveUp: () => void): Waiting {
    const waiting = { progressAtLook: this.#look, giveUp };
    this.#waiting.add(waiting);
    if (this.#sweep === undefined) this.#schedule();
    return waiting;
  }

  #schedule(): void {
    this.#sweep = this.#clock.setTimer(STALL_MS / LOOKS_PER_STALL, () => {
      this.#sweep = undefined;
      this.#look++;
      for (const waiting of this.#waiting) {
        if (this.#look - waiting.progressAtLook > LOOKS_PER_STALL) waiting.giveUp();
      }
      if (this.#waiting.size > 0) this.#schedule();
    });
  }
}

function joined(pieces: Uint8Array[], length: number): Uint8Array {
  if (pieces.length === 1) return pieces[0] as Uint8Array;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
