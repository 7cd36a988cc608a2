/**
 * All that one group replicates, and the few operations that span its tables.
 *
 * @module
 */

import { type Bucket, Buckets } from "./buckets.ts";
import { Changes } from "./changes.ts";
import { type ColdRange, packedBytes } from "./cold_ranges.ts";
import type { StreamSnapshot } from "./cold_types.ts";
import { ContentTypes } from "./content_type.ts";
import { DeadlineQueue } from "./deadlines.ts";
import { HotQueue } from "./hot_queue.ts";
import { StreamLog } from "./log.ts";
import { Objects } from "./objects.ts";
import { Paths } from "./paths.ts";
import { PinnedRanges } from "./pinned.ts";
import { earliestOf, factsOf, rareOf, Stream } from "./stream.ts";
import type { Body, Outcome, Refusal, StreamKey } from "./types.ts";

/** Memory that an append costs besides its bytes: its chunk, and its entry's header in the slab. */
const CHUNK_OVERHEAD_BYTES = 128;

/** What an export in progress wants to hear before a stream changes. */
export interface ExportWatch {
  /** Keeps the stream as it is now, unless the export holds it already. */
  preserve(stream: Stream): void;
  /** Takes over the bytes of a stream that ends or is flushed; false where it needs them not. */
  adopt(stream: Stream, log: StreamLog): boolean;
  /** Takes over bytes that were pinned. */
  keep(log: StreamLog): void;
}

/** The tables of one group. */
export class Tables {
  /** In order of creation. */
  readonly streams = new Map<StreamKey, Stream>();
  readonly buckets = new Buckets();
  readonly paths = new Paths();
  readonly contentTypes = new ContentTypes();
  readonly deadlines = new DeadlineQueue();
  readonly changes = new Changes();
  readonly objects = new Objects();
  /** Streams with hot bytes; not replicated. */
  readonly hot = new HotQueue();
  /** Flushed bytes that this replica still holds; not replicated. */
  readonly pinned = new PinnedRanges();
  /** Index and stamp of the last entry applied. */
  index = 0;
  stampMs = 0;
  /** Bytes of the streams' own messages; inherited ones count where they were appended. */
  hotBytes = 0;
  /** Memory that they take with all that belongs to them, in bytes. */
  hotFootprint = 0;
  /** How many exports were begun. */
  exports = 0;
  watch: ExportWatch | undefined = undefined;
  readonly #incarnationPrefix: string;

  /**
   * @param group the group's number
   * @param formation a short id, the same on all replicas
   * @param pinsFlushed keep flushed bytes until this replica has its own copy of their object
   */
  constructor(
    readonly group: number,
    readonly formation: string,
    readonly pinsFlushed: boolean = false,
  ) {
    this.#incarnationPrefix = `${formation}.${group.toString(36)}.`;
  }

  /** Makes a stream and puts it into the table. Its key is free, and in memory of its own. */
  addStream(
    key: StreamKey,
    bucket: Bucket,
    index: number,
    contentType: string,
    createdAtMs: number,
  ): Stream {
    const stream = new Stream(
      key,
      bucket,
      index,
      this.#incarnationPrefix + index.toString(36),
      this.contentTypes.get(contentType),
      createdAtMs,
      this.exports,
    );
    this.streams.set(stream.key, stream);
    bucket.add(stream);
    return stream;
  }

  /** To be called before a stream changes. */
  beforeChange(stream: Stream): void {
    if (this.watch !== undefined) this.watch.preserve(stream);
  }

  /** Adds a chunk of own bytes at the stream's tail. */
  addBytes(stream: Stream, body: Body, ends: Uint32Array | undefined): void {
    const { slab, start, end } = body.data;
    const log = stream.log ??= new StreamLog();
    log.push(slab, start, end - start, ends);
    stream.tail += end - start;
    this.hotBytes += end - start;
    this.hotFootprint += chunkFootprint(end - start, ends === undefined ? 0 : ends.length);
    if (log.chunks === 1) this.hot.add(stream, this.stampMs);
  }

  /** Puts a reference in the place of the stream's oldest hot bytes, whose end it names. */
  flush(stream: Stream, range: ColdRange): void {
    this.beforeChange(stream);
    const taken = this.#takeHot(stream, range.to);
    this.refer(stream, range);
    if (this.pinsFlushed) this.pin(range.number, range.at, taken);
    else this.#letGo(stream, taken);
    if (range.from < earliestOf(stream)) this.trim(stream);
  }

  /** Takes the hot bytes before `to` out of a stream. */
  #takeHot(stream: Stream, to: number): StreamLog {
    const { log } = stream;
    if (log === undefined) throw new Error("a stream without bytes has none to take");
    this.hotBytes -= to - log.start;
    const touched = log.chunkAt(to - 1) + 1;
    const chunks = log.chunks;
    this.hotFootprint -= footprintOf(log, touched);
    const taken = log.takeBefore(to);
    const cut = touched - (chunks - log.chunks);
    this.hotFootprint += footprintOf(log, cut);
    this.hot.flushed(stream, this.stampMs);
    return taken;
  }

  /**
   * Lets go what lies before a stream's earliest offset, but for what forks inherit that were made
   * when it was earlier. Hot bytes of which a fork needs some stay until they are flushed.
   */
  trim(stream: Stream): void {
    const { log } = stream;
    const limit = earliestOf(stream);
    if (log === undefined || limit === 0) return;
    this.beforeChange(stream);
    const needs = (stream.rare?.forks ?? 0) > 0 ? this.#inherited(log) : [];
    const needed = (from: number, to: number) => needs.some((n) => n.from < to && n.to > from);
    const { cold } = log;
    const below = cold === undefined ? 0 : cold.indexAt(limit);
    const dropped = cold?.drop(below, (range) => needed(range.from, range.to)) ?? [];
    for (const range of dropped) this.dropRange(range);
    if (log.chunks === 0 || log.start >= limit || needed(log.start, limit)) return;
    const to = log.lastBoundary(Math.min(limit, log.end));
    if (to > log.start) this.#letGo(stream, this.#takeHot(stream, to));
  }

  /** Trims a stream and those that it was forked from: it may have been the last to need something. */
  trimUpwards(stream: Stream): void {
    for (let next: Stream | undefined = stream; next !== undefined;) {
      this.trim(next);
      next = next.rare?.fork?.source;
    }
  }

  /** Which stretches of a log forks read; of one with forks of its own all that it inherits. */
  #inherited(log: StreamLog): { readonly from: number; readonly to: number }[] {
    const stretches = [];
    for (const fork of this.streams.values()) {
      if (fork.log?.origin !== log) continue;
      const from = (fork.rare?.forks ?? 0) > 0 ? 0 : earliestOf(fork);
      stretches.push({ from, to: fork.log.inherited });
    }
    return stretches;
  }

  /** Gives a stream a snapshot, in the place of the one that it has. */
  setSnapshot(stream: Stream, snapshot: StreamSnapshot | undefined): void {
    const old = stream.rare?.snapshot;
    if (snapshot !== undefined) {
      rareOf(stream).snapshot = snapshot;
      this.objects.refer(snapshot.number, snapshot.length, true);
    }
    if (old !== undefined) this.objects.drop(old.number, old.length, this.stampMs);
  }

  /** Adds a reference behind the stream's others. */
  refer(stream: Stream, range: ColdRange): void {
    (stream.log ??= new StreamLog()).obtainCold().push(range);
    this.objects.refer(range.number, packedBytes(range));
  }

  /** Keeps flushed bytes, with what their log retains. */
  pin(number: number, at: number, log: StreamLog): void {
    this.pinned.add({ number, at, log });
    this.hotFootprint += footprintOf(log);
  }

  /** Lets pinned bytes of an object go. */
  unpin(number: number): void {
    for (const log of this.pinned.take(number)) {
      this.hotFootprint -= footprintOf(log);
      if (this.watch === undefined) log.releaseAll();
      else this.watch.keep(log);
    }
  }

  /** The answer where no stream lies at `key`. */
  absent(key: StreamKey): Outcome {
    const path = this.paths.get(key);
    if (path === undefined || !path.linked) return { refused: "stream_not_found" };
    return { ok: "moved", target: path.target, token: path.token, linked: true };
  }

  /** Hides a stream whose forks still need it (P§4.2). */
  softDelete(stream: Stream): void {
    this.beforeChange(stream);
    this.changes.of(stream).ended = true;
    stream.softDeleted = true;
    stream.bucket.softDeleted++;
  }

  /** Takes a stream out of the tables, and then each source that nothing needs any more (P§4.2). */
  end(first: Stream): void {
    let next: Stream | undefined = first;
    while (next !== undefined) {
      const stream: Stream = next;
      next = undefined;
      if (!stream.softDeleted) this.changes.of(stream).ended = true;
      this.#drop(stream);
      const { key, rare } = stream;
      if (rare?.link !== undefined) this.paths.addErrand({ key, ...rare.link });
      const source = rare?.fork?.source;
      if (source?.rare !== undefined) {
        source.rare.forks--;
        if (source.rare.forks === 0 && source.softDeleted) next = source;
        this.trimUpwards(source);
      }
    }
  }

  #drop(stream: Stream): void {
    this.beforeChange(stream);
    stream.ended = true;
    this.streams.delete(stream.key);
    stream.bucket.remove(stream);
    this.buckets.tidy(stream.bucket, this.stampMs);
    this.setSnapshot(stream, undefined);
    const log = stream.log;
    if (log === undefined) return;
    stream.log = undefined;
    this.hot.remove(stream);
    this.hotBytes -= log.end - log.start;
    this.hotFootprint -= footprintOf(log);
    const { cold } = log;
    for (let i = 0; cold !== undefined && i < cold.count; i++) this.dropRange(cold.range(i));
    this.#letGo(stream, log);
  }

  /** A reference goes. */
  dropRange(range: ColdRange): void {
    this.objects.drop(range.number, packedBytes(range), this.stampMs);
  }

  #letGo(stream: Stream, log: StreamLog): void {
    if (this.watch === undefined || !this.watch.adopt(stream, log)) log.releaseAll();
  }
}

/** Memory that a log's first chunks take, in bytes; all of them unless said otherwise. */
function footprintOf(log: StreamLog, chunks: number = log.chunks): number {
  let bytes = 0;
  for (let i = 0; i < chunks; i++) {
    bytes += chunkFootprint(log.endOf(i) - log.startOf(i), log.endCount(i));
  }
  return bytes;
}

function chunkFootprint(bytes: number, ends: number): number {
  return bytes + CHUNK_OVERHEAD_BYTES + 4 * ends;
}

/** A refusal that says how the stream stands. */
export function refuse(refused: Refusal, stream: Stream): Outcome {
  return { refused, facts: factsOf(stream) };
}
