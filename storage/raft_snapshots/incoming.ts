/**
 * A RaftSnapshot that a leader sends, while its bytes come in.
 *
 * @module
 */

import { type Disk, DiskError, type DiskFile } from "../../io/mod.ts";
import { META_BYTES_MAX, RECEIVED_FRAMES_START } from "./format.ts";
import type { RaftSnapshotMark } from "./mod.ts";
import { FrameWriter, writeReceivedBeginning } from "./writing.ts";

/** Where a {@linkcode IncomingRaftSnapshot} puts its bytes. */
export interface IncomingOptions {
  readonly disk: Disk;
  readonly group: number;
  /** The file while it is being written; nobody else's. */
  readonly path: string;
  /** Gives the durable file its name, or removes it where a newer one has come; says which. */
  place(mark: RaftSnapshotMark, bytes: number): Promise<boolean>;
}

/** Takes chunks, then the mark. Calls may overlap; each begins when the one before has ended. */
export class IncomingRaftSnapshot {
  #file: DiskFile | undefined = undefined;
  #frames: FrameWriter | undefined = undefined;
  #before: Promise<unknown> = Promise.resolve();
  #isOver = false;

  /** Use `RaftSnapshots.receive`. */
  constructor(readonly options: IncomingOptions) {}

  /**
   * Adds the next bytes, cut as it may be; they must not change until this resolves. Not durable.
   * @throws DiskError; then only {@linkcode IncomingRaftSnapshot.abort} is left
   */
  append(chunk: Uint8Array): Promise<void> {
    return this.#inOrder(async () => {
      this.#mustGoOn();
      this.#frames ??= await this.#begin();
      await this.#frames.append(chunk);
    });
  }

  /**
   * All bytes have come. When this resolves to true they are durable and have their name, and the
   * group's older RaftSnapshot is gone. False: one that stands for as much or more had come
   * meanwhile, and nothing has changed.
   * @throws DiskError; the group's older one, or this one, is then found at the next start
   */
  finish(mark: RaftSnapshotMark): Promise<boolean> {
    if (mark.meta.length > META_BYTES_MAX) {
      return Promise.reject(new RangeError(`meta over ${META_BYTES_MAX} bytes`));
    }
    return this.#inOrder(async () => {
      this.#mustGoOn();
      try {
        return await this.#place(mark);
      } catch (error) {
        await this.#drop();
        throw error;
      }
    });
  }

  /** Forgets what has come; harmless at the end, and more than once. @throws DiskError */
  abort(): Promise<void> {
    return this.#inOrder(() => this.#isOver ? Promise.resolve() : this.#drop());
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#before.then(work);
    this.#before = done.catch(() => {});
    return done;
  }

  #mustGoOn(): void {
    if (this.#isOver) throw new Error(`invariant: ${this.options.path} is no longer received`);
  }

  async #begin(): Promise<FrameWriter> {
    const { disk, path } = this.options;
    this.#file = await disk.open(path, { create: true });
    return new FrameWriter(this.#file, RECEIVED_FRAMES_START);
  }

  async #place(mark: RaftSnapshotMark): Promise<boolean> {
    const { group, place } = this.options;
    const frames = this.#frames ??= await this.#begin();
    const bytes = await frames.end();
    const { index, term, meta } = mark;
    await writeReceivedBeginning(frames.file, { group, index, term }, meta);
    await frames.file.sync();
    this.#close();
    return await place(mark, bytes);
  }

  #close(): void {
    this.#isOver = true;
    this.#file?.close();
    this.#file = undefined;
    this.#frames = undefined;
  }

  async #drop(): Promise<void> {
    const { disk, path } = this.options;
    this.#close();
    await disk.remove(path).catch((error) => {
      // It may never have been made, or have its name already.
      if (!(error instanceof DiskError && error.code === "not_found")) throw error;
    });
  }
}
