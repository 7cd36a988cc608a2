import type { BootstrapStretch } from "../group/mod.ts";

/** Bytes that leave at once: so much, at least, a client takes before it counts as stalled. */
export const CHUNK_BYTES = 64 * 1024;

const NOTHING: BootstrapStretch = {
  bytes: new Uint8Array(0),
  ends: new Uint32Array(0),
  isLast: false,
};

/**
 * A `multipart/mixed` body (RFC 2046 section 5.1) of a part for each message. A part says nothing of
 * its length: none can be found in advance to end a part, as the boundary is random.
 */
export class MultipartMessages {
  readonly #boundary: string;
  /** What stands before each message, the end of the part before included. */
  readonly #opening: Uint8Array;
  /** Stored JSON messages have a comma behind them. */
  readonly #commaBytes: number;
  readonly #chunkBytes: number;
  #stretch = NOTHING;
  /** How far in the stretch all is rendered, and which end comes next. */
  #at = 0;
  #next = 0;
  #isOpen = false;

  /** @param contentType of the messages */
  constructor(boundary: string, contentType: string, isJson: boolean) {
    this.#boundary = boundary;
    this.#opening = latin1(`\r\n--${boundary}\r\nContent-Type: ${contentType}\r\n\r\n`);
    this.#commaBytes = isJson ? 1 : 0;
    this.#chunkBytes = Math.max(CHUNK_BYTES, 2 * this.#opening.length);
  }

  /** What opens the first part. */
  first(contentType: string): Uint8Array {
    return latin1(`--${this.#boundary}\r\nContent-Type: ${contentType}\r\n\r\n`);
  }

  /** What closes the last part, and the whole. */
  last(): Uint8Array {
    return latin1(`\r\n--${this.#boundary}--\r\n`);
  }

  /** Takes the next stretch, once all of the one before is rendered. */
  take(stretch: BootstrapStretch): void {
    this.#stretch = stretch;
    this.#at = this.#next = 0;
  }

  /** The next chunk of the stretch; undefined when all of it is rendered. */
  render(): Uint8Array | undefined {
    const { bytes, ends } = this.#stretch;
    if (this.#at === bytes.length) return undefined;
    const opening = this.#opening;
    const chunk = new Uint8Array(Math.min(this.#chunkBytes, this.#bytesLeft));
    let filled = 0;
    while (this.#at < bytes.length) {
      if (!this.#isOpen) {
        if (filled + opening.length > chunk.length) break;
        chunk.set(opening, filled);
        filled += opening.length;
        this.#isOpen = true;
      }
      const end = ends[this.#next];
      const limit = end === undefined ? bytes.length : end - this.#commaBytes;
      const length = Math.min(limit - this.#at, chunk.length - filled);
      chunk.set(bytes.subarray(this.#at, this.#at + length), filled);
      filled += length;
      this.#at += length;
      if (this.#at < limit) break;
      if (end === undefined) continue;
      this.#at = end;
      this.#next++;
      this.#isOpen = false;
    }
    return filled === 0 ? undefined : chunk.subarray(0, filled);
  }

  /** At most so much is to be rendered. */
  get #bytesLeft(): number {
    const { bytes, ends } = this.#stretch;
    return bytes.length - this.#at + (ends.length - this.#next + 1) * this.#opening.length;
  }
}

/** Header values came in as bytes of Latin-1 and go out so. */
function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}
