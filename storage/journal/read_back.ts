/**
 * Reads entries back that have left memory, for followers that need them.
 *
 * One read at a time, in windows: neither the event loop nor memory feels how many followers lag.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { type Disk, DiskError, type DiskFile } from "../../io/mod.ts";
import type { StoredEntry } from "../types.ts";
import { JournalDamaged } from "./damaged.ts";
import type { EntryPlace } from "./entry_index.ts";
import type { GroupTrack } from "./group_track.ts";
import { claimedLength, RECORD_HEADER_BYTES, recordBytes, recordSum } from "./record.ts";
import { Gathering } from "./gathering.ts";
import type { Segment } from "./segment.ts";
import { Slab } from "./slab.ts";

/** Bytes read at once: what the event loop is held up for, and other groups' records are skipped in. */
export const READ_BACK_WINDOW_BYTES = 256 << 10;

/** What reading back needs of its journal. */
export interface ReadBackOptions {
  readonly disk: Disk;
  /** Do batches wait until they are durable? */
  readonly sync: boolean;
  readonly tracks: ReadonlyMap<number, GroupTrack>;
}

/** The reader of a journal that is being written. */
export class ReadBack {
  #window: Slab | undefined = undefined;
  #before: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(readonly options: ReadBackOptions) {}

  /** See `ReadableLog.readEntries`. */
  read(
    group: number,
    from: number,
    through: number,
    bytesMax: number,
  ): Promise<readonly StoredEntry[] | undefined> {
    const reading = this.#before.then(() => this.#read(group, from, through, bytesMax));
    this.#before = reading.catch(() => {});
    return reading;
  }

  /** Ends the read at hand; those that wait are answered undefined. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#before;
  }

  async #read(
    group: number,
    from: number,
    through: number,
    bytesMax: number,
  ): Promise<readonly StoredEntry[] | undefined> {
    const track = this.options.tracks.get(group);
    if (track === undefined || from <= track.markIndex) return undefined;
    const gathering = new Gathering(track, from, through, bytesMax);
    for (;;) {
      gathering.settle();
      if (!gathering.wantsMore || this.#stopped) break;
      const place = track.places.find(gathering.next);
      const end = place === undefined ? 0 : this.#readableEnd(place.segment);
      if (place === undefined || place.position >= end) break;
      const { next } = gathering;
      try {
        await this.#gather(gathering, place, end);
      } catch (error) {
        const isGone = error instanceof DiskError && error.code === "not_found";
        // Its segment went meanwhile; it lies elsewhere, or nowhere.
        if (isGone && track.places.find(next)?.segment !== place.segment) continue;
        throw error;
      }
      if (gathering.next === next && !gathering.isCut) break;
    }
    return gathering.entries.length === 0 ? undefined : gathering.entries;
  }

  /** What lies below it is what a flush that resolved has written. */
  #readableEnd({ placed, synced, writtenEnd }: Segment): number {
    if (!placed) return 0;
    return this.options.sync ? synced : writtenEnd;
  }

  async #gather(gathering: Gathering, place: EntryPlace, end: number): Promise<void> {
    const { segment } = place;
    const window = this.#window ??= new Slab(READ_BACK_WINDOW_BYTES);
    const file = await this.options.disk.open(segment.path, { create: false });
    try {
      let position = place.position;
      while (position + RECORD_HEADER_BYTES <= end && gathering.wants(place.last)) {
        const wanted = window.bytes.subarray(0, Math.min(window.bytes.length, end - position));
        const count = await file.read(wanted, position);
        if (this.#stopped) return;
        if (count < RECORD_HEADER_BYTES) {
          throw new JournalDamaged(segment.path, position + count, "the file ends too early");
        }
        const taken = gathering.take(window, count, segment, position, end, place.last);
        position += taken > 0 ? taken : await takeLarge(gathering, file, window, segment, position);
      }
    } finally {
      file.close();
    }
    if (gathering.wants(place.last) && place.end <= end) {
      const detail = `entry ${gathering.next} of group ${gathering.group} is not where it was`;
      throw new JournalDamaged(segment.path, place.position, detail);
    }
  }
}

/** Takes the record that the window begins with and does not hold; answers its size. */
async function takeLarge(
  gathering: Gathering,
  file: DiskFile,
  window: Slab,
  segment: Segment,
  position: number,
): Promise<number> {
  const length = claimedLength(window.view, 0);
  const slab = new Slab(recordBytes(length));
  const end = RECORD_HEADER_BYTES + length;
  let sum = segment.salt;
  for (let done = 0; done < end; done += READ_BACK_WINDOW_BYTES) {
    const part = slab.bytes.subarray(done, Math.min(end, done + READ_BACK_WINDOW_BYTES));
    await file.read(part, position + done);
    // The checksum does not cover itself.
    sum = crc32(done === 0 ? part.subarray(4) : part, sum);
  }
  if (sum !== recordSum(slab.view, 0)) {
    throw new JournalDamaged(segment.path, position, "a record is not whole");
  }
  gathering.takeWhole(slab);
  return slab.bytes.length;
}
