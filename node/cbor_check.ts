/** Depth of nesting that any message between nodes has. */
const DEPTH_MAX = 8;

const UNSIGNED = 0, NEGATIVE = 1, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5, OTHER = 7;

/**
 * Whether `bytes[from..to)` is exactly one CBOR item out of what nodes say to each other: numbers,
 * texts, byte strings, arrays, maps with texts as keys. The library believes every length that it
 * reads; after this it may, since each announced item is there, and their number is bounded by the
 * bytes that came.
 */
export function isOneItem(bytes: Uint8Array, from: number, to: number): boolean {
  return to <= bytes.length && skip(bytes, from, to, 0) === to;
}

/** Where the item at `at` ends; -1 where there is none. */
function skip(bytes: Uint8Array, at: number, to: number, depth: number): number {
  if (at < 0 || at >= to || depth > DEPTH_MAX) return -1;
  const initial = bytes[at] as number; // at < to <= length
  const major = initial >>> 5;
  const low = initial & 0x1f;
  if (major === OTHER) return skipOther(low, at, to);
  const width = low < 24 ? 0 : low === 24 ? 1 : low === 25 ? 2 : low === 26 ? 4 : -1;
  const next = at + 1 + width;
  if (width < 0 || next > to) return -1;
  if (major === UNSIGNED || major === NEGATIVE) return next;
  let argument = width === 0 ? low : 0;
  for (let i = at + 1; i < next; i++) argument = argument * 256 + (bytes[i] as number); // next <= to
  if (argument > to - next) return -1;
  if (major === BYTES || major === TEXT) return next + argument;
  if (major !== ARRAY && major !== MAP) return -1;
  let end = next;
  for (let i = 0; i < argument && end >= 0; i++) {
    if (major === MAP) {
      if ((bytes[end] ?? 0) >>> 5 !== TEXT) return -1;
      end = skip(bytes, end, to, depth + 1);
    }
    end = skip(bytes, end, to, depth + 1);
  }
  return end;
}

/** False, true, null, undefined and floats. */
function skipOther(low: number, at: number, to: number): number {
  const width = low >= 20 && low <= 23 ? 0 : low === 26 ? 4 : low === 27 ? 8 : -1;
  const next = at + 1 + width;
  return width < 0 || next > to ? -1 : next;
}
