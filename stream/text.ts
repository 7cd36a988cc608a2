/**
 * Byte order and byte boundaries of UTF-8 text.
 *
 * @module
 */

/** Longest UTF-8 sequence, in bytes. */
const CODE_POINT_BYTES_MAX = 4;

/** Ranks a UTF-16 code unit as its code point ranks in UTF-8: surrogates after U+E000..U+FFFF. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  if (unit >= 0xd800) return unit + 0x2000;
  return unit;
}

/** Compares as the UTF-8 bytes of both strings would: negative, 0 or positive. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i), y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/**
 * Where to cut `bytes`, at most `wanted` bytes after `from`, so that no code point is split;
 * at least one code point, even when it is longer than `wanted`. `end` bounds both. Bytes that are
 * no UTF-8 are cut at `wanted`.
 */
export function codePointCut(
  byteAt: (position: number) => number,
  from: number,
  wanted: number,
  end: number,
): number {
  const target = Math.min(from + wanted, end);
  if (target === end) return end;
  const isStart = (position: number) => (byteAt(position) & 0xc0) !== 0x80;
  for (let back = 0; target - back > from; back++) {
    if (back === CODE_POINT_BYTES_MAX) return target;
    if (isStart(target - back)) return target - back;
  }
  let cut = from + 1;
  while (cut < end && cut - from < CODE_POINT_BYTES_MAX && !isStart(cut)) cut++;
  return cut;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * The same text in memory of its own. A string cut out of a longer one keeps that one alive; what
 * is kept for the life of a stream must not hold a whole request line.
 */
export function ownText(text: string): string {
  return decoder.decode(encoder.encode(text));
}
