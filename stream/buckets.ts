/**
 * The bucket table of one group (SPEC section 2).
 *
 * Every group holds all buckets; a bucket's home group orders what happens to it. An _intent_ there
 * takes its version from the log index of its entry, so versions rise for ever, also across delete
 * and re-creation, and the home needs to remember nothing of a bucket that is gone. Versions of
 * intents are even. The odd one behind a delete's belongs to the reopening, should a group still
 * hold a stream: the home group decides on it once, by making the delete's intent a create's of that
 * version, before any group is opened again. Whoever finds a group at that version knows that the
 * delete was given up.
 *
 * What another group must remember of a deleted bucket is the version, against a set that was
 * delayed on its way: a _tombstone_, kept for {@linkcode TOMBSTONE_MS} of group time and for at
 * most {@linkcode TOMBSTONES_MAX} buckets. No command is under way for that long.
 *
 * @module
 */

import type { Stream } from "./stream.ts";
import { compareUtf8, ownText } from "./text.ts";
import type { BucketPhase } from "./types.ts";

/** How long the version of a deleted bucket is kept, in ms of group time: 1 h. */
export const TOMBSTONE_MS = 60 * 60 * 1000;

/** For how many deleted buckets the version is kept; beyond that the oldest goes. */
export const TOMBSTONES_MAX = 65_536;

/** An ended stream is dropped from a bucket's members once this many, and half of them, ended. */
const ENDED_MEMBERS_MIN = 16;

/** A create or delete that is not finished everywhere. */
export interface BucketIntent {
  readonly action: "create" | "delete";
  readonly version: number;
}

/** What the table says of a bucket. */
export interface BucketView {
  readonly bucket: string;
  readonly phase: BucketPhase;
  readonly version: number;
  /** Streams in this group, soft-deleted ones included. */
  readonly streams: number;
  /** Streams in this group that a listing shows. */
  readonly listed: number;
  /** In the home group: what is under way. */
  readonly intent: BucketIntent | undefined;
}

/** A bucket that is open, still holds streams, or has an intent under way. */
export class Bucket {
  phase: BucketPhase = "closed";
  version = 0;
  intent: BucketIntent | undefined = undefined;
  streams = 0;
  softDeleted = 0;
  /** All its streams, and some that ended; sorted by key up to `#sorted`. */
  #members: Stream[] = [];
  #sorted = 0;
  #ended = 0;

  /** @param id the bucket's name */
  constructor(readonly id: string) {}

  /** Counts a new stream. */
  add(stream: Stream): void {
    this.streams++;
    const last = this.#members[this.#members.length - 1];
    const inOrder = this.#sorted === this.#members.length &&
      (last === undefined || compareUtf8(last.key, stream.key) < 0);
    this.#members.push(stream);
    if (inOrder) this.#sorted = this.#members.length;
  }

  /** Forgets a stream that has just ended. */
  remove(stream: Stream): void {
    this.streams--;
    if (stream.softDeleted) this.softDeleted--;
    this.#ended++;
    if (this.#ended >= ENDED_MEMBERS_MIN && this.#ended * 2 > this.#members.length) this.#tidy();
  }

  /** Streams with keys that begin with `prefix`, behind `after`, in byte order, at most `limit`. */
  list(prefix: string, after: string | undefined, limit: number): Stream[] {
    if (this.#sorted !== this.#members.length) {
      this.#tidy();
      this.#members.sort((a, b) => compareUtf8(a.key, b.key));
      this.#sorted = this.#members.length;
    }
    const listed: Stream[] = [];
    for (let i = this.#seek(prefix, after); i < this.#members.length; i++) {
      const stream = this.#members[i] as Stream; // i < length
      if (listed.length >= limit || !stream.key.startsWith(prefix)) break;
      if (!stream.ended && !stream.softDeleted) listed.push(stream);
    }
    return listed;
  }

  /** What the table says of it. */
  view(): BucketView {
    return {
      bucket: this.id,
      phase: this.phase,
      version: this.version,
      streams: this.streams,
      listed: this.streams - this.softDeleted,
      intent: this.intent,
    };
  }

  #tidy(): void {
    const inOrder = this.#sorted === this.#members.length;
    this.#members = this.#members.filter((stream) => !stream.ended);
    this.#sorted = inOrder ? this.#members.length : 0;
    this.#ended = 0;
  }

  /** The first member not before `prefix` and behind `after`. */
  #seek(prefix: string, after: string | undefined): number {
    let low = 0, high = this.#members.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const key = (this.#members[middle] as Stream).key; // middle < length
      const behind = compareUtf8(key, prefix) >= 0 &&
        (after === undefined || compareUtf8(key, after) > 0);
      if (behind) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The version of a bucket that is gone, and when it went. */
export interface Tombstone {
  readonly version: number;
  readonly stampMs: number;
}

/** All buckets a group knows of. */
export class Buckets {
  readonly #buckets = new Map<string, Bucket>();
  /** In the order in which they went. */
  readonly #tombstones = new Map<string, Tombstone>();

  /** The bucket's record; undefined where it is gone or never was. */
  get(id: string): Bucket | undefined {
    return this.#buckets.get(id);
  }

  /** The bucket whose id begins `key`. */
  of(key: string): Bucket | undefined {
    return this.#buckets.get(key.slice(0, key.indexOf("/")));
  }

  /** What the table says of a bucket; undefined where it is gone or never was. */
  view(id: string): BucketView | undefined {
    return this.#buckets.get(id)?.view();
  }

  /** The highest version that was ever set, as far as it is remembered. */
  versionOf(id: string): number {
    return this.#buckets.get(id)?.version ?? this.#tombstones.get(id)?.version ?? 0;
  }

  /** The bucket's record, made where it is missing. */
  obtain(id: string): Bucket {
    const known = this.#buckets.get(id);
    if (known !== undefined) return known;
    const bucket = new Bucket(ownText(id));
    bucket.version = this.#tombstones.get(id)?.version ?? 0;
    this.#tombstones.delete(id);
    this.#buckets.set(bucket.id, bucket);
    return bucket;
  }

  /** Turns the record of a closed, empty bucket without an intent into a tombstone. */
  tidy(bucket: Bucket, stampMs: number): void {
    if (bucket.phase === "open" || bucket.streams > 0 || bucket.intent !== undefined) return;
    this.#buckets.delete(bucket.id);
    if (bucket.version > 0) this.bury(bucket.id, { version: bucket.version, stampMs });
  }

  /** Keeps the version of a bucket that is gone, and drops what is kept for too long. */
  bury(id: string, tombstone: Tombstone): void {
    this.#tombstones.delete(id);
    this.#tombstones.set(id, tombstone);
    for (const [oldest, { stampMs }] of this.#tombstones) {
      const old = stampMs + TOMBSTONE_MS < tombstone.stampMs;
      if (!old && this.#tombstones.size <= TOMBSTONES_MAX) break;
      this.#tombstones.delete(oldest);
    }
  }

  /** Open buckets with ids that begin with `prefix`, behind `after`, in byte order. */
  list(prefix: string, after: string | undefined, limit: number): BucketView[] {
    const found: Bucket[] = [];
    for (const bucket of this.#buckets.values()) {
      if (bucket.phase !== "open" || !bucket.id.startsWith(prefix)) continue;
      if (after === undefined || compareUtf8(bucket.id, after) > 0) found.push(bucket);
    }
    found.sort((a, b) => compareUtf8(a.id, b.id));
    return found.slice(0, limit).map((bucket) => bucket.view());
  }

  /** Buckets with an intent under way, in order of their records. */
  intents(): BucketView[] {
    const found: BucketView[] = [];
    for (const bucket of this.#buckets.values()) {
      if (bucket.intent !== undefined) found.push(bucket.view());
    }
    return found;
  }

  /** All records, in the order in which they were made. */
  records(): Iterable<Bucket> {
    return this.#buckets.values();
  }

  /** All tombstones, oldest first. */
  tombstones(): Iterable<[string, Tombstone]> {
    return this.#tombstones;
  }
}
