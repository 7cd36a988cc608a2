/**
 * Rows of message lengths as base-128 numbers, low bits first.
 *
 * @module
 */

/** Bytes that the row takes. */
export function lengthsBytes(lengths: readonly number[] | Uint32Array): number {
  let bytes = 0;
  for (let i = 0; i < lengths.length; i++) {
    bytes++;
    for (let left = lengths[i] as number; left >= 128; bytes++) left = Math.floor(left / 128);
  }
  return bytes;
}

/** Writes the row at `at`, where there is room for {@linkcode lengthsBytes}. */
export function writeLengths(
  lengths: readonly number[] | Uint32Array,
  into: Uint8Array,
  at: number,
): void {
  let out = at;
  for (let i = 0; i < lengths.length; i++) {
    let left = lengths[i] as number; // i < length
    while (left >= 128) {
      into[out++] = (left % 128) | 0x80;
      left = Math.floor(left / 128);
    }
    into[out++] = left;
  }
}

/** The row in `bytes[from..to)`; undefined unless they are positive and add up to `sum`. */
export function readLengths(
  bytes: Uint8Array,
  from: number,
  to: number,
  sum: number,
): Uint32Array | undefined {
  let count = 0;
  for (let i = from; i < to; i++) if ((bytes[i] as number) < 128) count++; // to <= length
  const lengths = new Uint32Array(count);
  let at = from, total = 0;
  for (let i = 0; i < count; i++) {
    let value = 0, weight = 1;
    let byte = bytes[at++] as number; // each of `count` numbers ends within the row
    while (byte >= 128) {
      value += (byte & 0x7f) * weight;
      weight *= 128;
      byte = bytes[at++] as number; // see above
    }
    value += byte * weight;
    if (value === 0) return undefined;
    lengths[i] = value;
    total += value;
  }
  return at === to && total === sum ? lengths : undefined;
}
