/**
 * All that one group replicates, and the few operations that span its tables.
 *
 * @module
 */

import { type Bucket, Buckets } from "./buckets.ts";
import { Changes } from "./changes.ts";
import { ContentTypes } from "./content_type.ts";
import { DeadlineQueue } from "./deadlines.ts";
import type { StreamLog } from "./log.ts";
import { StreamLog as Log } from "./log.ts";
import { Paths } from "./paths.ts";
import { factsOf, Stream } from "./stream.ts";
import type { Body, Outcome, Refusal, StreamKey } from "./types.ts";

/** Memory that an append costs besides its bytes: its chunk, and its entry's header in the slab. */
const CHUNK_OVERHEAD_BYTES = 128;

/** What an export in progress wants to hear before a stream changes. */
export interface ExportWatch {
  /** Keeps the stream as it is now, unless the export holds it already. */
  preserve(stream: Stream): void;
  /** Takes over the bytes of a stream that ends; answers false where it does not need them. */
  adopt(stream: Stream, log: StreamLog): boolean;
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

  /** @param group the group's number; @param formation a short id, the same on all replicas */
  constructor(readonly group: number, readonly formation: string) {
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
    (stream.log ??= new Log()).push(slab, start, end - start, ends);
    stream.tail += end - start;
    this.#count(end - start, ends, 1);
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
      }
    }
  }

  #drop(stream: Stream): void {
    this.beforeChange(stream);
    stream.ended = true;
    this.streams.delete(stream.key);
    stream.bucket.remove(stream);
    this.buckets.tidy(stream.bucket, this.stampMs);
    const log = stream.log;
    if (log === undefined) return;
    stream.log = undefined;
    const own = stream.rare?.fork?.inheritedChunks ?? 0;
    for (let i = own; i < log.chunks; i++) {
      this.#count(log.endOf(i) - log.startOf(i), log.innerOf(i), -1);
    }
    if (this.watch === undefined || !this.watch.adopt(stream, log)) log.releaseAll();
  }

  #count(bytes: number, ends: Uint32Array | undefined, sign: 1 | -1): void {
    this.hotBytes += sign * bytes;
    const inner = ends === undefined ? 0 : 4 * ends.length;
    this.hotFootprint += sign * (bytes + CHUNK_OVERHEAD_BYTES + inner);
  }
}

/** A refusal that says how the stream stands. */
export function refuse(refused: Refusal, stream: Stream): Outcome {
  return { refused, facts: factsOf(stream) };
}
