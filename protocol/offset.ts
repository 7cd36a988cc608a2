/**
 * Offsets (SPEC section 3, P§8): byte positions, on the wire 20 decimal digits.
 *
 * @module
 */

/** Digits of an offset as the server writes it; zero-padded, so that text sorts as numbers do. */
export const OFFSET_DIGITS = 20;

/** Stands for every position too large for a number: no stream grows that long. */
export const OFFSET_BEYOND_ANY_TAIL: number = Number.MAX_SAFE_INTEGER;

/** Digits of each half of the reference server's form, `file_position`. */
const HALF_DIGITS = 16;
const PAIR_LENGTH = HALF_DIGITS * 2 + 1;
const ZERO = 0x30;
const UNDERSCORE = 0x5f;

/** `ZEROS[n]` fills `n` digits up to 20. */
const ZEROS: readonly string[] = Array.from(
  { length: OFFSET_DIGITS + 1 },
  (_, digits) => "0".repeat(OFFSET_DIGITS - digits),
);

/** A byte position as the server writes it. @param offset 0 to 2^53 - 1 */
export function formatOffset(offset: number): string {
  // Adding to a string takes V8's shortest way to decimal digits: half the time of `padStart`.
  const digits = "" + offset;
  return ZEROS[digits.length] + digits;
}

/**
 * Reads an offset as clients send it: `-1` is `"start"`, `now` is `"now"`, 1 to 20 digits or the
 * reference server's `0000000000000000_NNNNNNNNNNNNNNNN` are a position, everything else is
 * undefined. A position that no stream can have is {@linkcode OFFSET_BEYOND_ANY_TAIL}; what to
 * answer it with is {@linkcode echoOffset} of the same text.
 */
export function parseOffset(text: string): number | "start" | "now" | undefined {
  const length = text.length;
  if (length <= OFFSET_DIGITS) {
    if (length === 2 && text === "-1") return "start";
    if (length === 3 && text === "now") return "now";
    return length === 0 ? undefined : clamped(digitsBetween(text, 0, length));
  }
  if (length !== PAIR_LENGTH || text.charCodeAt(HALF_DIGITS) !== UNDERSCORE) return undefined;
  const file = digitsBetween(text, 0, HALF_DIGITS);
  const position = digitsBetween(text, HALF_DIGITS + 1, PAIR_LENGTH);
  if (file < 0 || position < 0) return undefined;
  return file === 0 ? clamped(position) : OFFSET_BEYOND_ANY_TAIL;
}

/**
 * The 20 digits of a position that {@linkcode parseOffset} took, to answer a read beyond the tail
 * with the offset it asked for (P§5.6), exactly even where a number could not hold it.
 */
export function echoOffset(text: string): string {
  if (text.length <= OFFSET_DIGITS) return ZEROS[text.length] + text;
  // The reference's form names a file first; no file but the first one has a position here.
  if (digitsBetween(text, 0, HALF_DIGITS) !== 0) return "9".repeat(OFFSET_DIGITS);
  return ZEROS[HALF_DIGITS] + text.slice(HALF_DIGITS + 1);
}

/** The value of the digits from `start` to `end`, -1 where a character is none; may exceed 2^53. */
function digitsBetween(text: string, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function clamped(value: number): number | undefined {
  if (value < 0) return undefined;
  return value < OFFSET_BEYOND_ANY_TAIL ? value : OFFSET_BEYOND_ANY_TAIL;
}
