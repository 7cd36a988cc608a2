/**
 * Makes segment files ahead of need, full of zeros and synced: appending to them then changes no
 * metadata, and a sync costs half as much as one of a file that grows.
 *
 * @module
 */

import { type Clock, type Disk, type DiskFile, pause } from "../../io/mod.ts";
import { BackgroundLoop } from "./background_loop.ts";
import { ZERO_STEP_BYTES } from "./format.ts";
import { spareName } from "./names.ts";
import type { Segment } from "./segment.ts";

const ZEROS = new Uint8Array(ZERO_STEP_BYTES);

/**
 * While there is time, appends have the disk for themselves so many times as long as the last step
 * took, within bounds.
 */
const PAUSES = 3;
const PAUSE_MS_MAX = 50;
/** There is, as long as the spare file will be there before so much of the segment in use is full. */
const READY_AT = 0.5;

interface Spare {
  readonly file: DiskFile;
  readonly path: string;
}

/** How a {@linkcode SegmentMaker} works. */
export interface SegmentMakerOptions {
  readonly disk: Disk;
  /** Without one nothing pauses. */
  readonly clock: Clock | undefined;
  readonly directory: string;
  readonly journal: number;
  /** Size of the files made ahead. */
  readonly segmentBytes: number;
  /** How full the segment in use is, 0 to 1. */
  filled(): number;
  /** A segment that was asked for has its file now. */
  onReady(segment: Segment): void;
  onFailure(error: unknown): void;
}

/** Keeps one spare file, and makes others to measure. */
export class SegmentMaker {
  #spare: Spare | undefined = undefined;
  #count = 0;
  #wanted: Segment[] = [];
  /** Aborted when somebody waits. */
  #hurry = new AbortController();
  readonly #loop: BackgroundLoop;

  constructor(readonly options: SegmentMakerOptions) {
    this.#loop = new BackgroundLoop(() => this.#round(), (error) => options.onFailure(error));
  }

  /** Gives `segment` its file, at once if the spare will do; otherwise `onReady` follows. */
  equip(segment: Segment): void {
    if (this.#spare !== undefined && segment.size === this.options.segmentBytes) {
      give(segment, this.#spare);
      this.#spare = undefined;
    } else {
      this.#wanted.push(segment);
      this.#hurry.abort();
    }
    this.#loop.kick();
  }

  /** Makes sure that there is a spare. */
  prepare(): void {
    this.#loop.kick();
  }

  /** Ends the work, and removes what nobody needs. */
  async close(): Promise<void> {
    this.#hurry.abort();
    await this.#loop.stop();
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare === undefined) return;
    spare.file.close();
    await this.options.disk.remove(spare.path);
  }

  async #round(): Promise<void> {
    for (let segment = this.#wanted.shift(); segment; segment = this.#wanted.shift()) {
      const usesSpare = this.#spare !== undefined && segment.size === this.options.segmentBytes;
      const made = usesSpare ? this.#spare : await this.#make(segment.size);
      if (usesSpare) this.#spare = undefined;
      if (made === undefined) return;
      give(segment, made);
      this.options.onReady(segment);
    }
    this.#hurry = new AbortController();
    this.#spare ??= await this.#make(this.options.segmentBytes);
    if (this.#wanted.length > 0) this.#loop.kick();
  }

  /** A zeroed file; undefined when the work was stopped meanwhile. */
  async #make(size: number): Promise<Spare | undefined> {
    const { disk, clock, directory, journal } = this.options;
    const path = `${directory}/${spareName(journal, ++this.#count)}`;
    const file = await disk.open(path, { create: true });
    for (let at = 0; at < size; at += ZERO_STEP_BYTES) {
      if (this.#loop.stopped) {
        file.close();
        await disk.remove(path);
        return undefined;
      }
      const beganMs = clock?.monotonicMs() ?? 0;
      await file.write(ZEROS.subarray(0, Math.min(ZERO_STEP_BYTES, size - at)), at);
      // All at once it would go to the disk ahead of what appends wait for.
      await file.sync();
      if (clock === undefined || at / size < this.options.filled() / READY_AT) continue;
      const pauseMs = Math.min(PAUSES * (clock.monotonicMs() - beganMs), PAUSE_MS_MAX);
      await pause(clock, pauseMs, this.#hurry.signal);
    }
    return { file, path };
  }
}

function give(segment: Segment, { file, path }: Spare): void {
  segment.file = file;
  segment.temporaryPath = path;
}
