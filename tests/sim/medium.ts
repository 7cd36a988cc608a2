/**
 * What a simulated disk holds: the content of files and their names, each as seen and as durable.
 *
 * @module
 */

import type { SimRandom } from "./random.ts";

/** What the medium writes whole or not at all. */
export const SECTOR_BYTES = 512;

/** A file's content, seen and durable. */
export class Inode {
  bytes = new Uint8Array(0);
  length = 0;
  /** What the medium holds of each sector that was written since it was last synced. */
  stable = new Map<number, Uint8Array>();
  stableLength = 0;
  /** Sectors of a failed sync: clean in the eyes of the system, so no later sync writes them. */
  dropped = new Set<number>();

  /** Cuts, or extends with zeros. */
  resize(length: number): void {
    if (length > this.bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.bytes.length));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    if (length < this.length) {
      this.#touch(length, this.length);
      this.bytes.fill(0, length, this.length);
    }
    this.length = length;
  }

  /** Puts bytes into the cache. */
  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > this.length) this.resize(end);
    this.#touch(position, end);
    this.bytes.set(bytes, position);
  }

  /** A copy of a sector as it is seen. */
  sector(at: number): Uint8Array {
    const copy = new Uint8Array(SECTOR_BYTES);
    copy.set(this.bytes.subarray(at * SECTOR_BYTES, (at + 1) * SECTOR_BYTES));
    return copy;
  }

  #touch(from: number, to: number): void {
    for (let at = Math.floor(from / SECTOR_BYTES); at * SECTOR_BYTES < to; at++) {
      if (!this.stable.has(at)) this.stable.set(at, this.sector(at));
      this.dropped.delete(at);
    }
  }

  /** Takes down what a sync must make durable; calling the result does so. */
  syncing(): () => void {
    const length = this.length;
    const written: { at: number; before: Uint8Array; now: Uint8Array }[] = [];
    for (const [at, before] of this.stable) {
      if (!this.dropped.has(at)) written.push({ at, before, now: this.sector(at) });
    }
    return () => {
      this.stableLength = length;
      for (const { at, before, now } of written) {
        if (this.stable.get(at) !== before) continue;
        if (same(now, this.sector(at))) this.stable.delete(at);
        else this.stable.set(at, now);
      }
    };
  }

  /** A sync failed: the system takes for clean what may never reach the medium. */
  dropUnsynced(): void {
    for (const at of this.stable.keys()) this.dropped.add(at);
  }

  /** The file as it is found after a power cut. */
  crashed(random: SimRandom): Inode {
    const found = new Inode();
    found.bytes = this.bytes.slice();
    const keepsLength = this.stableLength === this.length || random.chance(0.5);
    found.length = keepsLength ? this.length : this.stableLength;
    if (found.length > found.bytes.length) found.resize(found.length);
    const share = random.chance(0.5) ? random.next() : Math.round(random.next());
    for (const [at, before] of this.stable) {
      if (!random.chance(share)) {
        const room = found.bytes.length - at * SECTOR_BYTES;
        if (room > 0) found.bytes.set(before.subarray(0, room), at * SECTOR_BYTES);
      }
    }
    found.bytes.fill(0, found.length);
    found.stableLength = found.length;
    return found;
  }
}

/** A change of names that is not yet durable. */
export interface NameChange {
  readonly directory: string;
  readonly removes: string | undefined;
  readonly adds: { readonly path: string; readonly inode: Inode } | undefined;
}

/** All files and folders of a disk. */
export class Medium {
  names = new Map<string, Inode>();
  durableNames = new Map<string, Inode>();
  changes: NameChange[] = [];
  directories = new Set<string>(["/"]);

  /** Changes names as they are seen. */
  change(removes: string | undefined, adds: NameChange["adds"]): void {
    const change = { directory: parentOf(adds?.path ?? removes ?? "/"), removes, adds };
    this.changes.push(change);
    applied(this.names, change);
  }

  /** Bytes of all files. */
  usedBytes(): number {
    let used = 0;
    for (const inode of this.names.values()) used += inode.length;
    return used;
  }

  /** What is found after a power cut. */
  crashed(random: SimRandom): Medium {
    const found = new Medium();
    found.directories = new Set(this.directories);
    const keep = random.next();
    const names = new Map(this.durableNames);
    for (const change of this.changes) if (random.chance(keep)) applied(names, change);
    for (const [path, inode] of names) found.names.set(path, inode.crashed(random));
    found.durableNames = new Map(found.names);
    return found;
  }
}

/** Does `change` to `names`. */
export function applied(names: Map<string, Inode>, change: NameChange): void {
  if (change.removes !== undefined) names.delete(change.removes);
  if (change.adds !== undefined) names.set(change.adds.path, change.adds.inode);
}

/** The folder that holds `path`. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}
