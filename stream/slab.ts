/**
 * Slabs: the memory that entries, journal records and hot bytes share.
 *
 * @module
 */

import type { Slab, Slice } from "./types.ts";

/** Size of the slabs that an import fills, in bytes. */
export const SLAB_BYTES = 1024 * 1024;

/** Hands out fresh slabs of at least `bytes` bytes, with `live` 0. */
export type SlabAllocator = (bytes: number) => Slab;

/** A fresh slab on its own memory. */
export function newSlab(bytes: number): Slab {
  return { bytes: new Uint8Array(bytes), live: 0 };
}

/** A slice over all of `bytes`, in a slab of its own. */
export function sliceOf(bytes: Uint8Array): Slice {
  return { slab: { bytes, live: 0 }, start: 0, end: bytes.length };
}

/** Counts `bytes` more of the slab as needed. */
export function retain(slab: Slab, bytes: number): void {
  slab.live += bytes;
}

/** Gives `bytes` back that {@linkcode retain} counted. A slab with none live may be used anew. */
export function release(slab: Slab, bytes: number): void {
  slab.live -= bytes;
  if (slab.live < 0) throw new Error("slab released more than it retained");
}

/** The bytes of `slices`, one after another, in memory of their own. */
export function copySlices(slices: readonly Slice[]): Uint8Array {
  let length = 0;
  for (const slice of slices) length += slice.end - slice.start;
  const out = new Uint8Array(length);
  let at = 0;
  for (const { slab, start, end } of slices) {
    out.set(slab.bytes.subarray(start, end), at);
    at += end - start;
  }
  return out;
}

/** Bump allocation inside slabs of {@linkcode SLAB_BYTES}; a larger piece gets a slab of its own. */
export class SlabFiller {
  #slab: Slab | undefined;
  #used = 0;

  /** @param allocate where slabs come from */
  constructor(private readonly allocate: SlabAllocator) {}

  /** Room for `length` bytes, not retained yet. */
  reserve(length: number): Slice {
    if (length > SLAB_BYTES) {
      return { slab: this.allocate(length), start: 0, end: length };
    }
    let slab = this.#slab;
    if (slab === undefined || this.#used + length > slab.bytes.length) {
      slab = this.#slab = this.allocate(SLAB_BYTES);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used = start + length;
    return { slab, start, end: start + length };
  }
}
