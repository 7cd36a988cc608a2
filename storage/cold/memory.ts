/**
 * Objects in the memory of the process.
 *
 * @module
 */

import { ColdError } from "./error.ts";
import { checkedKey, checkedPrefix } from "./keys.ts";
import { type ByteParts, type ColdStore, exactly } from "./store.ts";

/** Keeps objects as long as the process lives. */
export class MemoryColdStore implements ColdStore {
  readonly name = "memory";
  readonly isShared = false;
  #objects = new Map<string, Uint8Array>();
  #bytes = 0;

  /** @param capacityBytes of all objects together */
  constructor(readonly capacityBytes: number = Infinity) {}

  /** Bytes of all objects. */
  get bytes(): number {
    return this.#bytes;
  }

  async put(key: string, size: number, parts: ByteParts, signal?: AbortSignal): Promise<void> {
    checkedKey(key);
    if (this.#bytes + size > this.capacityBytes) {
      throw new ColdError("full", this.name, key, `no room for ${size} bytes`);
    }
    const object = new Uint8Array(size);
    let filled = 0;
    for await (const part of exactly(size, parts, signal)) {
      object.set(part, filled);
      filled += part.length;
    }
    this.#bytes += size - (this.#objects.get(key)?.length ?? 0);
    this.#objects.set(key, object);
  }

  // deno-lint-ignore require-await -- so that what is wrong rejects, as it does elsewhere
  async get(
    key: string,
    start: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const object = this.#objects.get(checkedKey(key));
    if (object === undefined) throw new ColdError("not_found", this.name, key, "no such object");
    if (start + length > object.length) {
      const detail = `it ends here, ${start + length} bytes were expected`;
      throw new ColdError("corrupt", this.name, key, detail, { offset: object.length });
    }
    return object.slice(start, start + length);
  }

  // deno-lint-ignore require-await -- so that what is wrong rejects, as it does elsewhere
  async size(key: string, signal?: AbortSignal): Promise<number | undefined> {
    signal?.throwIfAborted();
    return this.#objects.get(checkedKey(key))?.length;
  }

  // deno-lint-ignore require-await -- so that what is wrong rejects, as it does elsewhere
  async delete(key: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.#bytes -= this.#objects.get(checkedKey(key))?.length ?? 0;
    this.#objects.delete(key);
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
    checkedPrefix(prefix);
    for (const key of [...this.#objects.keys()]) {
      signal?.throwIfAborted();
      if (key.startsWith(prefix)) yield key;
    }
  }

  close(): void {}
}
