import { STAGED_BYTES_MAX } from "../node/snapshots.ts";

/** Length of the blocks that a large body is kept in: each is staged as it is. */
export const BLOCK_BYTES: number = STAGED_BYTES_MAX;

const EMPTY: Uint8Array = new Uint8Array(0);

/** What becomes of the pieces of a body. */
export interface Gathered<T> {
  /** Takes the next piece, which stays as it is; what to wait for before the one after it. */
  add(piece: Uint8Array): Promise<void> | undefined;
  /** All that was added. */
  end(): T;
}

/** Where pieces come from. */
export type PieceReader = Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel">;

/** Reads into the same memory again and again: a piece is there until the next one is asked for. */
class ReusingReader implements PieceReader {
  #memory: ArrayBufferLike = new ArrayBuffer(BLOCK_BYTES);

  constructor(readonly reader: ReadableStreamBYOBReader) {}

  async read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    const { done, value } = await this.reader.read(new Uint8Array(this.#memory));
    if (done) return { done, value: undefined };
    this.#memory = value.buffer;
    return { done, value };
  }

  cancel(): Promise<void> {
    return this.reader.cancel();
  }
}

/** A reader of pieces that are copied at once: Deno's bodies can do without memory for each. */
export function copiedPieces(body: ReadableStream<Uint8Array>): PieceReader {
  try {
    return new ReusingReader(body.getReader({ mode: "byob" }));
  } catch {
    // A stream that is not one of bytes knows no such readers.
    return body.getReader();
  }
}

/** All of them in one: memory of the announced length, which the system provides as it is filled. */
export class Joined implements Gathered<Uint8Array> {
  readonly #bytes: Uint8Array;
  #length = 0;
  /** What comes beyond that: all of a body whose length nobody tells. */
  readonly #more: Uint8Array[] = [];
  #moreLength = 0;

  /** @param announced bytes that are to come, where that is known */
  constructor(announced: number) {
    this.#bytes = new Uint8Array(announced);
  }

  add(piece: Uint8Array): undefined {
    const fitting = piece.subarray(0, this.#bytes.length - this.#length);
    this.#bytes.set(fitting, this.#length);
    this.#length += fitting.length;
    if (fitting.length === piece.length) return;
    this.#more.push(piece.slice(fitting.length));
    this.#moreLength += piece.length - fitting.length;
  }

  end(): Uint8Array {
    const begun = this.#bytes.subarray(0, this.#length);
    if (this.#more.length === 0) return begun;
    const bytes = new Uint8Array(this.#length + this.#moreLength);
    bytes.set(begun);
    let at = begun.length;
    for (const piece of this.#more) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}

/**
 * In blocks of one length, the last one shorter. However small the pieces are that it comes in, what
 * a body takes is no more than its length.
 *
 * All that is announced is one piece of memory, which the system provides as it is filled: the
 * collector, which looks at everything there is after so many bytes more, is called upon once.
 */
export class Blocks implements Gathered<Uint8Array[]> {
  readonly #blocks: Uint8Array[] = [];
  readonly #onBlock: (block: Uint8Array) => void;
  readonly #pause: () => Promise<void>;
  /** What is still announced. */
  #room: Uint8Array;
  #block: Uint8Array = EMPTY;
  #filled = 0;

  /**
   * @param announced bytes that are to come, where that is known
   * @param onBlock sees each block when it is whole
   * @param pause lets others go on
   */
  constructor(
    announced: number | undefined,
    onBlock: (block: Uint8Array) => void,
    pause: () => Promise<void>,
  ) {
    this.#room = new Uint8Array(announced ?? 0);
    this.#onBlock = onBlock;
    this.#pause = pause;
  }

  add(piece: Uint8Array): Promise<void> | undefined {
    const blocks = this.#blocks.length;
    for (let at = 0; at < piece.length;) {
      if (this.#filled === this.#block.length) this.#next();
      const taken = piece.subarray(at, at + this.#block.length - this.#filled);
      this.#block.set(taken, this.#filled);
      this.#filled += taken.length;
      at += taken.length;
    }
    return this.#blocks.length === blocks ? undefined : this.#pause();
  }

  end(): Uint8Array[] {
    this.#keep();
    return this.#blocks;
  }

  #next(): void {
    this.#keep();
    // What is announced wrongly comes in blocks all the same.
    const isAnnounced = this.#room.length > 0;
    this.#block = isAnnounced ? this.#room.subarray(0, BLOCK_BYTES) : new Uint8Array(BLOCK_BYTES);
    this.#room = this.#room.subarray(BLOCK_BYTES);
    this.#filled = 0;
  }

  #keep(): void {
    if (this.#filled === 0) return;
    const block = this.#block.subarray(0, this.#filled);
    this.#blocks.push(block);
    this.#onBlock(block);
    this.#block = EMPTY;
    this.#filled = 0;
  }
}
