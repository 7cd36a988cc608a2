/**
 * RaftSnapshots on disk: one file for each, streamed in and out.
 *
 * A file gets its name only once it is durable, so a crash leaves the older snapshot or the newer
 * one, never half of one. The order that makes a restart safe: write the snapshot, then put its
 * mark into the journal. At start the newest snapshot may thus be ahead of the journal's mark;
 * the caller then puts that mark before anything else.
 *
 * A group may write one of its own state while it receives one, or several that began one after the
 * other, from its leader. Each has a file of its own until it is durable; then the one that stands
 * for more entries stays, and the other is dropped without a trace.
 *
 * @module
 */

import { type Disk, DiskError } from "../../io/mod.ts";
import { RaftSnapshotDamaged } from "./damaged.ts";
import { META_BYTES_MAX } from "./format.ts";
import { IncomingRaftSnapshot } from "./incoming.ts";
import { readBeginning, readChunks } from "./reading.ts";
import { writeSnapshot } from "./writing.ts";

export { RaftSnapshotDamaged } from "./damaged.ts";
export { IncomingRaftSnapshot } from "./incoming.ts";

/** Which RaftSnapshot, and how large its file is. */
export interface RaftSnapshotListing {
  readonly group: number;
  readonly index: number;
  readonly bytes: number;
}

/** What a RaftSnapshot stands for. */
export interface RaftSnapshotMark {
  readonly index: number;
  readonly term: number;
  /** What belongs to the mark besides, as its writer encoded it: the membership. */
  readonly meta: Uint8Array;
}

/** A RaftSnapshot that is being read. */
export interface StoredRaftSnapshot extends RaftSnapshotMark {
  readonly group: number;
  /**
   * The state, in pieces that the caller may keep. Only its end says that the snapshot is whole.
   * A file that is being read survives its removal; one that a newer snapshot replaced before
   * reading began is `not_found`: then load the newer one.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
}

const TEMPORARY_SUFFIX = ".new";
/** Digits of an index in a file name. */
const INDEX_DIGITS = 16;

/** The RaftSnapshots in one folder. */
export class RaftSnapshots {
  #newest = new Map<number, RaftSnapshotListing>();
  #writing = new Set<number>();
  #incoming = 0;
  /** By group: resolves when whoever gives a file its name has done so. */
  #placing = new Map<number, Promise<boolean>>();

  private constructor(readonly disk: Disk, readonly directory: string) {}

  /** Looks through the folder, made where it is missing; removes what a crash left behind. */
  static async open(disk: Disk, directory: string): Promise<RaftSnapshots> {
    await disk.makeDirectory(directory);
    const snapshots = new RaftSnapshots(disk, directory);
    const names = await disk.list(directory);
    // What is found will be relied upon, and the process before may have died just before this.
    if (names.length > 0) await disk.syncDirectory(directory);
    for (const name of names) {
      if (name.endsWith(TEMPORARY_SUFFIX)) await disk.remove(`${directory}/${name}`);
      else await snapshots.#found(name);
    }
    return snapshots;
  }

  /** The newest of each group, by group. */
  list(): RaftSnapshotListing[] {
    return [...this.#newest.values()].sort((one, other) => one.group - other.group);
  }

  /**
   * Streams a RaftSnapshot to disk; when it resolves to true that is durable and the group's older
   * one is gone. False: one that stands for more was received, and stays. One at a time for each
   * group. When `chunks` throws, nothing has changed.
   * @throws DiskError
   */
  async write(
    group: number,
    mark: RaftSnapshotMark,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean> {
    if (mark.meta.length > META_BYTES_MAX) {
      throw new RangeError(`meta over ${META_BYTES_MAX} bytes`);
    }
    if (this.#writing.has(group)) {
      throw new Error(`invariant: group ${group} writes one snapshot at a time`);
    }
    this.#writing.add(group);
    try {
      return await this.#write(group, mark, chunks);
    } finally {
      this.#writing.delete(group);
    }
  }

  /** Begins to receive a RaftSnapshot of a group from elsewhere. */
  receive(group: number): IncomingRaftSnapshot {
    const { disk } = this;
    const path = `${this.directory}/g${group}-incoming-${++this.#incoming}${TEMPORARY_SUFFIX}`;
    return new IncomingRaftSnapshot({
      disk,
      group,
      path,
      // Its own of the same index is the same state, and may be being read.
      place: (mark, bytes) => this.#place(path, { group, index: mark.index, bytes }, false),
    });
  }

  /**
   * The newest of a group; undefined where there is none.
   * @throws RaftSnapshotDamaged here, or while its chunks are read
   */
  async load(group: number): Promise<StoredRaftSnapshot | undefined> {
    for (;;) {
      const newest = this.#newest.get(group);
      if (newest === undefined) return undefined;
      try {
        return await this.#load(newest);
      } catch (error) {
        // One that was replaced before it could be opened.
        if (this.#newest.get(group) === newest || !isMissing(error)) throw error;
      }
    }
  }

  async #load({ group, index }: RaftSnapshotListing): Promise<StoredRaftSnapshot> {
    const path = this.#path(group, index);
    const file = await this.disk.open(path, { create: false });
    try {
      const { framesStart, ...beginning } = await readBeginning(file, path);
      if (beginning.group !== group || beginning.index !== index) {
        throw new RaftSnapshotDamaged(
          path,
          0,
          `holds group ${beginning.group}, ${beginning.index}`,
        );
      }
      const { disk } = this;
      const chunks = {
        async *[Symbol.asyncIterator]() {
          const reopened = await disk.open(path, { create: false });
          try {
            yield* readChunks(reopened, path, framesStart);
          } finally {
            reopened.close();
          }
        },
      };
      return { ...beginning, chunks };
    } finally {
      file.close();
    }
  }

  async #write(
    group: number,
    mark: RaftSnapshotMark,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<boolean> {
    const { disk } = this;
    const { index, term, meta } = mark;
    const temporary = `${this.#path(group, index)}${TEMPORARY_SUFFIX}`;
    const file = await disk.open(temporary, { create: true });
    let bytes: number;
    try {
      bytes = await writeSnapshot(file, { group, index, term }, meta, chunks);
      await file.sync();
    } catch (error) {
      file.close();
      await disk.remove(temporary).catch(() => {});
      throw error;
    }
    file.close();
    return await this.#place(temporary, { group, index, bytes }, true);
  }

  /** Gives a durable file its name, one at a time for each group; false when a newer one has come. */
  #place(temporary: string, made: RaftSnapshotListing, replacesSame: boolean): Promise<boolean> {
    const { group } = made;
    const before = this.#placing.get(group) ?? Promise.resolve(true);
    const placing = before.catch(() => {}).then(() => this.#rename(temporary, made, replacesSame));
    this.#placing.set(group, placing);
    const over = () => {
      if (this.#placing.get(group) === placing) this.#placing.delete(group);
    };
    placing.then(over, over);
    return placing;
  }

  async #rename(
    temporary: string,
    made: RaftSnapshotListing,
    replacesSame: boolean,
  ): Promise<boolean> {
    const { disk, directory } = this;
    const { group, index } = made;
    const older = this.#newest.get(group);
    if (older && (older.index > index || (older.index === index && !replacesSame))) {
      await disk.remove(temporary);
      return false;
    }
    await disk.rename(temporary, this.#path(group, index));
    await disk.syncDirectory(directory);
    this.#newest.set(group, made);
    if (older === undefined || older.index === index) return true;
    await disk.remove(this.#path(group, older.index));
    await disk.syncDirectory(directory);
    return true;
  }

  /** Takes note of a file, and removes the older one of two. */
  async #found(name: string): Promise<void> {
    const match = /^g(\d+)-(\d+)\.snapshot$/.exec(name);
    if (match === null) return;
    const [group, index] = [Number(match[1]), Number(match[2])];
    const file = await this.disk.open(`${this.directory}/${name}`, { create: false });
    const bytes = await file.size();
    file.close();
    const other = this.#newest.get(group);
    if (other === undefined || other.index < index) {
      this.#newest.set(group, { group, index, bytes });
    }
    if (other === undefined) return;
    await this.disk.remove(this.#path(group, Math.min(index, other.index)));
  }

  #path(group: number, index: number): string {
    return `${this.directory}/g${group}-${String(index).padStart(INDEX_DIGITS, "0")}.snapshot`;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof DiskError && error.code === "not_found";
}
