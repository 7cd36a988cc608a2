/**
 * Takes finished writes to their files and makes them durable.
 *
 * Writing is synchronous and takes about a microsecond. Syncing runs off the event loop, unless that
 * is busy and the disk fast (`sync_way.ts`), one at a time, and covers whatever was written when it
 * began. Batches written meanwhile share the next.
 *
 * @module
 */

import type { Clock, Disk, DiskFile } from "../../io/mod.ts";
import { finishPart, type Part } from "./batch.ts";
import { IDLE_SYNC_BYTES } from "./format.ts";
import type { Segment } from "./segment.ts";
import { SyncWay } from "./sync_way.ts";

/** What a {@linkcode SegmentWriter} tells, and how it works. */
export interface SegmentWriterOptions {
  readonly disk: Disk;
  readonly directory: string;
  /** Do batches wait until they are durable? */
  readonly sync: boolean;
  readonly clock?: Clock | undefined;
  /** How long each sync took. */
  readonly onSync?: ((durationMs: number) => void) | undefined;
  /** A segment got its name; those before it are complete. */
  onPlaced(segment: Segment): void;
  onFailure(error: Error): void;
}

interface Waiter {
  readonly ticket: number;
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The lower half of a journal; batches are numbered by tickets, from 1. */
export class SegmentWriter {
  /** Syncs done, for the metrics. */
  syncs = 0;
  /** Bytes handed to the system. */
  bytes = 0;
  /** Set for good when a write or a sync failed: what the page cache says is no longer to be trusted. */
  failure: Error | undefined = undefined;

  /** Parts whose file is still being made, or that come after one. */
  #queued: Part[] = [];
  /** Segments with writes that were not synced, in order. */
  #dirty: Segment[] = [];
  #written = 0;
  #durable = 0;
  /** The last batch that must be synced even where batches need not wait. */
  #mustSync = 0;
  #waiters: Waiter[] = [];
  #syncing = false;
  #syncTicket = 0;
  #syncEnd = 0;
  #syncBytes = 0;
  #syncStartMs = 0;
  #unsyncedBytes = 0;
  readonly #way = new SyncWay();

  constructor(readonly options: SegmentWriterOptions) {}

  /** Writes a segment's header. Call it when the file is there, before {@linkcode drain}. */
  writeHeader(segment: Segment, header: Uint8Array): void {
    if (segment.file === undefined || this.failure) return;
    try {
      segment.file.writeSync(header, 0);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Writes a part, at once where its file is there. */
  write(part: Part): void {
    if (this.failure) return;
    if (this.#queued.length > 0 || part.segment.file === undefined) this.#queued.push(part);
    else this.#put(part);
  }

  /** Goes on after a file that was waited for is there. */
  drain(): void {
    while (this.#queued[0]?.segment.file !== undefined) {
      const part = this.#queued.shift();
      if (part) this.#put(part);
    }
    if (this.#waiters.length > 0) this.#startSync();
  }

  /**
   * Waits for the batch `ticket`; undefined when there is nothing to wait for.
   * @param mustSync it holds a vote or a term, or something else is about to rely on it
   */
  wait(ticket: number, mustSync: boolean): Promise<void> | undefined {
    if (this.failure) return Promise.reject(this.failure);
    const last = this.#waiters.at(-1);
    if (last?.ticket === ticket) return last.promise;
    if (mustSync) this.#mustSync = ticket;
    if (last === undefined) {
      if (this.#durable >= ticket) return undefined;
      if (!this.options.sync && !mustSync && this.#isPlacedUpTo(ticket)) {
        this.#durable = ticket;
        if (this.#unsyncedBytes >= IDLE_SYNC_BYTES) this.#startSync();
        return undefined;
      }
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ ticket, promise, resolve, reject });
    this.#startSync();
    return promise;
  }

  /** Ends everything that waits or will wait with one error. */
  fail(reason: unknown): void {
    if (this.failure) return;
    this.failure = reason instanceof Error ? reason : new Error(String(reason));
    const waiters = this.#waiters;
    this.#waiters = [];
    this.#queued = [];
    for (const waiter of waiters) waiter.reject(this.failure);
    this.options.onFailure(this.failure);
  }

  #put(part: Part): void {
    const { segment } = part;
    if (this.failure || segment.file === undefined) return;
    finishPart(part);
    let position = part.position;
    try {
      for (const { slab, start, end } of part.ranges) {
        segment.file.writeSync(slab.bytes.subarray(start, end), position);
        position += end - start;
      }
    } catch (error) {
      return this.fail(error);
    }
    segment.writtenEnd = position;
    this.bytes += part.length;
    this.#unsyncedBytes += part.length;
    if (part.ticket > 0) this.#written = part.ticket;
    if (this.#dirty.at(-1) !== segment) this.#dirty.push(segment);
  }

  #isPlacedUpTo(ticket: number): boolean {
    return this.#written >= ticket && (this.#dirty.at(-1)?.placed ?? true);
  }

  #startSync(): void {
    const segment = this.#dirty[0];
    if (this.#syncing || this.failure || segment === undefined) return;
    this.#syncing = true;
    this.#syncTicket = this.#written;
    this.#syncBytes = this.#unsyncedBytes;
    const { clock } = this.options;
    if (clock) this.#syncStartMs = clock.monotonicMs();
    if (this.#dirty.length > 1 || !segment.placed || segment.file === undefined) {
      this.#syncInOrder(this.#dirty.slice()).then(this.#synced, this.#syncFailed);
      return;
    }
    this.#syncEnd = segment.writtenEnd;
    this.syncs++;
    if (clock && this.#way.holds(this.#syncStartMs)) return this.#syncHere(segment.file, clock);
    segment.file.sync().then(this.#syncedOne, this.#syncFailed);
  }

  /** Has the event loop wait. */
  #syncHere(file: DiskFile, clock: Clock): void {
    try {
      file.syncSync();
    } catch (error) {
      return this.fail(error);
    }
    const nowMs = clock.monotonicMs();
    this.#way.held(nowMs - this.#syncStartMs, nowMs);
    this.#finishOne();
  }

  readonly #syncFailed = (error: unknown): void => this.fail(error);

  readonly #syncedOne = (): void => {
    const { clock } = this.options;
    if (clock) this.#way.told(clock.monotonicMs() - this.#syncStartMs);
    this.#finishOne();
  };

  #finishOne(): void {
    const segment = this.#dirty[0];
    if (segment) segment.synced = this.#syncEnd;
    this.#synced();
  }

  /** A segment gets its name when all before it is durable, and it is itself. */
  async #syncInOrder(segments: Segment[]): Promise<void> {
    const { disk, directory } = this.options;
    for (const segment of segments) {
      const end = segment.writtenEnd;
      this.syncs++;
      await segment.file?.sync();
      segment.synced = end;
      if (segment.placed) continue;
      await disk.rename(segment.temporaryPath, segment.path);
      await disk.syncDirectory(directory);
      segment.placed = true;
      if (!this.failure) this.options.onPlaced(segment);
    }
  }

  readonly #synced = (): void => {
    this.#syncing = false;
    if (this.failure) return;
    const { clock, onSync } = this.options;
    if (clock && onSync) onSync(clock.monotonicMs() - this.#syncStartMs);
    this.#unsyncedBytes -= this.#syncBytes;
    const dirty = this.#dirty;
    while (dirty[0] !== undefined && dirty[0].synced === dirty[0].writtenEnd) dirty.shift();
    // A later segment is synced last, and may have been written to until then.
    let reached = dirty.length === 0 ? this.#written : this.#syncTicket;
    // Batches that need no sync were only behind one that does.
    if (!this.options.sync && this.#mustSync <= reached && this.#isPlacedUpTo(this.#written)) {
      reached = this.#written;
    }
    this.#durable = Math.max(this.#durable, reached);
    this.#resolveUpTo(reached);
    if (this.#waiters.length > 0) this.#startSync();
  };

  #resolveUpTo(ticket: number): void {
    const waiters = this.#waiters;
    let count = 0;
    for (let waiter = waiters[0]; waiter && waiter.ticket <= ticket; waiter = waiters[++count]) {
      waiter.resolve();
    }
    this.#waiters = count === waiters.length ? [] : waiters.slice(count);
  }
}
