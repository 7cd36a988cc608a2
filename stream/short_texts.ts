/**
 * Short texts out of bytes. The same few come again with every append to a stream: its key, its
 * type, its incarnation. One that was read before is answered as the string that was made then,
 * which costs a comparison, no memory, and no new hash where it is looked up.
 *
 * @module
 */

/** Texts that are kept, a power of two: at {@linkcode SHORT_TEXT_BYTES_MAX} each some 400 KiB. */
const SLOTS = 4_096;
/** Longer texts are for the platform's decoder, in bytes. */
export const SHORT_TEXT_BYTES_MAX = 64;

/** FNV-1a of 32 bits. */
const HASH_BASIS = 0x811c9dc5, HASH_PRIME = 0x01000193;

/** By hash; a text makes way for the next one with its place. */
const kept: (string | undefined)[] = new Array(SLOTS).fill(undefined);

/** The text from `start` to `end` of `bytes`, which is in bounds; undefined where it is not ASCII. */
export function shortText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let hash = HASH_BASIS;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number; // in bounds by contract
    if (byte >= 0x80) return undefined;
    hash = Math.imul(hash ^ byte, HASH_PRIME);
  }
  const slot = (hash ^ hash >>> 16) & (SLOTS - 1);
  const known = kept[slot];
  if (known !== undefined && isThere(known, bytes, start, end)) return known;
  const units: number[] = [];
  for (let i = start; i < end; i++) units.push(bytes[i] as number); // in bounds by contract
  return kept[slot] = String.fromCharCode.apply(null, units);
}

function isThere(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== bytes[start + i]) return false;
  }
  return true;
}
