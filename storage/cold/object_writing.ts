/**
 * Makes an object, with no more memory than a stretch of it.
 *
 * @module
 */

import { objectKey } from "./keys.ts";
import {
  BLOCK_BYTES,
  BLOCK_PAYLOAD_BYTES,
  BlockSums,
  type ColdObject,
  encodeHeader,
  HEADER_BYTES,
  storedBytes,
  SUM_BYTES,
} from "./object.ts";
import type { ByteParts, ColdStore } from "./store.ts";

/** Blocks that are handed on together. */
const STRETCH_BLOCKS = 4;

/**
 * Stores an object. The same object is always the same bytes, so that a put may be repeated and
 * replicas may each make their own copy.
 *
 * @param payload the object's bytes, in any pieces
 * @throws ColdError as {@linkcode ColdStore.put}
 * @throws RangeError when `payload` is not exactly as long as `object` says
 */
export function putObject(
  store: ColdStore,
  object: ColdObject,
  payload: ByteParts,
  signal?: AbortSignal,
): Promise<void> {
  return store.put(objectKey(object), storedBytes(object), objectParts(object, payload), signal);
}

/**
 * An object as it lies in a store, in parts that may be overwritten once the next is asked for.
 * @throws RangeError when `payload` is not exactly as long as `object` says
 */
export async function* objectParts(
  object: ColdObject,
  payload: ByteParts,
): AsyncGenerator<Uint8Array> {
  const stretch = new Stretch(object);
  if (Symbol.iterator in payload) {
    // Many small messages: a promise for each would cost more than the copy.
    for (const piece of payload) {
      for (let at = 0; at < piece.length;) {
        at += stretch.take(piece, at);
        if (stretch.isFull) yield stretch.takeOut();
      }
    }
  } else {
    for await (const piece of payload) {
      for (let at = 0; at < piece.length;) {
        at += stretch.take(piece, at);
        if (stretch.isFull) yield stretch.takeOut();
      }
    }
  }
  yield stretch.end();
}

/** Fills blocks and seals them. */
class Stretch {
  readonly #sums: BlockSums;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #filled = HEADER_BYTES;
  /** Where the block that is being filled begins. */
  #blockStart = HEADER_BYTES;
  #block = 0;
  #left: number;

  constructor(readonly object: ColdObject) {
    const header = encodeHeader(object);
    this.#sums = new BlockSums(header);
    const room = HEADER_BYTES + STRETCH_BLOCKS * BLOCK_BYTES;
    this.#bytes = new Uint8Array(Math.min(room, storedBytes(object)));
    this.#bytes.set(header);
    this.#view = new DataView(this.#bytes.buffer);
    this.#left = object.bytes;
  }

  /** Is there no room for another block? */
  get isFull(): boolean {
    return this.#blockStart === this.#filled &&
      this.#filled + BLOCK_BYTES > HEADER_BYTES + STRETCH_BLOCKS * BLOCK_BYTES;
  }

  /** Takes what fits into the block at hand; answers how many bytes that were. */
  take(piece: Uint8Array, from: number): number {
    const room = BLOCK_PAYLOAD_BYTES - (this.#filled - this.#blockStart);
    const taken = piece.subarray(from, from + room);
    this.#left -= taken.length;
    if (this.#left < 0) throw this.#wrong("more");
    this.#bytes.set(taken, this.#filled);
    this.#filled += taken.length;
    if (this.#filled - this.#blockStart === BLOCK_PAYLOAD_BYTES) this.#seal();
    return taken.length;
  }

  /** What is filled, whole blocks all. */
  takeOut(): Uint8Array {
    const part = this.#bytes.subarray(0, this.#filled);
    this.#filled = this.#blockStart = 0;
    return part;
  }

  /** The rest. */
  end(): Uint8Array {
    if (this.#left > 0) throw this.#wrong("fewer");
    if (this.#filled > this.#blockStart) this.#seal();
    return this.takeOut();
  }

  #seal(): void {
    const payload = this.#bytes.subarray(this.#blockStart, this.#filled);
    this.#view.setUint32(this.#filled, this.#sums.of(this.#block++, payload), true);
    this.#filled += SUM_BYTES;
    this.#blockStart = this.#filled;
  }

  #wrong(what: string): RangeError {
    return new RangeError(`${objectKey(this.object)} got ${what} than ${this.object.bytes} bytes`);
  }
}
