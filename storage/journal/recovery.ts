/**
 * Reads a journal at start, cuts off a torn tail, and stops at anything that is worse.
 *
 * @module
 */

import type { Disk, DiskFile, LogLine } from "../../io/mod.ts";
import type { StoredGroup } from "../types.ts";
import { JournalDamaged } from "./damaged.ts";
import { ZERO_STEP_BYTES } from "./format.ts";
import type { GroupTrack } from "./group_track.ts";
import { isSpare, segmentName, sequenceOf } from "./names.ts";
import { entryKindOf } from "./records/entry.ts";
import { HARD_STATE_KIND } from "./records/hard_state.ts";
import { SNAPSHOT_MARK_KIND } from "./records/snapshot_mark.ts";
import type { RecordHeader } from "./record.ts";
import { type EntryVisitor, Replay } from "./replay.ts";
import { readSegmentHeader, type RecordVisitor, scanRest, walk } from "./scan.ts";
import { Segment } from "./segment.ts";
import { SEGMENT_HEADER_BYTES, type SegmentHeader } from "./segment_header.ts";
import { SegmentReader } from "./segment_reader.ts";

/** Where a journal lies. */
export interface JournalPlace {
  readonly disk: Disk;
  readonly directory: string;
  readonly journal: number;
  readonly log: LogLine;
}

/** A journal that was read. */
export interface Recovered {
  readonly groups: Map<number, StoredGroup>;
  readonly tracks: Map<number, GroupTrack>;
  /** Oldest first; only the last one's file is open. Empty: there was no journal. */
  readonly segments: Segment[];
}

interface OpenSegment {
  readonly segment: Segment;
  readonly header: SegmentHeader;
  readonly file: DiskFile;
}

/**
 * Reads everything back.
 * @throws JournalDamaged
 */
export async function recover(place: JournalPlace): Promise<Recovered> {
  const sequences = await findSegments(place);
  const opened: OpenSegment[] = [];
  try {
    for (const sequence of sequences) opened.push(await openSegment(place, sequence));
    const replay = new Replay();
    await foresee(opened, replay);
    for (let at = 0; at < opened.length - 1; at++) await readOlder(opened, at, replay);
    const newest = opened.at(-1);
    if (newest) await readNewest(place, newest, replay);
    const result = finish(opened, replay);
    for (const { segment, file } of opened) if (segment.file === undefined) file.close();
    return result;
  } catch (error) {
    for (const { file } of opened) file.close();
    throw error;
  }
}

/** Segments in order; what never came into use is removed. */
async function findSegments({ disk, directory, journal }: JournalPlace): Promise<number[]> {
  const sequences: number[] = [];
  for (const name of await disk.list(directory)) {
    const sequence = sequenceOf(journal, name);
    if (sequence !== undefined) sequences.push(sequence);
    if (isSpare(journal, name)) await disk.remove(`${directory}/${name}`);
  }
  sequences.sort((one, other) => one - other);
  for (const [at, sequence] of sequences.entries()) {
    const expected = (sequences[0] ?? 0) + at;
    if (sequence !== expected) {
      const path = `${directory}/${segmentName(journal, expected)}`;
      throw new JournalDamaged(path, 0, "the file is missing, and later ones are there");
    }
  }
  return sequences;
}

async function openSegment(place: JournalPlace, sequence: number): Promise<OpenSegment> {
  const { disk, directory, journal } = place;
  const path = `${directory}/${segmentName(journal, sequence)}`;
  const file = await disk.open(path, { create: false });
  try {
    const header = await readSegmentHeader(file, path, journal, sequence);
    const segment = new Segment(sequence, path, header.salt, await file.size());
    segment.placed = true;
    return { segment, header, file };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Learns the newest restatement first, so that entries which are covered cost no memory. */
async function foresee(opened: readonly OpenSegment[], replay: Replay): Promise<void> {
  const newest = opened.at(-1);
  if (newest === undefined) return;
  const { segment, header, file } = newest;
  const reader = new SegmentReader(file, segment.size);
  const end = Math.min(header.restatementEnd, segment.size);
  const visitor = {
    visit(record: RecordHeader): boolean {
      replay.foresee(record);
      return false;
    },
  };
  await walk(reader, SEGMENT_HEADER_BYTES, end, header.salt, visitor);
}

/** Every byte up to where the next segment says that this one ended must be whole. */
async function readOlder(opened: OpenSegment[], at: number, replay: Replay): Promise<void> {
  const [one, next] = [opened[at], opened[at + 1]];
  if (one === undefined || next === undefined) return;
  const { segment, header, file } = one;
  segment.end = next.header.previousEnd;
  const reader = new SegmentReader(file, segment.size);
  const limit = Math.min(segment.end, segment.size);
  const visitor = visitorOf(segment, replay);
  const { tail } = await walk(reader, SEGMENT_HEADER_BYTES, limit, header.salt, visitor);
  if (tail !== segment.end) {
    throw new JournalDamaged(
      segment.path,
      tail,
      `a record is not whole; they end at ${segment.end}`,
    );
  }
}

/**
 * The newest segment may have a torn tail, above what was synced. It is cut off by whole writes:
 * the next one begins where a write header says that a write ends.
 */
async function readNewest(place: JournalPlace, newest: OpenSegment, replay: Replay): Promise<void> {
  const { segment, header, file } = newest;
  const { path, size } = segment;
  const reader = new SegmentReader(file, size);
  const { tail, whole, synced } = await walk(reader, SEGMENT_HEADER_BYTES, size, header.salt, {
    visit: () => false,
  });
  const rest = await scanRest(file, whole, size, header.salt);
  const durable = Math.max(header.restatementEnd, synced, rest.synced);
  if (durable > tail) {
    const detail = `a record is not whole, below ${durable}, which was synced`;
    throw new JournalDamaged(path, tail, detail);
  }
  if (rest.to > 0) {
    place.log(
      `${path}: cut off a torn write at byte ${whole}; it was never reported as durable`,
      "warn",
    );
    await zero(file, rest.from, rest.to);
  }
  // What a killed process had written but not synced is found here, and will be relied upon. After
  // a sync that failed it may be in the page cache alone, and pass for clean there.
  await rewrite(file, durable, whole);
  await file.sync();
  await place.disk.syncDirectory(place.directory);
  await walk(reader, SEGMENT_HEADER_BYTES, whole, header.salt, visitorOf(segment, replay));
  segment.file = file;
  segment.writtenEnd = whole;
  segment.synced = whole;
}

/** Makes the system take a stretch for changed, so that the next sync writes it. */
async function rewrite(file: DiskFile, from: number, to: number): Promise<void> {
  const bytes = new Uint8Array(Math.max(0, Math.min(ZERO_STEP_BYTES, to - from)));
  for (let at = from; at < to; at += bytes.length) {
    const part = bytes.subarray(0, to - at);
    await file.read(part, at);
    await file.write(part, at);
  }
}

/** Nothing that was cut off may be taken for a record later. */
async function zero(file: DiskFile, from: number, to: number): Promise<void> {
  const zeros = new Uint8Array(Math.min(ZERO_STEP_BYTES, to - from));
  for (let at = from; at < to; at += zeros.length) {
    await file.write(zeros.subarray(0, to - at), at);
  }
}

function visitorOf({ path, sequence }: Segment, replay: Replay): RecordVisitor {
  return {
    visit(record, slab, start, position) {
      if (isKnown(record.kind)) return replay.take(record, slab, start, sequence, position);
      throw new Error(`${path}: holds a record of kind ${record.kind}, unknown to this program`);
    },
  };
}

function isKnown(kind: number): boolean {
  return kind === HARD_STATE_KIND || kind === SNAPSHOT_MARK_KIND || entryKindOf(kind) !== undefined;
}

/** Notes for every segment which groups need it, and for every group where its entries lie. */
function finish(opened: readonly OpenSegment[], replay: Replay): Recovered {
  const segments = opened.map(({ segment }) => segment);
  const first = segments[0];
  const newest = segments.at(-1);
  for (const segment of segments) {
    // Those before the newest were complete, and durable, before it began.
    if (segment !== newest) segment.synced = segment.writtenEnd = segment.end;
  }
  const pin: EntryVisitor = (track, sequence, index, bytes, position) => {
    const segment = segments[sequence - (first?.sequence ?? 0)];
    if (segment === undefined) return;
    track.places.place(segment, index, position, bytes);
    if (segment === newest) {
      track.segmentLast = index;
      track.segmentBytes += bytes;
      return;
    }
    const pinned = segment.pins.get(track.group);
    if (pinned === undefined) {
      segment.pins.set(track.group, { last: index, bytes });
    } else {
      pinned.last = index;
      pinned.bytes += bytes;
    }
  };
  return { ...replay.finish(first?.path ?? "", pin), segments };
}
