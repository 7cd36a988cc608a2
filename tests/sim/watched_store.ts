import type { ByteParts, ColdStore } from "../../storage/cold/mod.ts";
import { ObjectSum } from "./check/cold_objects.ts";
import type { ColdLook } from "./cold_store.ts";

/** A node's own store, and who looks on as objects come and go in it. */
export class WatchedStore implements ColdStore {
  /** Keys of objects that this process has put, and that are there. */
  readonly #kept = new Set<string>();

  constructor(readonly store: ColdStore, readonly look: ColdLook) {}

  get name(): string {
    return this.store.name;
  }

  get isShared(): boolean {
    return this.store.isShared;
  }

  /** Has this process put the object, and not deleted it? */
  keeps(key: string): boolean {
    return this.#kept.has(key);
  }

  async put(key: string, size: number, parts: ByteParts, signal?: AbortSignal): Promise<void> {
    const sum = new ObjectSum();
    await this.store.put(key, size, summed(parts, sum), signal);
    this.#kept.add(key);
    this.look.put(key, `${sum}`);
  }

  get(key: string, start: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.store.get(key, start, length, signal);
  }

  size(key: string, signal?: AbortSignal): Promise<number | undefined> {
    return this.store.size(key, signal);
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    this.look.deleted(key);
    this.#kept.delete(key);
    await this.store.delete(key, signal);
  }

  list(prefix: string, signal?: AbortSignal): AsyncIterable<string> {
    return this.store.list(prefix, signal);
  }

  close(): void {
    this.store.close();
  }
}

async function* summed(parts: ByteParts, sum: ObjectSum): AsyncGenerator<Uint8Array> {
  for await (const part of parts) {
    sum.add(part);
    yield part;
  }
}
