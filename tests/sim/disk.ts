/**
 * A disk that loses what was never synced.
 *
 * It keeps two states: what a running system sees (the page cache) and what the medium holds.
 * {@linkcode SimDisk.kill} ends the process and keeps the first; {@linkcode SimDisk.crash} cuts the
 * power, and every sector and every directory entry that was not synced is then the old or the new
 * one, as the seed has it. A sector is written whole or not at all. Folders are durable at once.
 *
 * @module
 */

import {
  type Clock,
  type Disk,
  DiskError,
  type DiskErrorCode,
  type DiskFile,
  type DiskLock,
} from "../../io/mod.ts";
import { applied, Inode, Medium, parentOf, SECTOR_BYTES } from "./medium.ts";
import type { SimRandom } from "./random.ts";

/** Operations that {@linkcode SimDisk.failAt} can make fail. */
export type SimDiskOperation =
  | "open"
  | "read"
  | "write"
  | "sync"
  | "rename"
  | "remove"
  | "truncate";

/** An operation that is made to fail. */
export interface SimDiskFault {
  readonly operation: SimDiskOperation;
  readonly code: DiskErrorCode;
  /** How many of its kind are left until it. */
  left: number;
  /** What it would have been done to, once it has failed. */
  path: string | undefined;
}

/** How a {@linkcode SimDisk} is made. */
export interface SimDiskOptions {
  readonly random: SimRandom;
  /** Where operations take time; without one they end in the next microtask. */
  readonly clock?: Clock;
  /** Has the process's only thread wait, where it does not go on beside the operation. */
  readonly block?: (ms: number) => void;
  /** Longest time an operation takes on `clock`; each takes a random part of it. @default 1 */
  readonly latencyMsMax?: number;
  /** Bytes of all files together. @default Infinity */
  readonly capacityBytes?: number;
}

/** A simulated {@linkcode Disk}; see the module's text for what it forgets, and when. */
export class SimDisk implements Disk {
  #medium = new Medium();
  #locks = new Set<string>();
  #dead = false;
  #faults: SimDiskFault[] = [];
  #capacityBytes: number;

  /** Each sync takes at least so long; faults make a disk slow. */
  syncMsMin = 0;

  /** How often each operation was asked for: how much work something was. */
  readonly counts: Record<SimDiskOperation, number> = {
    open: 0,
    read: 0,
    write: 0,
    sync: 0,
    rename: 0,
    remove: 0,
    truncate: 0,
  };

  constructor(readonly options: SimDiskOptions) {
    this.#capacityBytes = options.capacityBytes ?? Infinity;
  }

  /** The process dies here: its operations never end; what it wrote is found by the next one. */
  kill(): SimDisk {
    const next = new SimDisk({ ...this.options, capacityBytes: this.#capacityBytes });
    next.#medium = this.#medium;
    next.syncMsMin = this.syncMsMin;
    this.#dead = true;
    return next;
  }

  /** The power fails here: what was not synced is lost wholly, partly, or not at all. */
  crash(): SimDisk {
    const next = this.kill();
    next.#medium = this.#medium.crashed(this.options.random);
    return next;
  }

  /** Makes the `nth` operation of that kind from now (1 is the next) fail. */
  failAt(
    operation: SimDiskOperation,
    nth: number,
    code: DiskErrorCode = "failed",
  ): SimDiskFault {
    const fault = { operation, left: nth, code, path: undefined };
    this.#faults.push(fault);
    return fault;
  }

  /** Changes the size of the disk. */
  setCapacity(bytes: number): void {
    this.#capacityBytes = bytes;
  }

  /** Flips one bit of a file, in the cache and on the medium. */
  rot(path: string, position: number, bit = 0): void {
    const inode = this.#inode(path);
    inode.bytes[position] = (inode.bytes[position] ?? 0) ^ (1 << bit);
    const sector = inode.stable.get(Math.floor(position / SECTOR_BYTES));
    if (sector) sector[position % SECTOR_BYTES] = inode.bytes[position] ?? 0;
  }

  /** A file's content as a running system sees it. */
  content(path: string): Uint8Array {
    const inode = this.#inode(path);
    return inode.bytes.slice(0, inode.length);
  }

  /** Would a file be there, as it is, if the power failed now? */
  isDurable(path: string): boolean {
    const inode = this.#medium.names.get(path);
    return inode !== undefined && inode === this.#medium.durableNames.get(path) &&
      inode.stable.size === 0 && inode.stableLength === inode.length;
  }

  /** All files, sorted. */
  paths(): string[] {
    return [...this.#medium.names.keys()].sort();
  }

  /** Bytes of all files. */
  usedBytes(): number {
    return this.#medium.usedBytes();
  }

  open(path: string, options: { create: boolean }): Promise<DiskFile> {
    return this.run("open", path, () => {
      let inode = this.#medium.names.get(path);
      if (inode === undefined) {
        if (!options.create || !this.#medium.directories.has(parentOf(path))) throw missing(path);
        inode = new Inode();
        this.#medium.change(undefined, { path, inode });
      }
      return new SimFile(this, path, inode);
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.run(undefined, path, () => {
      for (let at = path; at !== "/"; at = parentOf(at)) this.#medium.directories.add(at);
    });
  }

  list(path: string): Promise<string[]> {
    return this.run(undefined, path, () => {
      const { directories, names } = this.#medium;
      if (!directories.has(path)) throw missing(path);
      const found = [...directories, ...names.keys()].filter((name) =>
        name !== "/" && parentOf(name) === path
      );
      return found.map((name) => name.slice(name.lastIndexOf("/") + 1)).sort();
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.run("rename", from, () => {
      const inode = this.#medium.names.get(from);
      if (inode === undefined) throw missing(from);
      this.#medium.change(from, { path: to, inode });
    });
  }

  remove(path: string): Promise<void> {
    return this.run("remove", path, () => {
      if (!this.#medium.names.has(path)) throw missing(path);
      this.#medium.change(path, undefined);
    });
  }

  syncDirectory(path: string): Promise<void> {
    const medium = this.#medium;
    const taken = new Set(medium.changes.filter((change) => change.directory === path));
    return this.run("sync", path, () => {
      if (!medium.directories.has(path)) throw missing(path);
      // What another sync did meanwhile is not done again: later changes may be durable since.
      for (const change of medium.changes) {
        if (taken.has(change)) applied(medium.durableNames, change);
      }
      medium.changes = medium.changes.filter((change) => !taken.has(change));
    }, this.syncMsMin);
  }

  freeBytes(path: string): Promise<number> {
    return this.run(undefined, path, () => this.roomBytes());
  }

  lock(path: string): Promise<DiskLock> {
    return this.run(undefined, path, () => {
      if (!this.#medium.directories.has(parentOf(path))) throw missing(path);
      if (this.#locks.has(path)) {
        throw new DiskError("locked", path, "another process holds this lock");
      }
      if (!this.#medium.names.has(path)) {
        this.#medium.change(undefined, { path, inode: new Inode() });
      }
      this.#locks.add(path);
      return { release: () => void this.#locks.delete(path) };
    });
  }

  /**
   * Does `work` when the operation's time has passed; for {@linkcode SimFile}.
   *
   * @param msMin takes so long at least
   */
  run<T>(
    operation: SimDiskOperation | undefined,
    path: string,
    work: () => T,
    msMin = 0,
  ): Promise<T> {
    const failure = this.failing(operation, path);
    return new Promise((resolve, reject) => {
      const end = () => {
        if (this.#dead) return;
        try {
          if (failure) throw failure;
          resolve(work());
        } catch (error) {
          reject(error);
        }
      };
      const { clock, random, latencyMsMax = 1 } = this.options;
      if (clock) clock.setTimer(msMin + random.next() * latencyMsMax, end);
      else queueMicrotask(end);
    });
  }

  /** Counts the operation, and answers the error when it is one that shall fail. */
  failing(operation: SimDiskOperation | undefined, path: string): DiskError | undefined {
    if (operation === undefined) return undefined;
    this.counts[operation]++;
    for (const fault of this.#faults) {
      if (fault.operation === operation && --fault.left === 0) {
        fault.path = path;
        return new DiskError(fault.code, path, `${operation}: made to fail`);
      }
    }
  }

  /** Bytes that files may still grow by. */
  roomBytes(): number {
    if (this.#capacityBytes === Infinity) return Number.MAX_SAFE_INTEGER;
    return Math.max(0, this.#capacityBytes - this.#medium.usedBytes());
  }

  /** True once the process that this disk served has died. */
  get dead(): boolean {
    return this.#dead;
  }

  #inode(path: string): Inode {
    const inode = this.#medium.names.get(path);
    if (inode === undefined) throw missing(path);
    return inode;
  }
}

class SimFile implements DiskFile {
  constructor(readonly disk: SimDisk, readonly path: string, readonly inode: Inode) {}

  read(into: Uint8Array, position: number): Promise<number> {
    return this.disk.run("read", this.path, () => {
      const found = this.inode.bytes.subarray(position, this.inode.length).subarray(0, into.length);
      into.set(found);
      return found.length;
    });
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    return this.disk.run("write", this.path, () => this.#put(bytes, position));
  }

  writeSync(bytes: Uint8Array, position: number): void {
    if (this.disk.dead) return;
    const failure = this.disk.failing("write", this.path);
    if (failure) {
      // What a failed write left behind is anybody's guess: here, its first part.
      this.#put(
        bytes.subarray(0, Math.floor(this.disk.options.random.next() * bytes.length)),
        position,
      );
      throw failure;
    }
    this.#put(bytes, position);
  }

  sync(): Promise<void> {
    const { inode } = this;
    const failure = this.disk.failing("sync", this.path);
    if (failure) {
      inode.dropUnsynced();
      return this.disk.run(undefined, this.path, () => {
        throw failure;
      });
    }
    return this.disk.run(undefined, this.path, inode.syncing(), this.disk.syncMsMin);
  }

  syncSync(): void {
    if (this.disk.dead) return;
    const failure = this.disk.failing("sync", this.path);
    if (failure) {
      this.inode.dropUnsynced();
      throw failure;
    }
    this.disk.options.block?.(this.disk.syncMsMin);
    this.inode.syncing()();
  }

  size(): Promise<number> {
    return this.disk.run(undefined, this.path, () => this.inode.length);
  }

  truncate(length: number): Promise<void> {
    return this.disk.run("truncate", this.path, () => this.inode.resize(length));
  }

  close(): void {}

  #put(bytes: Uint8Array, position: number): void {
    const room = this.disk.roomBytes() + this.inode.length - position;
    this.inode.write(room < bytes.length ? bytes.subarray(0, Math.max(0, room)) : bytes, position);
    if (room < bytes.length) throw new DiskError("full", this.path, "no space left");
  }
}

function missing(path: string): DiskError {
  return new DiskError("not_found", path, "no such file or folder");
}
