/**
 * A group's state as a row of items: what exports are made of, and what hashes run over.
 *
 * An item is a record (an array that begins with its kind) or a piece of raw bytes. A stream's
 * record is followed by its producers, then by its own chunks: a row of lengths, or the length and
 * message ends of one batch, each followed by the bytes. What a fork inherits is named, not
 * repeated: its source stands before it. A stream's ranges in objects stand before its chunks.
 *
 * @module
 */

import { ColdRanges } from "./cold_ranges.ts";
import { type FrozenStream } from "./frozen.ts";
import type { StreamLog } from "./log.ts";
import type { Objects } from "./objects.ts";
import type { PinnedRange } from "./pinned.ts";
import type { Producers } from "./producers.ts";
import type { RareParts } from "./stream.ts";
import type { Tables } from "./tables.ts";

/** Version of the whole layout. */
export const EXPORT_VERSION = 2;

/** Version of exports without objects, which programs before this one read as well. */
export const EXPORT_VERSION_HOT = 1;

/** Begins every export. */
export const EXPORT_MAGIC = "ursula-group";

/** Largest piece of raw bytes, in bytes. */
export const RAW_BYTES_MAX = 64 * 1024;

/** Chunks whose lengths one record names, and producers that one record holds. */
const CHUNKS_PER_RECORD = 512;
const PRODUCERS_PER_RECORD = 64;

/** Objects, ranges and numbers that one record holds. */
const OBJECTS_PER_RECORD = 512;
const RANGES_PER_RECORD = 512;
const NUMBERS_PER_RECORD = 4096;

/** Kinds of records; the numbers are part of the layout. */
export const RecordKind = {
  head: 0,
  bucket: 1,
  tombstone: 2,
  path: 3,
  errand: 4,
  stream: 5,
  producers: 6,
  chunks: 7,
  batch: 8,
  end: 9,
  condemned: 10,
  objects: 11,
  cold: 12,
  pinned: 13,
  staged: 14,
} as const;

/** A record or raw bytes; the latter are views that hold until the next `apply`. */
export type Item = readonly unknown[] | Uint8Array;

/** The tables but for the streams: small, and taken at once. */
export function tableItems(tables: Tables): Item[] {
  const { group, formation, index, stampMs, buckets, paths } = tables;
  const objects = objectItems(tables.objects);
  const version = objects.length === 0 ? EXPORT_VERSION_HOT : EXPORT_VERSION;
  const items: Item[] = [
    [RecordKind.head, EXPORT_MAGIC, version, group, formation, index, stampMs],
    ...objects,
  ];
  for (const { id, phase, version, intent } of buckets.records()) {
    const action = intent === undefined ? null : intent.action;
    items.push([RecordKind.bucket, id, phase, version, action, intent?.version ?? 0]);
  }
  for (const [id, { version, stampMs }] of buckets.tombstones()) {
    items.push([RecordKind.tombstone, id, version, stampMs]);
  }
  for (const { key, target, token, deadlineMs, linked } of paths.entries()) {
    items.push([RecordKind.path, key, target, token, deadlineMs, linked]);
  }
  for (const { key, home, token } of paths.errands()) {
    items.push([RecordKind.errand, key, home, token]);
  }
  return items;
}

function objectItems(objects: Objects): Item[] {
  const items: Item[] = [];
  const numbers = [...objects.condemned];
  for (let i = 0; i < numbers.length || (i === 0 && objects.watermark > 1);) {
    const part = numbers.slice(i, i + NUMBERS_PER_RECORD);
    items.push([RecordKind.condemned, objects.watermark, ...part]);
    i += NUMBERS_PER_RECORD;
  }
  let record: unknown[] = [RecordKind.objects];
  for (const { number, term, length, unreferencedMs } of objects.all()) {
    record.push(number, term, length, unreferencedMs ?? null);
    if (record.length > 4 * OBJECTS_PER_RECORD) {
      items.push(record);
      record = [RecordKind.objects];
    }
  }
  if (record.length > 1) items.push(record);
  for (const { number, staged, unreferencedMs } of objects.all()) {
    if (staged !== undefined) {
      items.push([RecordKind.staged, number, staged, unreferencedMs ?? null]);
    }
  }
  return items;
}

/** A pinned range, with its bytes. Not part of what hashes run over. */
export function* pinnedItems({ number, at, log }: PinnedRange): Generator<Item, void, void> {
  yield [RecordKind.pinned, number, at, log.start];
  yield* chunkItems(log, log.chunks);
}

/** One stream, with its own bytes. */
export function* streamItems(frozen: FrozenStream): Generator<Item, void, void> {
  const { stream, rare, log, chunks } = frozen;
  yield [
    RecordKind.stream,
    stream.key,
    stream.index,
    stream.type.text,
    frozen.closed,
    frozen.softDeleted,
    frozen.tail,
    stream.createdAtMs,
    frozen.lastWriteAtMs,
    rare === undefined ? null : rareFields(rare),
  ];
  if (rare?.producers !== undefined) yield* producerItems(rare.producers);
  if (log === undefined) return;
  yield* coldItems(log);
  yield* chunkItems(log, chunks);
}

/** Null where all is as in a stream without rare parts: what only counts forks is derived. */
function rareFields(rare: Readonly<RareParts>): unknown[] | null {
  const { closedBy, fork, link, snapshot } = rare;
  const plain = rare.ttlSeconds === undefined && rare.expiresAtMs === undefined &&
    rare.lastStreamSeq === undefined && rare.earliest === 0 && closedBy === undefined &&
    link === undefined && fork === undefined && snapshot === undefined;
  if (plain) return null;
  const fields: unknown[] = [
    rare.ttlSeconds ?? null,
    rare.expiresAtMs ?? null,
    rare.touchedMs,
    rare.lastStreamSeq ?? null,
    rare.earliest,
    closedBy === undefined ? null : [closedBy.id, closedBy.epoch, closedBy.seq],
    link === undefined ? null : [link.home, link.token],
    fork === undefined ? null : [
      fork.source.key,
      fork.anchor,
      fork.anchorAsked,
      fork.subOffset,
      fork.lifetimeInherited,
      fork.inheritedBytes,
    ],
  ];
  if (snapshot !== undefined) {
    const { offset, contentType, number, length, digest } = snapshot;
    fields.push([offset, contentType, number, length, digest]);
  }
  return fields;
}

function* producerItems(producers: Producers): Generator<Item, void, void> {
  let record: unknown[] = [RecordKind.producers];
  for (const [id, { epoch, seq, usedMs }] of producers) {
    record.push(id, epoch, seq, usedMs);
    if (record.length > 4 * PRODUCERS_PER_RECORD) {
      yield record;
      record = [RecordKind.producers];
    }
  }
  if (record.length > 1) yield record;
}

/** The ranges, in records that begin with where the chunks do. */
function* coldItems(log: StreamLog): Generator<Item, void, void> {
  const { start, inherited } = log;
  const cold = log.cold ?? new ColdRanges();
  if (cold.count === 0 && start === inherited) return;
  let record: unknown[] = [RecordKind.cold, start];
  for (let i = 0; i < cold.count; i++) {
    const { from, to, number, at, rowBytes } = cold.range(i);
    record.push(from, to, number, at, rowBytes);
    if (record.length > 5 * RANGES_PER_RECORD) {
      yield record;
      record = [RecordKind.cold, start];
    }
  }
  if (record.length > 2 || cold.count === 0) yield record;
}

function* chunkItems(log: StreamLog, to: number): Generator<Item, void, void> {
  let i = 0;
  while (i < to) {
    const ends = log.endsOf(i);
    if (ends !== undefined) {
      yield [RecordKind.batch, log.endOf(i) - log.startOf(i), ends.length];
      // Little-endian, as every machine that Deno runs on.
      yield* rawItems(new Uint8Array(ends.buffer, ends.byteOffset, ends.byteLength));
      yield* chunkBytes(log, i);
      i++;
      continue;
    }
    const record: unknown[] = [RecordKind.chunks];
    let last = i;
    while (last < to && record.length <= CHUNKS_PER_RECORD && log.endCount(last) === 0) {
      record.push(log.endOf(last) - log.startOf(last));
      last++;
    }
    yield record;
    for (; i < last; i++) yield* chunkBytes(log, i);
  }
}

function chunkBytes(log: StreamLog, i: number): Generator<Item, void, void> {
  const position = log.positionOf(i);
  const length = log.endOf(i) - log.startOf(i);
  return rawItems(log.slabOf(i).bytes.subarray(position, position + length));
}

function* rawItems(bytes: Uint8Array): Generator<Item, void, void> {
  for (let at = 0; at < bytes.length; at += RAW_BYTES_MAX) {
    yield bytes.subarray(at, at + RAW_BYTES_MAX);
  }
}
