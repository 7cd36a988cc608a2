/**
 * Just enough HTTP/1.1 to know where a response ends.
 *
 * Knows `Content-Length`, chunked bodies and the bodiless 204 and 304; anything else counts as
 * a body that ends with the connection, which no server here sends.
 *
 * @module
 */

const CR = 0x0d;
const LF = 0x0a;

/** What a scenario wants to hear of the responses on one connection. */
export interface ResponseSink {
  /** Status line and headers, in lower case. */
  onHead(status: number, head: string): void;
  /** A piece of the body: `bytes[from, to)`, valid during the call. */
  onBody(bytes: Uint8Array, from: number, to: number): void;
  /** The response is complete. */
  onEnd(): void;
}

const enum State {
  Head,
  Body,
  ChunkSize,
  ChunkBody,
  ChunkEnd,
}

/**
 * The value of a header in a head as {@linkcode ResponseSink.onHead} gets it.
 *
 * @param name in lower case
 */
export function headerOf(head: string, name: string): string | undefined {
  const start = head.indexOf(`\r\n${name}:`);
  if (start < 0) return undefined;
  const from = start + name.length + 3;
  return head.slice(from, head.indexOf("\r\n", from)).trim();
}

/** Cuts one connection's bytes into responses; keeps its place between packets. */
export class ResponseReader {
  readonly #sink: ResponseSink;
  #state = State.Head;
  /** Head or chunk-size line seen so far, as one character per byte. */
  #line = "";
  /** Bytes of body or chunk still to come. */
  #left = 0;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Takes the next `length` bytes of the connection from the beginning of `bytes`. */
  feed(bytes: Uint8Array, length: number): void {
    let at = 0;
    while (at < length) {
      switch (this.#state) {
        case State.Head:
          at = this.#head(bytes, at, length);
          break;
        case State.ChunkSize:
          at = this.#chunkSize(bytes, at, length);
          break;
        case State.ChunkEnd:
          if (bytes[at++] === LF) this.#state = State.ChunkSize;
          break;
        default: {
          const to = Math.min(length, at + this.#left);
          this.#sink.onBody(bytes, at, to);
          this.#left -= to - at;
          at = to;
          if (this.#left > 0) break;
          if (this.#state === State.Body) this.#end();
          else this.#state = State.ChunkEnd;
        }
      }
    }
  }

  #head(bytes: Uint8Array, from: number, length: number): number {
    for (let at = from; at < length; at++) {
      const byte = bytes[at] ?? 0;
      this.#line += String.fromCharCode(byte);
      if (byte !== LF || !this.#line.endsWith("\r\n\r\n")) continue;
      this.#begin(this.#line.toLowerCase());
      return at + 1;
    }
    return length;
  }

  #begin(head: string): void {
    const status = Number(head.slice(9, 12));
    this.#line = "";
    this.#sink.onHead(status, head);
    if (headerOf(head, "transfer-encoding") === "chunked") {
      this.#state = State.ChunkSize;
      return;
    }
    const bodiless = status === 204 || status === 304;
    this.#left = bodiless ? 0 : Number(headerOf(head, "content-length") ?? Infinity);
    if (this.#left === 0) this.#end();
    else this.#state = State.Body;
  }

  #chunkSize(bytes: Uint8Array, from: number, length: number): number {
    for (let at = from; at < length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === CR) continue;
      if (byte !== LF) {
        this.#line += String.fromCharCode(byte);
        continue;
      }
      // The only empty line in this place is the one after the last chunk.
      const size = this.#line === "" ? 0 : parseInt(this.#line, 16);
      if (this.#line === "") this.#end();
      this.#line = "";
      if (size > 0) {
        this.#left = size;
        this.#state = State.ChunkBody;
      }
      return at + 1;
    }
    return length;
  }

  #end(): void {
    this.#state = State.Head;
    this.#line = "";
    this.#left = 0;
    this.#sink.onEnd();
  }
}
