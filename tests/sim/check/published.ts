/**
 * What is known of a stream that has one writer, who also publishes its StreamSnapshots: whatever
 * anybody reads of it must be that.
 *
 * @module
 */

import { Violation } from "../violation.ts";

/** Bytes of a snapshot are no more than this. */
const SNAPSHOT_BYTES_MAX = 9_000;

/** A fork, and what it inherits. */
export interface KnownFork {
  readonly key: string;
  /** Earliest offset that it holds, and where it leaves its source. */
  readonly from: number;
  readonly to: number;
}

/** One stream; see the module's text. */
export class Published {
  readonly key: string;
  readonly forks: KnownFork[] = [];
  /** Ends of messages, the stream's beginning included. */
  readonly ends: number[] = [0];
  /** An append that was sent and not answered: it may be there. */
  pending: Uint8Array | undefined;
  /** The last snapshot that was acknowledged or seen; 0 for none. */
  offset = 0;
  #bytes = new Uint8Array(0);
  /** Offsets of all snapshots that were asked for. */
  readonly #asked = new Set<number>();

  constructor(key: string) {
    this.key = key;
  }

  /** Bytes that were acknowledged. */
  get tail(): number {
    return this.#bytes.length;
  }

  /** Ends of messages at which a snapshot may be published. */
  get boundaries(): number[] {
    return this.ends.filter((end) => end > 0 && end >= this.offset);
  }

  /** The pending append is there. */
  appended(tail: number): void {
    this.#bytes = this.#withPending();
    this.pending = undefined;
    this.ends.push(this.tail);
    if (tail !== this.tail) throw this.#wrong(`its tail is ${tail}, not ${this.tail}`);
  }

  /** Bytes of the snapshot at an offset: they follow from it. */
  snapshotAt(offset: number): Uint8Array {
    const length = (offset * 7919) % SNAPSHOT_BYTES_MAX;
    return new Uint8Array(length).map((_, at) => offset + at * 31 + (at >> 7));
  }

  /** A snapshot is asked for. */
  asked(offset: number): void {
    this.#asked.add(offset);
  }

  /** It is there. */
  published(offset: number): void {
    this.offset = Math.max(this.offset, offset);
  }

  /** Was the answer to be expected that what lies at an offset is gone, or is no snapshot's? */
  trimmed(offset: number): void {
    if (offset < Math.max(0, ...this.#asked)) return;
    throw this.#wrong(`${offset} is said to be trimmed; it begins at ${this.offset}`);
  }

  /** Somebody found this snapshot, or none. */
  found(offset: number | undefined, since: number): void {
    const isKnown = offset === undefined ? since === 0 : offset >= since && this.#asked.has(offset);
    if (!isKnown) throw this.#wrong(`snapshot ${offset} was found, after ${since}`);
    if (offset !== undefined) this.published(offset);
  }

  /** Somebody read bytes of a snapshot. */
  readSnapshot(offset: number, at: number, bytes: Uint8Array): void {
    this.#compare(`snapshot ${offset}`, this.snapshotAt(offset).subarray(at), bytes);
  }

  /** Somebody read bytes from there on, of the stream or a fork of it. */
  read(from: number, bytes: Uint8Array): void {
    this.#compare(`${from}`, this.#withPending().subarray(from), bytes);
  }

  /** Somebody was told these ends of messages; the last may be an append that is not answered. */
  readEnds(from: number, ends: readonly number[]): void {
    const known = [...this.ends.filter((end) => end > from), this.#withPending().length];
    const isKnown = ends.every((end, at) => end === known[at]);
    if (!isKnown) throw this.#wrong(`messages end at ${ends.join()}, not at ${known.join()}`);
  }

  /** May its tail be this, asked for when it was that? */
  reaches(tail: number, since: number): void {
    if (tail >= since && tail <= this.#withPending().length) return;
    throw this.#wrong(`its tail was ${tail}, after ${since}`);
  }

  #withPending(): Uint8Array<ArrayBuffer> {
    const { pending } = this;
    if (pending === undefined) return this.#bytes;
    const all = new Uint8Array(this.#bytes.length + pending.length);
    all.set(this.#bytes);
    all.set(pending, this.#bytes.length);
    return all;
  }

  #compare(where: string, known: Uint8Array, found: Uint8Array): void {
    if (found.length > known.length) {
      throw this.#wrong(`${found.length} bytes at ${where}, not ${known.length}`);
    }
    const at = found.findIndex((byte, at) => byte !== known[at]);
    if (at >= 0) throw this.#wrong(`byte ${at} at ${where} is ${found[at]}, not ${known[at]}`);
  }

  #wrong(detail: string): Violation {
    return new Violation("snapshots", `${this.key}: ${detail}`);
  }
}
