/**
 * RaftSnapshots on disk: one file for each, streamed in and out.
 *
 * A file gets its name only once it is durable, so a crash leaves the older snapshot or the newer
 * one, never half of one. The order that makes a restart safe: write the snapshot, then put its
 * mark into the journal. At start the newest snapshot may thus be ahead of the journal's mark;
 * the caller then puts that mark before anything else.
 *
 * @module
 */

import type { Disk } from "../../io/mod.ts";
import { RaftSnapshotDamaged } from "./damaged.ts";
import { META_BYTES_MAX } from "./format.ts";
import { readBeginning, readChunks } from "./reading.ts";
import { writeSnapshot } from "./writing.ts";

export { RaftSnapshotDamaged } from "./damaged.ts";

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

  private constructor(readonly disk: Disk, readonly directory: string) {}

  /** Looks through the folder, made where it is missing; removes what a crash left behind. */
  static async open(disk: Disk, directory: string): Promise<RaftSnapshots> {
    await disk.makeDirectory(directory);
    const snapshots = new RaftSnapshots(disk, directory);
    let removed = 0;
    for (const name of await disk.list(directory)) {
      if (name.endsWith(TEMPORARY_SUFFIX)) {
        await disk.remove(`${directory}/${name}`);
        removed++;
      } else {
        removed += await snapshots.#found(name);
      }
    }
    if (removed > 0) await disk.syncDirectory(directory);
    return snapshots;
  }

  /** The newest of each group, by group. */
  list(): RaftSnapshotListing[] {
    return [...this.#newest.values()].sort((one, other) => one.group - other.group);
  }

  /**
   * Streams a RaftSnapshot to disk; durable when it resolves. The group's older one is then gone.
   * One at a time for each group. When `chunks` throws, nothing has changed.
   * @throws DiskError
   */
  async write(
    group: number,
    mark: RaftSnapshotMark,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    if (mark.meta.length > META_BYTES_MAX) {
      throw new RangeError(`meta over ${META_BYTES_MAX} bytes`);
    }
    const older = this.#newest.get(group);
    if (this.#writing.has(group) || (older && older.index > mark.index)) {
      throw new Error(`invariant: group ${group} writes one snapshot at a time, newer ones later`);
    }
    this.#writing.add(group);
    try {
      await this.#replace(older, group, mark, chunks);
    } finally {
      this.#writing.delete(group);
    }
  }

  /**
   * The newest of a group; undefined where there is none.
   * @throws RaftSnapshotDamaged here, or while its chunks are read
   */
  async load(group: number): Promise<StoredRaftSnapshot | undefined> {
    const newest = this.#newest.get(group);
    if (newest === undefined) return undefined;
    const path = this.#path(group, newest.index);
    const file = await this.disk.open(path, { create: false });
    try {
      const { framesStart, ...beginning } = await readBeginning(file, path);
      if (beginning.group !== group || beginning.index !== newest.index) {
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

  async #replace(
    older: RaftSnapshotListing | undefined,
    group: number,
    mark: RaftSnapshotMark,
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<void> {
    const { disk, directory } = this;
    const path = this.#path(group, mark.index);
    const temporary = `${path}${TEMPORARY_SUFFIX}`;
    const file = await disk.open(temporary, { create: true });
    let bytes: number;
    try {
      const { index, term, meta } = mark;
      bytes = await writeSnapshot(file, { group, index, term }, meta, chunks);
      await file.sync();
    } catch (error) {
      file.close();
      await disk.remove(temporary).catch(() => {});
      throw error;
    }
    file.close();
    await disk.rename(temporary, path);
    await disk.syncDirectory(directory);
    this.#newest.set(group, { group, index: mark.index, bytes });
    if (older === undefined || older.index === mark.index) return;
    await disk.remove(this.#path(group, older.index));
    await disk.syncDirectory(directory);
  }

  /** Takes note of a file, and removes the older one of two; answers how many were removed. */
  async #found(name: string): Promise<number> {
    const match = /^g(\d+)-(\d+)\.snapshot$/.exec(name);
    if (match === null) return 0;
    const [group, index] = [Number(match[1]), Number(match[2])];
    const file = await this.disk.open(`${this.directory}/${name}`, { create: false });
    const bytes = await file.size();
    file.close();
    const other = this.#newest.get(group);
    if (other === undefined || other.index < index) {
      this.#newest.set(group, { group, index, bytes });
    }
    if (other === undefined) return 0;
    await this.disk.remove(this.#path(group, Math.min(index, other.index)));
    return 1;
  }

  #path(group: number, index: number): string {
    return `${this.directory}/g${group}-${String(index).padStart(INDEX_DIGITS, "0")}.snapshot`;
  }
}
