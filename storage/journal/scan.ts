/**
 * Walks the writes of one segment and judges what is not whole.
 *
 * @module
 */

import type { DiskFile } from "../../io/mod.ts";
import { JournalDamaged } from "./damaged.ts";
import { ALIGNMENT_BYTES, FORMAT_VERSION } from "./format.ts";
import { claimedLength, openRecord, RECORD_HEADER_BYTES, recordBytes } from "./record.ts";
import type { RecordHeader } from "./record.ts";
import { openSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from "./segment_header.ts";
import { SegmentReader } from "./segment_reader.ts";
import type { Slab } from "./slab.ts";
import { openWriteHeader, WRITE_HEADER_BYTES } from "./write_header.ts";

/** Who is shown the records of a {@linkcode walk}. */
export interface RecordVisitor {
  /**
   * Hears of a record; `start` is where its payload begins in the slab, `position` where the record
   * begins in the file. True: it keeps a view of the slab.
   */
  visit(record: RecordHeader, slab: Slab, start: number, position: number): boolean;
  /** Asked after every record: what the walk has to wait for before it goes on. */
  pause?(): Promise<void> | undefined;
}

/** What a walk found. */
export interface Walk {
  /** Where the whole records end. */
  readonly tail: number;
  /** Where the whole writes end: `tail`, or the beginning of the write in which that lies. */
  readonly whole: number;
  /** Highest position that a write said was synced. */
  readonly synced: number;
}

/** Reads and checks the header of segment `sequence`. */
export async function readSegmentHeader(
  file: DiskFile,
  path: string,
  journal: number,
  sequence: number,
): Promise<SegmentHeader> {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const count = await file.read(bytes, 0);
  const header = count === bytes.length ? openSegmentHeader(bytes) : undefined;
  if (header === undefined) throw new JournalDamaged(path, 0, "the segment header is not whole");
  if (header.version !== FORMAT_VERSION) {
    throw new Error(
      `${path}: has format version ${header.version}; this program reads ${FORMAT_VERSION}`,
    );
  }
  if (header.journal !== journal || header.sequence !== sequence) {
    const found = `segment ${header.sequence} of journal ${header.journal}`;
    throw new JournalDamaged(path, 0, `holds ${found}, not ${sequence} of ${journal}`);
  }
  return header;
}

/**
 * Visits the records from `from` to `limit` (or to the first that is not whole).
 * @param salt the segment's
 */
export async function walk(
  reader: SegmentReader,
  from: number,
  limit: number,
  salt: number,
  visitor: RecordVisitor,
): Promise<Walk> {
  let position = from;
  let whole = from;
  let synced = 0;
  while (position + WRITE_HEADER_BYTES <= limit) {
    const at = reader.find(position, WRITE_HEADER_BYTES) ??
      await reader.load(position, WRITE_HEADER_BYTES);
    const { slab } = reader;
    const header = openWriteHeader(slab.bytes, slab.view, at, salt, position);
    const end = position + (header?.length ?? 0);
    if (header === undefined || end > limit || header.length < WRITE_HEADER_BYTES) break;
    synced = Math.max(synced, header.synced);
    position = await walkRecords(reader, position + WRITE_HEADER_BYTES, end, salt, visitor);
    if (position < end) break;
    whole = position;
  }
  return { tail: position, whole, synced };
}

async function walkRecords(
  reader: SegmentReader,
  from: number,
  end: number,
  salt: number,
  visitor: RecordVisitor,
): Promise<number> {
  let position = from;
  while (position + RECORD_HEADER_BYTES <= end) {
    let at = reader.find(position, RECORD_HEADER_BYTES) ??
      await reader.load(position, RECORD_HEADER_BYTES);
    const size = recordBytes(claimedLength(reader.slab.view, at));
    // Before anything is allocated for it: a length that is not whole can be any number.
    if (size < RECORD_HEADER_BYTES || position + size > end) break;
    at = reader.find(position, size) ?? await reader.load(position, size);
    const { slab } = reader;
    const record = openRecord(slab.bytes, slab.view, at, salt);
    if (record === undefined) break;
    if (visitor.visit(record, slab, at + RECORD_HEADER_BYTES, position)) reader.keep();
    position += size;
    const pause = visitor.pause?.();
    if (pause) await pause;
  }
  return position;
}

/** What lies after the last whole record of the newest segment. */
export interface Rest {
  /** Highest position that a write header in it says was synced. */
  readonly synced: number;
  /** First and one past the last byte that is not zero; both 0 when all are. */
  readonly from: number;
  readonly to: number;
}

/** Looks through everything from `tail` on for write headers, and for bytes that were written. */
export async function scanRest(
  file: DiskFile,
  tail: number,
  size: number,
  salt: number,
): Promise<Rest> {
  const reader = new SegmentReader(file, size);
  let synced = 0;
  let from = 0;
  let to = 0;
  for (let position = tail; position < size; position += ALIGNMENT_BYTES) {
    const length = Math.min(ALIGNMENT_BYTES, size - position);
    const at = reader.find(position, length) ?? await reader.load(position, length);
    if (isZero(reader.slab, at, length)) continue;
    if (to === 0) from = position;
    to = position + length;
    if (position + WRITE_HEADER_BYTES > size) continue;
    const start = reader.find(position, WRITE_HEADER_BYTES) ??
      await reader.load(position, WRITE_HEADER_BYTES);
    const { slab } = reader;
    const header = openWriteHeader(slab.bytes, slab.view, start, salt, position);
    if (header) synced = Math.max(synced, header.synced);
  }
  return { synced, from, to };
}

function isZero({ bytes, view }: Slab, at: number, length: number): boolean {
  if (length === ALIGNMENT_BYTES) return (view.getUint32(at) | view.getUint32(at + 4)) === 0;
  return bytes.subarray(at, at + length).every((byte) => byte === 0);
}
