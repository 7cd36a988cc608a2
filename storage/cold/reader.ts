/**
 * Reads ranges of objects through a bounded cache.
 *
 * - A range is fetched in runs of blocks, each checked when it comes; a block is fetched once for all
 *   who wait for it, and kept until others push it out, the longest unused first.
 * - While a reader consumes one run, the next ones are on their way: as far as its range goes, or
 *   further where it says that it will go on.
 * - A reader that is aborted leaves the others alone; a request that nobody waits for any more ends.
 * - A failure is every waiting reader's, and is not remembered: the next one asks the store again.
 *
 * @module
 */

import { ColdError } from "./error.ts";
import { objectKey } from "./keys.ts";
import {
  BLOCK_BYTES,
  BLOCK_PAYLOAD_BYTES,
  blockAt,
  blockCount,
  type ColdObject,
} from "./object.ts";
import { readBlocks } from "./object_reading.ts";
import { Run, unlessAborted } from "./run.ts";
import type { ColdStore } from "./store.ts";

/** How a {@linkcode ColdReader} is bounded. */
export interface ColdReaderOptions {
  readonly store: ColdStore;
  /**
   * Bytes that are kept. What is on its way comes on top, `fetchesMax` times `runBytesMax` at most,
   * and so does what callers hold of what they read.
   * @default 67108864
   */
  readonly cacheBytesMax?: number;
  /** Bytes of one request. @default 1048576 */
  readonly runBytesMax?: number;
  /** Requests at a time; the next ones wait in order. @default 16 */
  readonly fetchesMax?: number;
  /** Runs that are fetched ahead of a reader; none where all requests are taken. @default 2 */
  readonly runsAhead?: number;
}

/** How a range is read. */
export interface ColdReadOptions {
  readonly signal?: AbortSignal;
  /** Where further reads will probably end, in bytes of the object: that far is read ahead. */
  readonly until?: number;
}

/** What a {@linkcode ColdReader} does and holds. */
export interface ColdReaderUsage {
  /** Bytes that are kept or on their way. */
  readonly bytes: number;
  /** Requests so far. */
  readonly fetches: number;
  /** Blocks that a reader found, or found on their way. */
  readonly blocksFound: number;
  /** Blocks that a reader had to wait for from the start. */
  readonly blocksMissed: number;
}

/** A cache over a store; see the module's text. */
export class ColdReader {
  readonly #store: ColdStore;
  readonly #cacheBytesMax: number;
  readonly #runBlocksMax: number;
  readonly #fetchesMax: number;
  readonly #runsAhead: number;
  /** By key, then by block. */
  #blocks = new Map<string, Map<number, Run>>();
  /** The longest unused first. */
  #kept = new Set<Run>();
  #queue: Run[] = [];
  #underWay = new Set<Run>();
  #bytes = 0;
  #fetches = 0;
  #blocksFound = 0;
  #blocksMissed = 0;
  #isClosed = false;

  constructor(options: ColdReaderOptions) {
    this.#store = options.store;
    this.#cacheBytesMax = options.cacheBytesMax ?? 64 << 20;
    this.#runBlocksMax = Math.max(1, Math.floor((options.runBytesMax ?? 1 << 20) / BLOCK_BYTES));
    this.#fetchesMax = options.fetchesMax ?? 16;
    this.#runsAhead = options.runsAhead ?? 2;
  }

  /**
   * The `length` bytes of an object from `offset`, in pieces that the caller may keep and must not
   * change. When it ends they were all there.
   *
   * @throws ColdError as {@linkcode ColdStore.get}, or `corrupt` when a block is not what was written
   * @throws RangeError when the range lies outside the object
   */
  async *read(
    object: ColdObject,
    offset: number,
    length: number,
    { signal, until = 0 }: ColdReadOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const end = offset + length;
    if (offset < 0 || length < 0 || end > object.bytes) {
      throw new RangeError(`${objectKey(object)} has no bytes ${offset} to ${end}`);
    }
    if (length === 0) return;
    const last = blockAt(end - 1);
    const aheadTo = blockAt(Math.min(object.bytes, Math.max(end, until)) - 1);
    for (let block = blockAt(offset); block <= last;) {
      const run = this.#demand(object, block, last);
      this.#readAhead(object, run.last + 1, aheadTo);
      const payloads = await this.#wait(run, signal);
      for (; block <= Math.min(run.last, last); block++) {
        const start = block * BLOCK_PAYLOAD_BYTES;
        const from = Math.max(0, offset - start);
        yield payloads[block - run.first]?.subarray(from, end - start) ?? NOTHING;
      }
    }
  }

  /** Drops what is kept of an object, such as one that was deleted. */
  forget(object: ColdObject): void {
    const runs = new Set(this.#blocks.get(objectKey(object))?.values());
    for (const run of runs) this.#drop(run);
  }

  /** What it does and holds. */
  usage(): ColdReaderUsage {
    return {
      bytes: this.#bytes,
      fetches: this.#fetches,
      blocksFound: this.#blocksFound,
      blocksMissed: this.#blocksMissed,
    };
  }

  /** Ends every request, drops what is kept, and reads no more; the store stays open. */
  close(): void {
    this.#isClosed = true;
    const reason = this.#closed();
    for (const run of [...this.#underWay, ...this.#queue]) run.abort(reason);
    this.#queue = [];
    for (const run of [...this.#kept]) this.#drop(run);
  }

  /** The run that holds a block: one that is there or on its way, or a new one. */
  #demand(object: ColdObject, block: number, last: number): Run {
    if (this.#isClosed) throw this.#closed();
    const found = this.#blocks.get(objectKey(object))?.get(block);
    if (found === undefined) {
      const run = this.#begin(object, block, last, false);
      this.#blocksMissed += run.last - run.first + 1;
      this.#queue.push(run);
      this.#fetchNext();
      return run;
    }
    this.#blocksFound += Math.min(found.last, last) - block + 1;
    if (this.#kept.delete(found)) this.#kept.add(found);
    return found;
  }

  #readAhead(object: ColdObject, from: number, last: number): void {
    const key = objectKey(object);
    const to = Math.min(last, from + this.#runsAhead * this.#runBlocksMax - 1);
    for (let block = from; block <= to;) {
      let run = this.#blocks.get(key)?.get(block);
      if (run === undefined) {
        if (this.#underWay.size >= this.#fetchesMax || this.#isClosed) return;
        run = this.#begin(object, block, to, true);
        void this.#fetch(run);
      }
      block = run.last + 1;
    }
  }

  /** Takes note of a run from a block on, up to `last` or to one that is known. */
  #begin(object: ColdObject, first: number, last: number, isAhead: boolean): Run {
    const key = objectKey(object);
    const blocks = this.#blocks.get(key) ?? new Map<number, Run>();
    this.#blocks.set(key, blocks);
    const end = Math.min(last, first + this.#runBlocksMax - 1, blockCount(object) - 1);
    let to = first;
    while (to < end && !blocks.has(to + 1)) to++;
    const run = new Run(object, key, first, to, isAhead);
    for (let block = first; block <= to; block++) blocks.set(block, run);
    this.#kept.add(run);
    return run;
  }

  async #wait(run: Run, signal: AbortSignal | undefined): Promise<readonly Uint8Array[]> {
    signal?.throwIfAborted();
    if (run.payloads !== undefined) return run.payloads;
    run.waiting++;
    try {
      return await unlessAborted(run.settled, signal);
    } finally {
      run.waiting--;
      if (run.waiting === 0 && run.payloads === undefined && !run.isAhead) this.#giveUp(run);
    }
  }

  /** Nobody waits for a run that was asked for: who comes next begins anew. */
  #giveUp(run: Run): void {
    this.#drop(run);
    const at = this.#queue.indexOf(run);
    if (at >= 0) this.#queue.splice(at, 1);
    run.abort(new DOMException("nobody waits for it", "AbortError"));
  }

  #fetchNext(): void {
    while (this.#underWay.size < this.#fetchesMax) {
      const run = this.#queue.shift();
      if (run === undefined) return;
      void this.#fetch(run);
    }
  }

  async #fetch(run: Run): Promise<void> {
    const { object, first, last, signal } = run;
    this.#underWay.add(run);
    this.#fetches++;
    run.takesMemory = true;
    this.#bytes += run.bytes;
    this.#makeRoom();
    try {
      run.resolve(await readBlocks(this.#store, object, first, last - first + 1, signal));
    } catch (error) {
      this.#drop(run);
      run.reject(error);
    } finally {
      this.#underWay.delete(run);
      this.#makeRoom();
      this.#fetchNext();
    }
  }

  #closed(): ColdError {
    return new ColdError("unavailable", this.#store.name, undefined, "closed on this side");
  }

  /** Drops what was not used for longest, of what is there. */
  #makeRoom(): void {
    for (const run of this.#kept) {
      if (this.#bytes <= this.#cacheBytesMax) return;
      if (run.payloads !== undefined) this.#drop(run);
    }
  }

  #drop(run: Run): void {
    if (!this.#kept.delete(run)) return;
    if (run.takesMemory) this.#bytes -= run.bytes;
    const blocks = this.#blocks.get(run.key);
    for (let block = run.first; block <= run.last; block++) blocks?.delete(block);
    if (blocks?.size === 0) this.#blocks.delete(run.key);
  }
}

const NOTHING = new Uint8Array(0);
