import { copySlices, type Slice } from "../stream/mod.ts";

const EMPTY = new Uint8Array(0);

/** The bytes of slices, one after another: a view where it is one slice, else a copy. Read only. */
export function joinSlices(slices: readonly Slice[]): Uint8Array<ArrayBuffer> {
  const [first] = slices;
  if (first === undefined) return EMPTY;
  const joined = slices.length > 1
    ? copySlices(slices)
    : first.slab.bytes.subarray(first.start, first.end);
  return joined as Uint8Array<ArrayBuffer>;
}
