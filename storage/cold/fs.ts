/**
 * Objects as files below one folder.
 *
 * ```
 * ROOT/<formation>/<group>/<number>-<term>.object
 * ROOT/.incoming/<random>                            objects on their way
 * ```
 *
 * A file gets its key's name only once it is durable: a crash leaves a whole object or none, and at
 * most a leftover on its way, which the next start sweeps. A folder belongs to one node.
 *
 * @module
 */

import { type Disk, DiskError, type DiskFile, type Random } from "../../io/mod.ts";
import { ColdError, type ColdErrorKind } from "./error.ts";
import { checkedKey, checkedPrefix, isFolderName, isObjectFileName } from "./keys.ts";
import { type ByteParts, type ColdStore, exactly } from "./store.ts";

/** What a {@linkcode FsColdStore} needs. */
export interface FsColdStoreOptions {
  readonly disk: Disk;
  /** Names what is on its way; several stores of a process may share a folder. */
  readonly random: Random;
  /** Absolute path of the folder; see {@linkcode prepareColdFolder}. */
  readonly root: string;
}

/**
 * Bytes of an object that go to the disk at a time: with many more the journal's next sync, and all
 * appends, would wait behind them.
 */
const SYNC_STEP_BYTES = 1 << 20;

const INCOMING = ".incoming";
const INCOMING_NAME_BYTES = 12;

/**
 * Makes the folder of an {@linkcode FsColdStore} ready, once a start and before the first store
 * works on it: sweeps what a crash left on its way.
 *
 * @returns how many leftovers there were
 * @throws DiskError
 */
export async function prepareColdFolder(disk: Disk, root: string): Promise<number> {
  const incoming = `${root}/${INCOMING}`;
  await disk.makeDirectory(incoming);
  await disk.syncDirectory(parentOf(root));
  const leftovers = await disk.list(incoming);
  for (const name of leftovers) await disk.remove(`${incoming}/${name}`);
  return leftovers.length;
}

/** Keeps each object in a file; see the module's text. */
export class FsColdStore implements ColdStore {
  readonly name: string;
  readonly isShared = false;
  /** Folders that are known to be there, durably. */
  #folders = new Set<string>();

  constructor(readonly options: FsColdStoreOptions) {
    this.name = options.root;
  }

  async put(key: string, size: number, parts: ByteParts, signal?: AbortSignal): Promise<void> {
    const { disk, root } = this.options;
    const path = this.#path(key);
    const temporary = `${root}/${INCOMING}/${this.#incomingName()}`;
    try {
      await this.#makeFolder(parentOf(temporary));
      await this.#write(temporary, exactly(size, parts, signal));
      await this.#makeFolder(parentOf(path));
      await disk.rename(temporary, path);
    } catch (error) {
      // The folder may have been taken away: the next put makes it anew.
      this.#folders.clear();
      await disk.remove(temporary).catch(() => {});
      throw this.#failure(error, key, "unavailable");
    }
    try {
      await disk.syncDirectory(parentOf(path));
    } catch (error) {
      throw this.#failure(error, key, "unavailable");
    }
  }

  async get(
    key: string,
    start: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const into = new Uint8Array(length);
    await this.#withFile(key, async (file) => {
      signal?.throwIfAborted();
      if (await file.read(into, start) === length) return;
      const detail = `it ends here, ${start + length} bytes were expected`;
      throw new ColdError("corrupt", this.name, key, detail, { offset: await file.size() });
    }, signal);
    signal?.throwIfAborted();
    return into;
  }

  async size(key: string, signal?: AbortSignal): Promise<number | undefined> {
    try {
      return await this.#withFile(key, (file) => file.size(), signal);
    } catch (error) {
      if (error instanceof ColdError && error.kind === "not_found") return undefined;
      throw error;
    }
  }

  async delete(key: string, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    try {
      await this.options.disk.remove(this.#path(key));
    } catch (error) {
      if (!isMissing(error)) throw this.#failure(error, key, "unavailable");
    }
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<string> {
    for (const name of await this.#namesIn(checkedPrefix(prefix))) {
      signal?.throwIfAborted();
      if (isObjectFileName(name)) yield prefix + name;
      else if (isFolderName(name)) yield* this.list(`${prefix}${name}/`, signal);
    }
  }

  close(): void {}

  async #write(path: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await this.options.disk.open(path, { create: true });
    try {
      let position = 0;
      let synced = 0;
      for await (const part of parts) {
        await file.write(part, position);
        position += part.length;
        if (position - synced < SYNC_STEP_BYTES) continue;
        await file.sync();
        synced = position;
      }
      await file.sync();
    } finally {
      file.close();
    }
  }

  /** Makes a folder below the root durable, and those between. */
  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    const { disk, root } = this.options;
    await disk.makeDirectory(folder);
    for (let at = folder; at !== root;) {
      at = parentOf(at);
      await disk.syncDirectory(at);
    }
    this.#folders.add(folder);
  }

  async #withFile<T>(
    key: string,
    work: (file: DiskFile) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    signal?.throwIfAborted();
    const path = this.#path(key);
    try {
      const file = await this.options.disk.open(path, { create: false });
      try {
        return await work(file);
      } finally {
        file.close();
      }
    } catch (error) {
      throw this.#failure(error, key, "not_found");
    }
  }

  async #namesIn(prefix: string): Promise<string[]> {
    try {
      return await this.options.disk.list(`${this.options.root}/${prefix}`.slice(0, -1));
    } catch (error) {
      if (isMissing(error)) return [];
      throw this.#failure(error, prefix, "unavailable");
    }
  }

  /** @param missing what it means that a file is missing */
  #failure(error: unknown, key: string, missing: ColdErrorKind): unknown {
    if (!(error instanceof DiskError)) return error;
    const kind = error.code === "full"
      ? "full"
      : error.code === "not_found"
      ? missing
      : "unavailable";
    return new ColdError(kind, this.name, key, error.message, { cause: error });
  }

  #path(key: string): string {
    return `${this.options.root}/${checkedKey(key)}`;
  }

  #incomingName(): string {
    const bytes = this.options.random.bytes(INCOMING_NAME_BYTES);
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof DiskError && error.code === "not_found";
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}
