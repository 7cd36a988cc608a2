import type { Clock, Timer } from "../io/mod.ts";
import type { Eventually } from "../shard/mod.ts";

/** Bytes of a large answer that are handed over at a time. */
const PIECE_BYTES = 256 * 1024;
/** However much is on its way, an answer may have so many bytes: the system's buffers take most of it. */
export const ANSWER_BYTES_MIN: number = 64 * 1024;
/** Part of what may still be on its way that one answer gets: as there is less, answers are shorter. */
const ANSWER_PART = 1 / 8;
/** A client that does not take a piece for so long is cut off: 2 KiB a second are enough. */
const STALL_MS = 120_000;
/** How many looks at the answers pass in that time. */
const LOOKS_PER_STALL = 10;

/**
 * Large answers on their way to clients that take them as slowly as they like: bounded in what they
 * hold together, and in time without progress.
 */
export class Outgoing {
  /** Bytes that are held for clients. */
  bytes = 0;
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #underWay = new Set<OutgoingBody>();
  #timer: Timer | undefined;

  constructor(clock: Clock, bytesMax: number) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  /** Most bytes that an answer may have which is made now. */
  get answerBytesMax(): number {
    return Math.max(ANSWER_BYTES_MIN, Math.floor((this.#bytesMax - this.bytes) * ANSWER_PART));
  }

  /** A body of these bytes, which are held until its client has taken them. */
  body(bytes: Uint8Array): ReadableStream<Uint8Array> {
    let at = 0;
    return this.stream(bytes.length, () => {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      at += piece.length;
      return { piece, isLast: at === bytes.length };
    });
  }

  /**
   * A body that is made as its client takes it.
   *
   * @param held bytes that are in memory for it meanwhile
   * @param next what comes next; where it throws, the connection is broken off
   */
  stream(held: number, next: () => Eventually<Piece>): ReadableStream<Uint8Array> {
    const body = new OutgoingBody(next, () => {
      if (this.#underWay.delete(body)) this.bytes -= held;
    });
    this.bytes += held;
    this.#underWay.add(body);
    if (this.#timer === undefined) this.#schedule();
    return body.stream;
  }

  /** Looks after nobody any more. */
  close(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(STALL_MS / LOOKS_PER_STALL, () => {
      this.#timer = undefined;
      for (const body of this.#underWay) body.look();
      if (this.#underWay.size > 0) this.#schedule();
    });
  }
}

/** Some bytes of a body. */
export interface Piece {
  readonly piece: Uint8Array;
  readonly isLast: boolean;
}

class OutgoingBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #next: () => Eventually<Piece>;
  readonly #onEnd: () => void;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  /** Looks since its client took something, and whether it waits for the client or for bytes. */
  #looks = 0;
  #isFetching = false;

  constructor(next: () => Eventually<Piece>, onEnd: () => void) {
    this.#next = next;
    this.#onEnd = onEnd;
    // Without room for what was not asked for: a client that takes nothing gets nothing.
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#pull(),
      cancel: () => this.#onEnd(),
    }, { highWaterMark: 0 });
  }

  look(): void {
    if (this.#isFetching || ++this.#looks <= LOOKS_PER_STALL) return;
    this.#break(new Error("the client takes nothing"));
  }

  #pull(): Promise<void> | void {
    this.#looks = 0;
    const next = this.#next();
    if (!(next instanceof Promise)) return this.#give(next);
    this.#isFetching = true;
    return next.then((piece) => this.#give(piece), (reason) => this.#break(reason));
  }

  #give({ piece, isLast }: Piece): void {
    this.#isFetching = false;
    this.#controller.enqueue(piece);
    if (!isLast) return;
    this.#onEnd();
    this.#controller.close();
  }

  #break(reason: unknown): void {
    this.#onEnd();
    this.#controller.error(reason);
  }
}
