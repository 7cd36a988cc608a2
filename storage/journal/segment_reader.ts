/**
 * Reads a segment front to back through slabs.
 *
 * @module
 */

import type { DiskFile } from "../../io/mod.ts";
import { SLAB_BYTES } from "./format.ts";
import { Slab } from "./slab.ts";

/** A window on a file. Its slab is given up for a new one once somebody keeps a view of it. */
export class SegmentReader {
  #slab = new Slab(SLAB_BYTES);
  #base = 0;
  #filled = 0;
  #kept = false;

  constructor(readonly file: DiskFile, readonly size: number) {}

  /** The memory that positions are looked up in; changes with every {@linkcode load}. */
  get slab(): Slab {
    return this.#slab;
  }

  /** Where the byte at `position` lies in the slab, if it and the `length - 1` after it are there. */
  find(position: number, length: number): number | undefined {
    const at = position - this.#base;
    return at >= 0 && at + length <= this.#filled ? at : undefined;
  }

  /** Moves the window so that it begins at `position` and holds at least `length` bytes, which the file must have. */
  async load(position: number, length: number): Promise<number> {
    const isFit = length <= this.#slab.bytes.length && this.#slab.bytes.length === SLAB_BYTES;
    if (this.#kept || !isFit) this.#slab = new Slab(Math.max(length, SLAB_BYTES));
    this.#kept = false;
    this.#base = position;
    const { bytes } = this.#slab;
    const wanted = bytes.subarray(0, Math.min(bytes.length, this.size - position));
    this.#filled = await this.file.read(wanted, position);
    return 0;
  }

  /** Somebody keeps a view of the slab at hand. */
  keep(): void {
    this.#kept = true;
  }
}
