import type { Random } from "../../io/mod.ts";
import type {
  ReadableLog,
  RecordSpace,
  StoredEntry,
  StoredEntryKind,
  StoredGroup,
} from "../types.ts";
import { Batch } from "./batch.ts";
import {
  ALIGNMENT_BYTES,
  FIRST_SEGMENT_BYTES,
  SEGMENT_BYTES,
  SEGMENT_BYTES_MIN,
} from "./format.ts";
import { POINT_STRIDE_BYTES } from "./entry_index.ts";
import { GroupTrack } from "./group_track.ts";
import { segmentName } from "./names.ts";
import { RECORD_HEADER_BYTES, RECORD_PAYLOAD_BYTES_MAX, recordBytes } from "./record.ts";
import type { RecordHeader } from "./record.ts";
import { ENTRY_COPIED, entryKindId } from "./records/entry.ts";
import { encodeVote, HARD_STATE_KIND } from "./records/hard_state.ts";
import { SNAPSHOT_MARK_DISCARDS, SNAPSHOT_MARK_KIND } from "./records/snapshot_mark.ts";
import type { JournalOptions, JournalUsage } from "./options.ts";
import { ReadBack } from "./read_back.ts";
import { recover, type Recovered } from "./recovery.ts";
import { Retention } from "./retention.ts";
import { beginningOf, headerOf, restatementOf } from "./segment_beginning.ts";
import { SegmentMaker } from "./segment_maker.ts";
import { Segment } from "./segment.ts";
import { SegmentWriter } from "./segment_writer.ts";
import { WRITE_HEADER_BYTES } from "./write_header.ts";

/** An open journal; see the folder's text for the rules of use. */
export class Journal implements ReadableLog {
  readonly #options: JournalOptions;
  readonly #segmentBytes: number;
  readonly #tracks: Map<number, GroupTrack>;
  readonly #segments: Segment[];
  readonly #batch: Batch;
  readonly #writer: SegmentWriter;
  readonly #maker: SegmentMaker;
  readonly #retention: Retention;
  readonly #readBack: ReadBack;
  /** Headers of segments whose file is still being made. */
  readonly #headers = new Map<Segment, Uint8Array>();
  #ticket = 0;
  #batches = 0;
  /** Sum of the sizes of `#segments`. */
  #diskBytes = 0;
  /** Does the batch at hand hold a term or vote? */
  #holdsHardState = false;
  /** Does it hold a mark? */
  #holdsMark = false;
  #isOpen = false;
  #closed = false;

  /**
   * Reads a journal back and makes it ready for more; a first one is made.
   * @throws JournalDamaged when a record below the synced position is not whole
   * @throws DiskError
   */
  static async open(
    options: JournalOptions,
  ): Promise<{ journal: Journal; groups: Map<number, StoredGroup> }> {
    const { disk, directory, number, log } = options;
    await disk.makeDirectory(directory);
    const recovered = await recover({ disk, directory, journal: number, log });
    if (recovered.segments.length === 0 && options.mustExist) {
      throw new Error(`${directory}: journal ${number} is gone, and the data directory is not new`);
    }
    const journal = new Journal(options, recovered);
    try {
      // The write that this adds says that everything before it is synced.
      await journal.#settle();
    } catch (error) {
      await journal.#release();
      throw error;
    }
    journal.#isOpen = true;
    journal.#maker.prepare();
    journal.#retention.kick();
    return { journal, groups: recovered.groups };
  }

  private constructor(options: JournalOptions, { segments, tracks }: Recovered) {
    const { disk, directory, number: journal, segmentBytes = SEGMENT_BYTES } = options;
    this.#options = options;
    this.#segmentBytes = Math.max(SEGMENT_BYTES_MIN, segmentBytes & -ALIGNMENT_BYTES);
    this.#tracks = tracks;
    this.#segments = segments;
    const onFailure = (error: unknown) => this.#writer.fail(error);
    this.#writer = new SegmentWriter({
      disk,
      directory,
      sync: options.sync,
      clock: options.clock,
      onSync: options.onSync,
      onPlaced: (segment) => this.#placed(segment),
      onFailure: (error) => {
        if (this.#isOpen) options.onFatal?.(error);
      },
    });
    this.#maker = new SegmentMaker({
      disk,
      clock: options.clock,
      directory,
      journal,
      segmentBytes: this.#segmentBytes,
      filled: () => this.#batch.position / this.#batch.segment.size,
      onReady: (segment) => this.#equipped(segment),
      onFailure,
    });
    this.#retention = new Retention({
      disk,
      directory,
      segments,
      tracks,
      settle: () => this.#settle(),
      copy: (record, payload) => this.#copy(record, payload),
      onGone: (segment) => this.#gone(segment),
      onFailure,
    });
    this.#readBack = new ReadBack({ disk, sync: options.sync, tracks });
    for (const { size } of segments) this.#diskBytes += size;
    const newest = segments.at(-1);
    if (newest) {
      this.#batch = new Batch(newest, newest.writtenEnd);
    } else {
      this.#batch = new Batch(new Segment(0, "", 0, 0), 0);
      this.#beginSegment(0, Math.min(this.#segmentBytes, FIRST_SEGMENT_BYTES), 0);
    }
  }

  reserve(length: number): RecordSpace {
    return this.#batch.reserve(length) ?? this.#reserveInNext(length);
  }

  sealEntry(
    space: RecordSpace,
    group: number,
    index: number,
    term: number,
    kind: StoredEntryKind,
  ): void {
    const track = this.#track(group);
    if (index !== track.last + 1) this.#replaceFrom(track, index);
    const bytes = this.#batch.seal(space, group, entryKindId(kind), 0, index, term);
    track.append(index, term);
    track.segmentLast = index;
    track.segmentBytes += bytes;
    if (track.segmentBytes > track.nextPoint) this.#point(track, index, bytes);
  }

  putHardState(group: number, term: number, votedFor: string | undefined): void {
    this.#put(encodeVote(votedFor), group, HARD_STATE_KIND, 0, 0, term);
    const track = this.#track(group);
    track.term = term;
    track.votedFor = votedFor;
    this.#holdsHardState = true;
  }

  putSnapshotMark(group: number, index: number, term: number, replacesLog = false): void {
    const track = this.#track(group);
    if (index <= track.markIndex && !replacesLog) return;
    if (index < track.markIndex) {
      throw new Error(`invariant: group ${group} stands at ${track.markIndex}, not at ${index}`);
    }
    // First the room: a restatement on the way to it must not speak of what is not yet said.
    const space = this.reserve(0);
    const discards = track.mark(index, term, replacesLog);
    if (discards) this.#cutPins(group, index);
    const flags = discards ? SNAPSHOT_MARK_DISCARDS : 0;
    this.#batch.seal(space, group, SNAPSHOT_MARK_KIND, flags, index, term);
    this.#holdsMark = true;
  }

  flush(): Promise<void> | undefined {
    if (this.#closed) return Promise.reject(new Error("the journal is closed"));
    const mustSync = this.#holdsHardState;
    const flushed = this.#flush(mustSync);
    if (this.#holdsMark) {
      this.#holdsMark = false;
      this.#retention.kick();
    }
    return flushed;
  }

  readEntries(
    group: number,
    from: number,
    through: number,
    bytesMax: number,
  ): Promise<readonly StoredEntry[] | undefined> {
    return this.#readBack.read(group, from, through, bytesMax);
  }

  /** Looks for segments that can go; it does so by itself after marks and new segments. */
  retire(): void {
    this.#retention.kick();
  }

  /** What the journal holds and has done. */
  usage(): JournalUsage {
    const segments = this.#segments;
    return {
      segments: segments.length,
      diskBytes: this.#diskBytes,
      oldestSegment: segments[0]?.sequence ?? 0,
      newestSegment: segments.at(-1)?.sequence ?? 0,
      segmentsRemoved: this.#retention.removed,
      batches: this.#batches,
      syncs: this.#writer.syncs,
      bytesWritten: this.#writer.bytes,
      bytesCopiedForward: this.#retention.copiedBytes,
    };
  }

  /**
   * Makes everything durable and ends the work in the background.
   * @throws the error of a write or sync that failed, now or earlier
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#retention.stop();
      await this.#settle();
      // Says that the last batch is synced, so that rot in it can't pass for a torn write.
      await this.#settle();
    } finally {
      await this.#release();
    }
  }

  async #release(): Promise<void> {
    this.#closed = true;
    await this.#retention.stop();
    await this.#readBack.stop();
    try {
      await this.#maker.close();
    } finally {
      for (const segment of this.#segments) segment.file?.close();
    }
  }

  /** A write of its own even when there is nothing to say, synced whatever `sync` says. */
  async #settle(): Promise<void> {
    if (!this.#batch.begin(0)) {
      this.#rotate(0);
      this.#batch.begin(0);
    }
    await this.#flush(true);
  }

  #flush(mustSync: boolean): Promise<void> | undefined {
    const part = this.#batch.end();
    if (part) {
      part.ticket = ++this.#ticket;
      this.#batches++;
      this.#holdsHardState = false;
      this.#writer.write(part);
    }
    return this.#writer.wait(this.#ticket, mustSync);
  }

  #reserveInNext(length: number): RecordSpace {
    if (length > RECORD_PAYLOAD_BYTES_MAX) {
      throw new RangeError(`a record holds at most ${RECORD_PAYLOAD_BYTES_MAX} bytes`);
    }
    this.#rotate(recordBytes(length));
    const space = this.#batch.reserve(length);
    if (space === undefined) throw new Error("invariant: a new segment has room for one record");
    return space;
  }

  #put(
    payload: Uint8Array,
    group: number,
    kind: number,
    flags: number,
    index: number,
    term: number,
  ): number {
    const space = this.reserve(payload.length);
    space.slab.bytes.set(payload, space.start);
    return this.#batch.seal(space, group, kind, flags, index, term);
  }

  /** Keeps the position of the entry just sealed. */
  #point(track: GroupTrack, index: number, bytes: number): void {
    track.nextPoint = track.segmentBytes + POINT_STRIDE_BYTES;
    track.places.note(this.#batch.segment, index, this.#batch.position - bytes);
  }

  #copy({ group, kind, index, term }: RecordHeader, payload: Uint8Array): void {
    const bytes = this.#put(payload, group, kind, ENTRY_COPIED, index, term);
    const track = this.#track(group);
    track.places.place(this.#batch.segment, index, this.#batch.position - bytes, bytes);
    track.segmentLast = Math.max(track.segmentLast, index);
    track.segmentBytes += bytes;
  }

  #replaceFrom(track: GroupTrack, index: number): void {
    if (index > track.last || index <= track.markIndex) {
      const { group, markIndex, last } = track;
      throw new Error(
        `invariant: group ${group} goes on from ${markIndex}..${last}, not at ${index}`,
      );
    }
    track.truncate(index);
    this.#cutPins(track.group, index - 1);
  }

  /** Entries of `group` after `last` are no longer live. */
  #cutPins(group: number, last: number): void {
    for (const { pins } of this.#segments) {
      const pin = pins.get(group);
      if (pin && pin.last > last) pin.last = last;
    }
  }

  #rotate(need: number): void {
    const { segment, position } = this.#batch;
    const part = this.#batch.end();
    if (part) this.#writer.write(part);
    segment.end = this.#batch.position;
    for (const track of this.#tracks.values()) {
      if (track.segmentLast > 0) {
        segment.pins.set(track.group, { last: track.segmentLast, bytes: track.segmentBytes });
      }
      track.segmentLast = 0;
      track.segmentBytes = 0;
      track.nextPoint = 0;
      track.places.endSegment(track.last, position);
    }
    this.#beginSegment(position, this.#segmentBytes, need);
  }

  #beginSegment(previousEnd: number, size: number, need: number): void {
    const { random, directory, number } = this.#options;
    const beginning = beginningOf(this.#tracks.values());
    const sequence = this.#batch.segment.sequence + 1;
    const path = `${directory}/${segmentName(number, sequence)}`;
    const least = beginning.length + WRITE_HEADER_BYTES + Math.max(need, RECORD_HEADER_BYTES);
    const segment = new Segment(sequence, path, saltFrom(random), Math.max(size, least));
    this.#segments.push(segment);
    this.#diskBytes += segment.size;
    this.#headers.set(segment, headerOf(segment, beginning, number, previousEnd));
    this.#maker.equip(segment);
    if (segment.file) this.#equipped(segment);
    this.#writer.write(restatementOf(segment, beginning));
    this.#batch.moveTo(segment, beginning.length);
  }

  #equipped(segment: Segment): void {
    const header = this.#headers.get(segment);
    this.#headers.delete(segment);
    if (header) this.#writer.writeHeader(segment, header);
    this.#writer.drain();
  }

  #placed(segment: Segment): void {
    for (const older of this.#segments) {
      if (older === segment) break;
      older.file?.close();
      older.file = undefined;
    }
    this.#retention.kick();
  }

  #gone(segment: Segment): void {
    this.#diskBytes -= segment.size;
    for (const { places } of this.#tracks.values()) places.release(segment);
  }

  #track(group: number): GroupTrack {
    let track = this.#tracks.get(group);
    if (track === undefined) this.#tracks.set(group, track = new GroupTrack(group));
    return track;
  }
}

function saltFrom(random: Random): number {
  const bytes = random.bytes(4);
  // Never 0: a checksum seeded with nothing is one that anybody can compute.
  return (new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) | 1) >>> 0;
}
