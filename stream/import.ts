/**
 * Building a state from the pieces of an export.
 *
 * @module
 */

import { decodeCbor } from "./cbor_library.ts";
import { deadlineOf } from "./deadlines.ts";
import { ITEM_HEADER_BYTES, TAG_RAW, TAG_RECORD } from "./export.ts";
import { EXPORT_MAGIC, EXPORT_VERSION, EXPORT_VERSION_HOT, RecordKind } from "./items.ts";
import { StreamLog } from "./log.ts";
import type { PinnedRange } from "./pinned.ts";
import { type SlabAllocator, SlabFiller } from "./slab.ts";
import { rareOf, RareParts, type Stream } from "./stream.ts";
import { Tables } from "./tables.ts";
import type { BucketPhase } from "./types.ts";

/** Largest item that is taken, in bytes; an export writes far smaller ones. */
const ITEM_BYTES_MAX = 4 * 1024 * 1024;

/** Largest single append that is taken, in bytes. */
const CHUNK_BYTES_MAX = 1024 * 1024 * 1024;

/** What the importing side knows. */
export interface ImportOptions {
  /** The state must be of this group and formation. */
  readonly group: number;
  readonly formation: string;
  /** See `GroupState`. */
  readonly pinsFlushed?: boolean;
  /** Where the bytes go. */
  readonly allocate: SlabAllocator;
}

/** Builds the tables, item by item; holds no more than one item beside them. */
export async function importTables(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: ImportOptions,
): Promise<Tables> {
  const builder = new Builder(options);
  let rest: Uint8Array = new Uint8Array(0);
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : join(rest, chunk);
    const used = takeItems(bytes, builder);
    rest = bytes.slice(used);
  }
  if (rest.length > 0) throw damaged("ends within an item");
  return builder.finish();
}

/** Feeds the whole items at the beginning of `bytes`; answers how many bytes they take. */
function takeItems(bytes: Uint8Array, builder: Builder): number {
  let at = 0;
  while (bytes.length - at >= ITEM_HEADER_BYTES) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, ITEM_HEADER_BYTES);
    const tag = view.getUint8(0), length = view.getUint32(1);
    if (length > ITEM_BYTES_MAX) throw damaged(`an item of ${length} bytes`);
    const from = at + ITEM_HEADER_BYTES;
    if (from + length > bytes.length) break;
    const content = bytes.subarray(from, from + length);
    if (tag === TAG_RAW) builder.raw(content);
    else if (tag === TAG_RECORD) builder.record(content);
    else throw damaged(`an item of kind ${tag}`);
    at = from + length;
  }
  return at;
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

function damaged(what: string): Error {
  return new Error(`group state can't be read: ${what}`);
}

/** Reads a record's fields one after another, checking the type of each. */
class Fields {
  #at = 0;

  constructor(private readonly values: unknown[]) {}

  get left(): number {
    return this.values.length - this.#at;
  }

  number(): number {
    const value = this.values[this.#at++];
    if (typeof value !== "number") throw damaged("a number is missing");
    return value;
  }

  text(): string {
    const value = this.values[this.#at++];
    if (typeof value !== "string") throw damaged("a text is missing");
    return value;
  }

  flag(): boolean {
    return this.values[this.#at++] === true;
  }

  /** All that is left. */
  numbers(): number[] {
    const numbers: number[] = [];
    while (this.left > 0) numbers.push(this.number());
    return numbers;
  }

  /** Undefined where the field is null. */
  optional<T>(read: (fields: Fields) => T): T | undefined {
    if (this.values[this.#at] === null) {
      this.#at++;
      return undefined;
    }
    return read(this);
  }

  /** The fields of a nested array; undefined where the field is null. */
  nested(): Fields | undefined {
    const value = this.values[this.#at++];
    if (value === null) return undefined;
    if (!Array.isArray(value)) throw damaged("a list is missing");
    return new Fields(value);
  }
}

class Builder {
  readonly #filler: SlabFiller;
  readonly #options: ImportOptions;
  #tables: Tables | undefined;
  #stream: Stream | undefined;
  #pinned: PinnedRange | undefined;
  /** The tail that the stream's record names. */
  #tail = 0;
  /** Memory that the next raw bytes go to, in order. */
  #targets: Uint8Array[] = [];
  #target = 0;
  #filled = 0;
  #items = 0;
  #ended = false;

  constructor(options: ImportOptions) {
    this.#options = options;
    this.#filler = new SlabFiller(options.allocate);
  }

  finish(): Tables {
    if (!this.#ended || this.#tables === undefined) throw damaged("its end is missing");
    return this.#tables;
  }

  raw(bytes: Uint8Array): void {
    this.#items++;
    let at = 0;
    while (at < bytes.length) {
      const target = this.#targets[this.#target];
      if (target === undefined) throw damaged("more bytes than announced");
      const part = Math.min(target.length - this.#filled, bytes.length - at);
      target.set(bytes.subarray(at, at + part), this.#filled);
      at += part;
      this.#filled += part;
      if (this.#filled === target.length) {
        this.#target++;
        this.#filled = 0;
      }
    }
  }

  record(content: Uint8Array): void {
    if (this.#ended) throw damaged("more after its end");
    if (this.#target < this.#targets.length) throw damaged("fewer bytes than announced");
    this.#targets = [];
    this.#target = 0;
    const value = decodeCbor(content);
    if (!Array.isArray(value)) throw damaged("a record is no list");
    const fields = new Fields(value);
    const kind = fields.number();
    if (kind === RecordKind.head) this.#head(fields);
    else if (this.#tables === undefined) throw damaged("its head is missing");
    else this.#dispatch(this.#tables, kind, fields);
    this.#items++;
  }

  #dispatch(tables: Tables, kind: number, fields: Fields): void {
    switch (kind) {
      case RecordKind.bucket:
        return readBucket(tables, fields);
      case RecordKind.tombstone:
        return tables.buckets.bury(fields.text(), {
          version: fields.number(),
          stampMs: fields.number(),
        });
      case RecordKind.path:
        return tables.paths.add({
          key: fields.text(),
          target: fields.number(),
          token: fields.number(),
          deadlineMs: fields.number(),
          linked: fields.flag(),
        });
      case RecordKind.errand:
        return tables.paths.addErrand({
          key: fields.text(),
          home: fields.number(),
          token: fields.number(),
        });
      case RecordKind.condemned:
        return tables.objects.condemn(fields.number(), fields.numbers());
      case RecordKind.objects:
        return readObjects(tables, fields);
      case RecordKind.staged:
        return readStaged(tables, fields);
      case RecordKind.pinned:
        this.#endPinned(tables);
        this.#pinned = {
          number: fields.number(),
          at: fields.number(),
          log: StreamLog.from(fields.number()),
        };
        return;
      case RecordKind.cold:
        return readRanges(tables, this.#current(), fields);
      case RecordKind.stream:
        this.#endPinned(tables);
        this.#checkTail();
        return this.#readStream(tables, fields);
      case RecordKind.producers:
        return readProducers(this.#current(), fields);
      case RecordKind.chunks:
        while (fields.left > 0) this.#chunk(tables, fields.number(), undefined);
        return;
      case RecordKind.batch:
        return this.#batch(tables, fields.number(), fields.number());
      case RecordKind.end:
        this.#endPinned(tables);
        this.#checkTail();
        if (fields.number() !== this.#items) throw damaged("an item is missing");
        this.#ended = true;
        return;
      default:
        throw damaged(`a record of kind ${kind}`);
    }
  }

  #head(fields: Fields): void {
    if (this.#tables !== undefined) throw damaged("a second head");
    if (fields.text() !== EXPORT_MAGIC) throw damaged("it is none");
    const version = fields.number();
    if (version < EXPORT_VERSION_HOT || version > EXPORT_VERSION) {
      const readable = `${EXPORT_VERSION_HOT} to ${EXPORT_VERSION}`;
      throw damaged(`version ${version}; this program reads ${readable}`);
    }
    const group = fields.number(), formation = fields.text();
    if (group !== this.#options.group || formation !== this.#options.formation) {
      throw damaged(
        `it is of group ${group}, formation ${formation}; wanted are group ` +
          `${this.#options.group}, formation ${this.#options.formation}`,
      );
    }
    this.#tables = new Tables(group, formation, this.#options.pinsFlushed);
    this.#tables.index = fields.number();
    this.#tables.stampMs = fields.number();
  }

  /** A pinned range is counted when it is whole. */
  #endPinned(tables: Tables): void {
    const range = this.#pinned;
    this.#pinned = undefined;
    if (range !== undefined) tables.pin(range.number, range.at, range.log);
  }

  #current(): Stream {
    if (this.#stream === undefined) throw damaged("a stream is missing");
    return this.#stream;
  }

  #checkTail(): void {
    if (this.#stream !== undefined && this.#stream.tail !== this.#tail) {
      throw damaged("a stream's bytes do not reach to its tail");
    }
  }

  #readStream(tables: Tables, fields: Fields): void {
    const key = fields.text(), index = fields.number(), type = fields.text();
    const closed = fields.flag(), softDeleted = fields.flag();
    this.#tail = fields.number();
    const createdAtMs = fields.number(), lastWriteAtMs = fields.number();
    const bucket = tables.buckets.of(key);
    if (bucket === undefined || tables.streams.has(key)) throw damaged("a stream out of place");
    const stream = tables.addStream(key, bucket, index, type, createdAtMs);
    stream.lastWriteAtMs = lastWriteAtMs;
    stream.closed = closed;
    stream.softDeleted = softDeleted;
    if (softDeleted) bucket.softDeleted++;
    const rare = fields.nested();
    if (rare !== undefined) readRare(tables, stream, rare);
    if (!softDeleted && deadlineOf(stream.rare) < Infinity) tables.deadlines.add(stream);
    this.#stream = stream;
  }

  #chunk(tables: Tables, length: number, ends: Uint32Array | undefined): void {
    if (!(length > 0 && length <= CHUNK_BYTES_MAX)) throw damaged(`an append of ${length} bytes`);
    const data = this.#filler.reserve(length);
    if (this.#pinned === undefined) tables.addBytes(this.#current(), { data }, ends);
    else this.#pinned.log.push(data.slab, data.start, length, ends);
    this.#targets.push(data.slab.bytes.subarray(data.start, data.end));
  }

  #batch(tables: Tables, length: number, count: number): void {
    if (!(count > 1 && count <= length)) throw damaged(`${count} messages in ${length} bytes`);
    if (length > CHUNK_BYTES_MAX) throw damaged(`an append of ${length} bytes`);
    const ends = new Uint32Array(count);
    this.#targets.push(new Uint8Array(ends.buffer));
    this.#chunk(tables, length, ends);
  }
}

function readBucket(tables: Tables, fields: Fields): void {
  const bucket = tables.buckets.obtain(fields.text());
  bucket.phase = fields.text() as BucketPhase;
  bucket.version = fields.number();
  const action = fields.optional((field) => field.text() as "create" | "delete");
  const version = fields.number();
  if (action !== undefined) bucket.intent = { action, version };
}

function readRare(tables: Tables, stream: Stream, fields: Fields): void {
  const rare = stream.rare = new RareParts();
  rare.ttlSeconds = fields.optional((field) => field.number());
  rare.expiresAtMs = fields.optional((field) => field.number());
  rare.touchedMs = fields.number();
  rare.lastStreamSeq = fields.optional((field) => field.text());
  rare.earliest = fields.number();
  const by = fields.nested();
  if (by !== undefined) {
    rare.closedBy = { id: by.text(), epoch: by.number(), seq: by.number() };
  }
  const link = fields.nested();
  if (link !== undefined) rare.link = { home: link.number(), token: link.number() };
  const fork = fields.nested();
  if (fork !== undefined) readFork(tables, stream, fork);
  const snapshot = fields.left > 0 ? fields.nested() : undefined;
  if (snapshot === undefined) return;
  const offset = snapshot.number(), contentType = snapshot.text();
  const number = snapshot.number(), length = snapshot.number();
  const object = tables.objects.get(number);
  if (object?.length !== length) throw damaged("a snapshot without its object");
  const { term } = object;
  tables.setSnapshot(stream, {
    offset,
    contentType,
    number,
    term,
    length,
    digest: snapshot.text(),
  });
}

function readFork(tables: Tables, stream: Stream, fields: Fields): void {
  const source = tables.streams.get(fields.text());
  if (source === undefined || source === stream) throw damaged("a fork without its source");
  const anchor = fields.number(), anchorAsked = fields.flag();
  const subOffset = fields.number(), lifetimeInherited = fields.flag();
  const inheritedBytes = fields.number();
  if (inheritedBytes > source.tail) throw damaged("a fork longer than its source");
  rareOf(source).forks++;
  rareOf(stream).fork = {
    source,
    anchor,
    anchorAsked,
    subOffset,
    lifetimeInherited,
    inheritedBytes,
  };
  if (inheritedBytes === 0 || source.log === undefined) return;
  stream.log = StreamLog.inheriting(source.log, inheritedBytes);
  stream.tail = inheritedBytes;
}

function readObjects(tables: Tables, fields: Fields): void {
  while (fields.left > 0) {
    const number = fields.number(), term = fields.number(), length = fields.number();
    const unreferencedMs = fields.optional((field) => field.number());
    tables.objects.add({ number, term, length }, unreferencedMs);
  }
}

function readStaged(tables: Tables, fields: Fields): void {
  const number = fields.number(), staged = fields.number();
  tables.objects.stage(number, staged, fields.optional((field) => field.number()) ?? 0);
}

/** Ranges of a stream whose chunks begin at the record's first number. */
function readRanges(tables: Tables, stream: Stream, fields: Fields): void {
  const start = fields.number();
  while (fields.left > 0) {
    const from = fields.number(), to = fields.number(), number = fields.number();
    const at = fields.number(), rowBytes = fields.number();
    if (!(from < to && to <= start)) throw damaged("a range out of place");
    tables.refer(stream, { from, to, number, at, rowBytes });
  }
  stream.log ??= new StreamLog();
  stream.log.obtainCold();
  stream.log.skipTo(start);
  stream.tail = start;
}

function readProducers(stream: Stream, fields: Fields): void {
  const producers = rareOf(stream).producers ??= new Map();
  while (fields.left > 0) {
    const id = fields.text();
    producers.set(id, { epoch: fields.number(), seq: fields.number(), usedMs: fields.number() });
  }
}
