/**
 * A cold store in memory whose puts do what a test wants.
 *
 * @module
 */

import {
  type ByteParts,
  ColdError,
  type ColdErrorKind,
  type ColdStore,
  MemoryColdStore,
} from "../../storage/cold/mod.ts";

/** Objects in memory: a store that all nodes share, or one of a node's own. */
export class FaultyStore implements ColdStore {
  readonly name = "faulty";
  /** What is stored. */
  readonly stored = new MemoryColdStore();
  /** Puts fail like this. */
  fails: ColdErrorKind | undefined;
  /** Puts take no notice of signals. */
  isDeaf = false;
  /** Keys of the puts that were begun, and of those that went through. */
  readonly begun: string[] = [];
  readonly done: string[] = [];
  /** Puts under way, now and at most. */
  underWay = 0;
  underWayMax = 0;
  #held: Promise<void> | undefined;

  constructor(readonly isShared: boolean) {}

  /** Holds puts back before they take anything, until told to let them go. */
  hold(): { release(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return {
      release: () => {
        this.#held = undefined;
        resolve();
      },
    };
  }

  async put(key: string, size: number, parts: ByteParts, signal?: AbortSignal): Promise<void> {
    const heard = this.isDeaf ? undefined : signal;
    this.begun.push(key);
    this.underWayMax = Math.max(this.underWayMax, ++this.underWay);
    try {
      await this.#letGo(heard);
      if (this.fails !== undefined) {
        throw new ColdError(this.fails, this.name, key, "made to fail");
      }
      await this.stored.put(key, size, parts, heard);
      this.done.push(key);
    } finally {
      this.underWay--;
    }
  }

  get(key: string, start: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.stored.get(key, start, length, signal);
  }

  size(key: string, signal?: AbortSignal): Promise<number | undefined> {
    return this.stored.size(key, signal);
  }

  delete(key: string, signal?: AbortSignal): Promise<void> {
    return this.stored.delete(key, signal);
  }

  list(prefix: string, signal?: AbortSignal): AsyncIterable<string> {
    return this.stored.list(prefix, signal);
  }

  close(): void {}

  #letGo(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      (this.#held ?? Promise.resolve()).then(resolve);
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  }
}
