/**
 * Lets old segments go.
 *
 * A segment goes when no live entry lies in it: RaftSnapshots cover them, or later entries have
 * replaced them. What a few lagging groups still need of the oldest one is copied forward.
 * Segments go strictly from the oldest on, each durably before the next: replay depends on it.
 *
 * @module
 */

import type { Disk } from "../../io/mod.ts";
import { BackgroundLoop } from "./background_loop.ts";
import { JournalDamaged } from "./damaged.ts";
import {
  COPY_FORWARD_LIVE_DIVISOR,
  COPY_FORWARD_SEGMENTS_MIN,
  COPY_FORWARD_STEP_BYTES,
} from "./format.ts";
import type { GroupTrack } from "./group_track.ts";
import type { RecordHeader } from "./record.ts";
import { entryKindOf } from "./records/entry.ts";
import { type RecordVisitor, walk } from "./scan.ts";
import type { Segment } from "./segment.ts";
import { SEGMENT_HEADER_BYTES } from "./segment_header.ts";
import { SegmentReader } from "./segment_reader.ts";
import type { Slab } from "./slab.ts";

/** What retention needs of its journal. */
export interface RetentionOptions {
  readonly disk: Disk;
  readonly directory: string;
  /** Oldest first; the last one is being written to. */
  readonly segments: Segment[];
  readonly tracks: ReadonlyMap<number, GroupTrack>;
  /** Makes everything that was sealed so far durable. */
  settle(): Promise<void>;
  /** Seals a copy of an entry. */
  copy(record: RecordHeader, payload: Uint8Array): void;
  /** A segment goes now; it is no longer one of `segments`. */
  onGone(segment: Segment): void;
  onFailure(error: unknown): void;
}

/** Watches over the oldest segments of a journal. */
export class Retention {
  /** Segments removed and bytes copied, for the metrics. */
  removed = 0;
  copiedBytes = 0;
  readonly #loop: BackgroundLoop;

  constructor(readonly options: RetentionOptions) {
    this.#loop = new BackgroundLoop(() => this.#round(), (error) => options.onFailure(error));
  }

  /** Looks whether something can go; call it when a mark or a new segment was written. */
  kick(): void {
    this.#loop.kick();
  }

  /** Ends the work after the step at hand. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #round(): Promise<void> {
    const { disk, directory, segments, settle, onGone } = this.options;
    while (!this.#loop.stopped) {
      const gone = segments.slice(0, this.#removable());
      if (gone.length === 0) {
        if (await this.#copyOldest()) continue;
        return;
      }
      // What makes them superfluous may itself not be durable yet.
      await settle();
      for (const segment of gone) {
        if (this.#loop.stopped) return;
        segments.shift();
        onGone(segment);
        await disk.remove(segment.path);
        await disk.syncDirectory(directory);
        this.removed++;
      }
    }
  }

  #removable(): number {
    const { segments } = this.options;
    let count = 0;
    for (const segment of segments.slice(0, -1)) {
      if (this.#liveBytes(segment) > 0) break;
      count++;
    }
    return count;
  }

  /** Bytes of groups that need `segment`; an upper bound. */
  #liveBytes({ pins }: Segment): number {
    let bytes = 0;
    for (const [group, pin] of pins) {
      if (pin.last > (this.options.tracks.get(group)?.markIndex ?? 0)) bytes += pin.bytes;
    }
    return bytes;
  }

  /** Copies what is live in the oldest segment, where that is worth it; true when it was. */
  async #copyOldest(): Promise<boolean> {
    const { disk, segments, settle } = this.options;
    const oldest = segments[0];
    if (oldest === undefined || segments.length <= COPY_FORWARD_SEGMENTS_MIN) return false;
    if (this.#liveBytes(oldest) * COPY_FORWARD_LIVE_DIVISOR > oldest.size) return false;
    await settle();
    const file = await disk.open(oldest.path, { create: false });
    try {
      const reader = new SegmentReader(file, oldest.size);
      const copier = this.#copierOf(oldest);
      const { tail } = await walk(reader, SEGMENT_HEADER_BYTES, oldest.end, oldest.salt, copier);
      if (this.#loop.stopped) return false;
      if (tail !== oldest.end) {
        throw new JournalDamaged(oldest.path, tail, "a record is not whole");
      }
    } finally {
      file.close();
    }
    oldest.pins.clear();
    return true;
  }

  #copierOf({ pins }: Segment): RecordVisitor {
    const { tracks, copy, settle } = this.options;
    let stepBytes = 0;
    return {
      visit: (record: RecordHeader, slab: Slab, start: number): boolean => {
        const { group, index, term, kind, length } = record;
        const track = tracks.get(group);
        const pin = pins.get(group);
        if (track === undefined || pin === undefined || this.#loop.stopped) return false;
        if (entryKindOf(kind) === undefined || index <= track.markIndex || index > pin.last) {
          return false;
        }
        // The same index and term is the same entry (Log Matching, paper §5.3).
        if (track.termAt(index) !== term) return false;
        copy(record, slab.bytes.subarray(start, start + length));
        this.copiedBytes += length;
        stepBytes += length;
        return false;
      },
      pause(): Promise<void> | undefined {
        if (stepBytes < COPY_FORWARD_STEP_BYTES) return undefined;
        stepBytes = 0;
        return settle();
      },
    };
  }
}
