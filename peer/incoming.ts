import type { Connection } from "../io/mod.ts";
import { FRAME_BYTES_MAX, MESSAGE_BYTES_MAX } from "./bounds.ts";
import {
  BEGIN_LENGTH_BYTES,
  BEGINS,
  CONTINUED,
  FRAME_HEADER_BYTES,
  readU32,
  WHOLE_FRAME_BYTES_MAX,
} from "./frames.ts";

/** A read takes a whole frame at least, and under load many small ones. */
const BUFFER_BYTES = 2 * WHOLE_FRAME_BYTES_MAX;

/** The other end does not keep to the protocol. */
export class ProtocolViolation extends Error {
  /** @param detail what it does, as the rest of a sentence */
  constructor(detail: string) {
    super(`it ${detail}`);
    this.name = "ProtocolViolation";
  }
}

/**
 * Short messages share memory: a piece of its own each costs more than reading them. It lives as
 * long as the last of them, so what is kept for long should be copied.
 */
const SHARED_BYTES = 64 << 10;
/** Longer ones have memory of their own. */
const SHORT_BYTES_MAX = SHARED_BYTES / 4;

/** Takes one message, whole; `bytes` never change, and may share memory with other messages. */
export type TakeFrame = (type: number, kind: number, call: number, bytes: Uint8Array) => void;

/** Cuts what a connection brings into messages. */
export class Incoming {
  readonly #connection: Connection;
  readonly #take: TakeFrame;
  readonly #onBytes: (count: number) => void;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  /** For the next short messages, from `#sharedAt` on. */
  #shared = new Uint8Array(SHARED_BYTES);
  #sharedAt = 0;
  /** The long message that is coming in parts, and how much of it is there. */
  #long: Uint8Array | undefined;
  #longType = 0;
  #longKind = 0;
  #longCall = 0;
  #longLength = 0;
  #closed = false;

  /** @param onBytes so many bytes came, whatever they are */
  constructor(connection: Connection, take: TakeFrame, onBytes: (count: number) => void) {
    this.#connection = connection;
    this.#take = take;
    this.#onBytes = onBytes;
  }

  /**
   * Reads until the other end closes, or {@linkcode Incoming.close}.
   * @throws NetworkError when the connection breaks; ProtocolViolation; what `take` throws
   */
  async run(): Promise<void> {
    const buffer = this.#buffer;
    let end = 0;
    while (!this.#closed) {
      const count = await this.#connection.read(buffer.subarray(end));
      if (count === 0 || this.#closed) return;
      this.#onBytes(count);
      end += count;
      const done = this.#cut(end);
      if (done > 0) buffer.copyWithin(0, done, end);
      end -= done;
    }
  }

  /** Nothing more is taken, of what has come neither. */
  close(): void {
    this.#closed = true;
  }

  /** Takes the whole frames of the buffer's first `end` bytes; answers how many bytes they are. */
  #cut(end: number): number {
    const buffer = this.#buffer;
    let at = 0;
    while (end - at >= FRAME_HEADER_BYTES && !this.#closed) {
      const length = readU32(buffer, at);
      if (length > FRAME_BYTES_MAX) throw new ProtocolViolation("sends a frame that is too long");
      const payload = at + FRAME_HEADER_BYTES;
      const next = payload + length;
      if (next > end) break;
      const type = buffer[at + 4] as number;
      const kind = buffer[at + 5] as number;
      const call = readU32(buffer, at + 6);
      if (type === CONTINUED) this.#goOn(payload, next);
      else if (type >= BEGINS) this.#begin(type - BEGINS, kind, call, payload, next);
      else this.#take(type, kind, call, this.#copy(payload, next));
      at = next;
    }
    return at;
  }

  #copy(from: number, to: number): Uint8Array {
    const length = to - from;
    if (length > SHORT_BYTES_MAX) return this.#buffer.slice(from, to);
    if (length > SHARED_BYTES - this.#sharedAt) {
      this.#shared = new Uint8Array(SHARED_BYTES);
      this.#sharedAt = 0;
    }
    const copy = this.#shared.subarray(this.#sharedAt, this.#sharedAt += length);
    copy.set(this.#buffer.subarray(from, to));
    return copy;
  }

  #begin(type: number, kind: number, call: number, from: number, to: number): void {
    const isLed = to - from >= BEGIN_LENGTH_BYTES;
    const length = isLed ? readU32(this.#buffer, from) : 0;
    if (length > MESSAGE_BYTES_MAX) throw new ProtocolViolation("sends a message that is too long");
    if (length <= to - from || this.#long !== undefined) {
      throw new ProtocolViolation("sends parts of messages out of order");
    }
    this.#long = new Uint8Array(length);
    this.#longType = type;
    this.#longKind = kind;
    this.#longCall = call;
    this.#longLength = 0;
    this.#goOn(from + BEGIN_LENGTH_BYTES, to);
  }

  #goOn(from: number, to: number): void {
    const long = this.#long;
    if (long === undefined || to - from > long.length - this.#longLength) {
      throw new ProtocolViolation("sends parts of messages out of order");
    }
    long.set(this.#buffer.subarray(from, to), this.#longLength);
    this.#longLength += to - from;
    if (this.#longLength < long.length) return;
    this.#long = undefined;
    this.#take(this.#longType, this.#longKind, this.#longCall, long);
  }
}
