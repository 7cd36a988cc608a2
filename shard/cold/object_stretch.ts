import { copySlices, type ObjectName, type Slice } from "../../stream/mod.ts";
import type { ColdState } from "../../stream/mod.ts";
import { FETCH_BYTES_MAX } from "../access.ts";

/** Passes where an object has these bytes. @throws RangeError when not, or they are too many */
export function checkStretch({ number, length: bytes }: ObjectName, at: number, length: number) {
  const whole = Number.isSafeInteger(at) && Number.isSafeInteger(length);
  if (whole && at >= 0 && length >= 0 && length <= FETCH_BYTES_MAX && at + length <= bytes) return;
  throw new RangeError(`bytes ${at} to ${at + length} of object ${number}, which has ${bytes}`);
}

/** A copy of an object's bytes where they are pinned in memory; undefined where they are not. */
export function pinnedStretch(
  state: ColdState,
  { number, term, length: bytes }: ObjectName,
  at: number,
  length: number,
): Uint8Array | undefined {
  const record = state.objects.get(number);
  if (record?.term !== term || record.length !== bytes) return undefined;
  if (!state.pinnedObjects().includes(number)) return undefined;
  const slices: Slice[] = [];
  let from = 0;
  for (const { slab, start, end } of state.pinnedPayload(number)) {
    if (from >= at + length) break;
    const skipped = Math.max(0, at - from);
    const last = Math.min(end, start + at + length - from);
    if (start + skipped < last) slices.push({ slab, start: start + skipped, end: last });
    from += end - start;
  }
  return copySlices(slices);
}
