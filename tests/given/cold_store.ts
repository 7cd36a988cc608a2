/**
 * A cold store in memory that does what a test wants.
 *
 * @module
 */

import {
  type ByteParts,
  ColdError,
  type ColdErrorKind,
  type ColdStore,
  MemoryColdStore,
  unlessAborted,
} from "../../storage/cold/mod.ts";
import { COLD_FORMATION } from "./shard.ts";

/** What a store is asked to do. */
export type StoreOperation = "put" | "get" | "delete" | "list";

/** Objects in memory: a store that all nodes share, or one of a node's own. */
export class GivenStore implements ColdStore {
  readonly name = "given";
  /** What is stored. */
  readonly stored = new MemoryColdStore();
  /** What it was asked, in order: the operation, and the key or prefix. */
  readonly asked: string[] = [];
  /** Keys of puts that went through. */
  readonly done: string[] = [];
  /** Puts under way, now and at most. */
  underWay = 0;
  underWayMax = 0;
  /** Takes no notice of signals. */
  isDeaf = false;
  /** How an operation on a key or prefix fails, if it does; true stands for `unavailable`. */
  fails: (operation: StoreOperation, key: string) => ColdErrorKind | boolean = () => false;
  readonly #held = new Map<StoreOperation, Promise<void>>();

  constructor(readonly isShared: boolean = false) {}

  /** Has an operation fail, so many times. */
  fail(failing: StoreOperation, kind: ColdErrorKind, times = Infinity): void {
    this.fails = (operation) => operation === failing && times-- > 0 && kind;
  }

  /** Nothing fails any more. */
  recover(): void {
    this.fails = () => false;
  }

  /** Holds an operation back before it does anything, until told to let it go. */
  hold(operation: StoreOperation): { release(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held.set(operation, promise);
    return {
      release: () => {
        if (this.#held.get(operation) === promise) this.#held.delete(operation);
        resolve();
      },
    };
  }

  /** Turns a bit of a stored object over. */
  async rot(key: string, at: number): Promise<void> {
    const bytes = await this.stored.get(key, 0, await this.size(key) ?? 0);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await this.stored.put(key, bytes.length, [bytes]);
  }

  /** Keys or prefixes that an operation was asked for, in order. */
  askedTo(operation: StoreOperation): string[] {
    const start = `${operation} `;
    return this.asked.filter((asked) => asked.startsWith(start))
      .map((asked) => asked.slice(start.length));
  }

  /** All keys, in order. */
  async keys(): Promise<string[]> {
    return (await Array.fromAsync(this.stored.list(""))).sort();
  }

  /** Numbers of the objects of the first group, in order. */
  async numbers(): Promise<number[]> {
    return (await this.keys()).filter((key) => key.startsWith(`${COLD_FORMATION}/0/`))
      .map((key) => Number(key.split("/")[2]?.split("-")[0]));
  }

  async put(key: string, size: number, parts: ByteParts, signal?: AbortSignal): Promise<void> {
    const heard = this.isDeaf ? undefined : signal;
    this.underWayMax = Math.max(this.underWayMax, ++this.underWay);
    try {
      await this.#ask("put", key, heard);
      await this.stored.put(key, size, parts, heard);
      this.done.push(key);
    } finally {
      this.underWay--;
    }
  }

  async get(
    key: string,
    start: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    await this.#ask("get", key, signal);
    return await this.stored.get(key, start, length, signal);
  }

  size(key: string, signal?: AbortSignal): Promise<number | undefined> {
    return this.stored.size(key, signal);
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    await this.#ask("delete", key, signal);
    await this.stored.delete(key, signal);
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
    for await (const key of this.stored.list(prefix, signal)) {
      await this.#ask("list", prefix, signal);
      yield key;
    }
  }

  close(): void {}

  async #ask(operation: StoreOperation, key: string, signal?: AbortSignal): Promise<void> {
    this.asked.push(`${operation} ${key}`);
    await unlessAborted(this.#held.get(operation) ?? Promise.resolve(), signal);
    const fault = this.fails(operation, key);
    if (fault === false) return;
    const kind = fault === true ? "unavailable" : fault;
    throw new ColdError(kind, this.name, key, `${operation} was made to fail`);
  }
}
