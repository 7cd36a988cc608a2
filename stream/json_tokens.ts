/**
 * The tokens of JSON (RFC 8259) in UTF-8 bytes: where a string, number or word ends.
 *
 * Each function answers the position behind the token that begins at `from`, or, where it is
 * malformed, the position of the offending byte as `-1 - position`: a number, so that the hot loop
 * allocates nothing.
 *
 * @module
 */

const QUOTE = 0x22, BACKSLASH = 0x5c, MINUS = 0x2d, PLUS = 0x2b, DOT = 0x2e, ZERO = 0x30;

/** 1 for bytes that a string can't hold as they are: controls, quote, backslash, not ASCII. */
const special = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  special[byte] = byte < 0x20 || byte === QUOTE || byte === BACKSLASH || byte >= 0x80 ? 1 : 0;
}

/** 1 for bytes that may follow a backslash, 2 for `u`. */
const escapes = new Uint8Array(256);
for (const letter of '"\\/bfnrt') escapes[letter.charCodeAt(0)] = 1;
escapes["u".charCodeAt(0)] = 2;

const WORDS = ["true", "false", "null"].map((word) => new TextEncoder().encode(word));

/** Behind the string whose opening quote is at `from`. */
export function stringEnd(input: Uint8Array, from: number): number {
  const length = input.length;
  let i = from + 1;
  while (i < length) {
    // Most bytes of most bodies: four at a time, as long as none of them is special.
    while (i + 3 < length) {
      const a = special[input[i] as number], b = special[input[i + 1] as number];
      const c = special[input[i + 2] as number], d = special[input[i + 3] as number];
      if (a !== 0 || b !== 0 || c !== 0 || d !== 0) break;
      i += 4;
    }
    const byte = input[i] as number; // i < length, here and below
    if (special[byte] === 0) {
      i++;
    } else if (byte === QUOTE) {
      return i + 1;
    } else if (byte === BACKSLASH) {
      const kind = i + 1 < length ? escapes[input[i + 1] as number] : 0;
      if (kind === 0) return -1 - (i + 1);
      if (kind === 1) {
        i += 2;
      } else {
        for (let digit = i + 2; digit < i + 6; digit++) {
          if (digit >= length || !isHex(input[digit] as number)) return -1 - digit;
        }
        i += 6;
      }
    } else if (byte >= 0x80) {
      const bytes = sequenceLength(input, i);
      if (bytes === 0) return -1 - i;
      i += bytes;
    } else {
      return -1 - i;
    }
  }
  return -1 - length;
}

/** Behind the number that begins at `from`. */
export function numberEnd(input: Uint8Array, from: number): number {
  let i = from;
  if (input[i] === MINUS) i++;
  if (input[i] === ZERO) {
    i++;
  } else {
    const digits = digitsEnd(input, i);
    if (digits === i) return -1 - i;
    i = digits;
  }
  if (input[i] === DOT) {
    const digits = digitsEnd(input, i + 1);
    if (digits === i + 1) return -1 - digits;
    i = digits;
  }
  if (((input[i] ?? 0) | 0x20) === 0x65) {
    let at = i + 1;
    if (input[at] === PLUS || input[at] === MINUS) at++;
    const digits = digitsEnd(input, at);
    if (digits === at) return -1 - at;
    i = digits;
  }
  return i;
}

/** Behind `true`, `false` or `null` at `from`. */
export function wordEnd(input: Uint8Array, from: number): number {
  for (const word of WORDS) {
    if (input[from] !== word[0]) continue;
    for (let i = 1; i < word.length; i++) {
      if (input[from + i] !== word[i]) return -1 - Math.min(from + i, input.length);
    }
    return from + word.length;
  }
  return -1 - from;
}

/** The fault that a negative answer of this module stands for. */
export function scanFault(
  input: Uint8Array,
  answer: number,
): { readonly fault: string; readonly position: number } {
  const position = -1 - answer;
  const fault = position >= input.length
    ? "ends early: expected the rest of a value"
    : "malformed value: a string, number, true, false or null was expected";
  return { fault, position };
}

function digitsEnd(input: Uint8Array, from: number): number {
  let i = from;
  while (i < input.length && (input[i] as number) - ZERO <= 9 && (input[i] as number) >= ZERO) i++;
  return i;
}

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
}

/** Bytes of the UTF-8 sequence at `from` (RFC 3629, table in section 4); 0 where it is none. */
function sequenceLength(input: Uint8Array, from: number): number {
  const first = input[from] as number; // the caller has seen it
  const second = input[from + 1] ?? 0;
  if (first < 0xc2 || first > 0xf4 || !isTail(second)) return 0;
  if (first < 0xe0) return 2;
  if (!isTail(input[from + 2] ?? 0)) return 0;
  if (first < 0xf0) {
    const overlong = first === 0xe0 && second < 0xa0;
    const surrogate = first === 0xed && second > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (!isTail(input[from + 3] ?? 0)) return 0;
  const overlong = first === 0xf0 && second < 0x90;
  const beyond = first === 0xf4 && second > 0x8f;
  return overlong || beyond ? 0 : 4;
}

function isTail(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
