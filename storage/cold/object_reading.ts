/**
 * Reads objects, and lets nothing pass that is not what was written.
 *
 * @module
 */

import { ColdError } from "./error.ts";
import { objectKey } from "./keys.ts";
import {
  BLOCK_BYTES,
  blockCount,
  blockStart,
  BlockSums,
  type ColdObject,
  decodeHeader,
  encodeHeader,
  HEADER_BYTES,
  storedBytes,
  SUM_BYTES,
} from "./object.ts";
import type { ByteParts, ColdStore } from "./store.ts";

/**
 * Reads `count` blocks of an object from block `first` on, in one request.
 *
 * @returns what each holds: views of one piece of memory
 * @throws ColdError as {@linkcode ColdStore.get}; `corrupt` also when a block is not what was written
 */
export async function readBlocks(
  store: ColdStore,
  object: ColdObject,
  first: number,
  count: number,
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const key = objectKey(object);
  const start = blockStart(first);
  const end = Math.min(blockStart(first + count), storedBytes(object));
  const bytes = await store.get(key, start, end - start, signal);
  const sums = new BlockSums(encodeHeader(object));
  const payloads: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const stored = bytes.subarray(at, at + BLOCK_BYTES);
    const block = first + payloads.length;
    if (!sums.isWhole(block, stored)) throw damaged(store.name, object, block);
    payloads.push(stored.subarray(0, stored.length - SUM_BYTES));
  }
  return payloads;
}

/**
 * Passes an object on as it lies in a store, such as a peer's, and throws before its end when it is
 * not whole: what puts these parts puts nothing that is damaged.
 *
 * @param source names where the parts come from, in errors
 * @throws ColdError `corrupt`
 */
export async function* checkedParts(
  source: string,
  object: ColdObject,
  parts: ByteParts,
): AsyncGenerator<Uint8Array> {
  const check = new Check(source, object);
  for await (const part of parts) {
    check.take(part);
    yield part;
  }
  check.end();
}

/**
 * Reads a whole object and checks all of it, a stretch at a time.
 * @throws ColdError as {@linkcode ColdStore.get}
 */
export async function checkObject(
  store: ColdStore,
  object: ColdObject,
  signal?: AbortSignal,
): Promise<void> {
  for await (const _ of checkedParts(store.name, object, storedParts(store, object, signal)));
}

/** A whole object as it lies in a store, unchecked, in parts of at most 1 MiB: to send to a peer. */
export async function* storedParts(
  store: ColdStore,
  object: ColdObject,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const [key, size] = [objectKey(object), storedBytes(object)];
  for (let at = 0; at < size; at += PART_BYTES) {
    yield await store.get(key, at, Math.min(PART_BYTES, size - at), signal);
  }
}

const PART_BYTES = 1 << 20;

/** Follows an object's bytes in whatever pieces they come. */
class Check {
  #sums: BlockSums;
  #header: Uint8Array;
  /** The block that is coming, or before the first the header. */
  #coming: Uint8Array;
  #filled = 0;
  #block = -1;
  #taken = 0;

  constructor(readonly source: string, readonly object: ColdObject) {
    this.#header = encodeHeader(object);
    this.#sums = new BlockSums(this.#header);
    this.#coming = new Uint8Array(HEADER_BYTES);
  }

  take(part: Uint8Array): void {
    for (let at = 0; at < part.length;) {
      if (this.#isOver) throw this.#cut("it goes on behind its end");
      const piece = part.subarray(at, at + this.#coming.length - this.#filled);
      this.#coming.set(piece, this.#filled);
      this.#filled += piece.length;
      this.#taken += piece.length;
      at += piece.length;
      if (this.#filled === this.#coming.length) this.#next();
    }
  }

  end(): void {
    if (!this.#isOver) throw this.#cut("it ends here");
  }

  get #isOver(): boolean {
    return this.#block >= 0 && this.#block === blockCount(this.object);
  }

  #next(): void {
    if (this.#block < 0) this.#checkHeader();
    else if (!this.#sums.isWhole(this.#block, this.#coming)) {
      throw damaged(this.source, this.object, this.#block);
    }
    this.#block++;
    const left = storedBytes(this.object) - blockStart(this.#block);
    const length = Math.min(BLOCK_BYTES, Math.max(0, left));
    if (this.#coming.length !== length) this.#coming = new Uint8Array(length);
    this.#filled = 0;
  }

  #checkHeader(): void {
    if (this.#coming.every((byte, at) => byte === this.#header[at])) return;
    const found = decodeHeader(this.#coming);
    const detail = found === undefined
      ? "it has no header"
      : `it says that it is ${objectKey(found)} of ${found.bytes} bytes`;
    throw new ColdError("corrupt", this.source, objectKey(this.object), detail, { offset: 0 });
  }

  #cut(detail: string): ColdError {
    const key = objectKey(this.object);
    return new ColdError("corrupt", this.source, key, detail, { offset: this.#taken });
  }
}

function damaged(source: string, object: ColdObject, block: number): ColdError {
  const detail = "a block is not what was written";
  return new ColdError("corrupt", source, objectKey(object), detail, {
    offset: blockStart(block),
  });
}
