import { release, retain, type Slice } from "../../stream/mod.ts";

/** Slices that are read while the groups' turns go on, retained from the beginning. */
export class HeldSlices {
  readonly #slices: readonly Slice[];

  /** @param slices still valid: nothing was applied since they were handed out */
  constructor(slices: readonly Slice[]) {
    this.#slices = slices;
    for (const { slab, start, end } of slices) retain(slab, end - start);
  }

  /** The bytes, in order; may be asked for again. */
  *parts(): Generator<Uint8Array, void, void> {
    for (const { slab, start, end } of this.#slices) yield slab.bytes.subarray(start, end);
  }

  /** Gives them back, once. */
  release(): void {
    for (const { slab, start, end } of this.#slices) release(slab, end - start);
  }
}
