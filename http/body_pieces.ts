import { STAGED_BYTES_MAX } from "../node/snapshots.ts";

/** Length of the blocks that a large body is kept in: each is staged as it is. */
export const BLOCK_BYTES: number = STAGED_BYTES_MAX;

const EMPTY = new Uint8Array(0);

/** What becomes of the pieces of a body. */
export interface Gathered<T> {
  /** Takes the next piece, which stays as it is; what to wait for before the one after it. */
  add(piece: Uint8Array): Promise<void> | undefined;
  /** All that was added. */
  end(): T;
}

/** All of them in one. */
export class Joined implements Gathered<Uint8Array> {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  add(piece: Uint8Array): undefined {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  end(): Uint8Array {
    if (this.#pieces.length === 1) return this.#pieces[0] as Uint8Array;
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}

/**
 * In blocks of one length, the last one shorter. However small the pieces are that it comes in, what
 * a body takes is no more than its length.
 */
export class Blocks implements Gathered<Uint8Array[]> {
  readonly #blocks: Uint8Array[] = [];
  readonly #onBlock: (block: Uint8Array) => void;
  readonly #pause: () => Promise<void>;
  /** Bytes that are still announced. */
  #announced: number;
  #block = EMPTY;
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
    this.#announced = announced ?? BLOCK_BYTES;
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
    const length = this.#announced > 0 ? Math.min(this.#announced, BLOCK_BYTES) : BLOCK_BYTES;
    this.#announced -= length;
    this.#block = new Uint8Array(length);
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
