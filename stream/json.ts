/**
 * JSON bodies into stored form (P§9.1): validated, one array level flattened, white space dropped,
 * the client's own bytes otherwise.
 *
 * One pass and no recursion. Nothing is parsed into values: tokens are checked against RFC 8259
 * and strings against UTF-8, and whole runs between white space are copied.
 *
 * @module
 */

import { numberEnd, scanFault, stringEnd, wordEnd } from "./json_tokens.ts";

/** Deepest nesting that is taken, the flattened array included. */
export const JSON_DEPTH_MAX = 1024;

/** Message ends that the scratch keeps room for between calls. */
const KEPT_MESSAGES = 64 * 1024;

/** Up to this many lengths a plain array is cheaper than a typed one. */
const FEW_MESSAGES = 16;

/** A body in stored form. */
export interface NormalizedJson {
  /** Bytes written to the output. */
  readonly written: number;
  /** Stored length of each message, separator included; empty for an empty array. */
  readonly lengths: readonly number[] | Uint32Array;
}

/** Why a body is no JSON, or can't be taken. */
export interface JsonFault {
  /** What was expected, one line without any of the input. */
  readonly fault: string;
  /** There are more messages than were asked for; what follows was not looked at. */
  readonly tooMany?: true;
  /** Byte at which it was missed. */
  readonly position: number;
}

/** How to take an array at the top. */
export interface NormalizeOptions {
  /** Its elements are messages of their own (P§9.1.2). */
  readonly flatten: boolean;
  /** So many messages there may be. */
  readonly messagesMax: number;
}

/** What the grammar allows next. */
const VALUE = 0, VALUE_OR_END = 1, KEY = 2, KEY_OR_END = 3, AFTER = 4, END = 5;
const ARRAY = 0, OBJECT = 1;

const QUOTE = 0x22, COMMA = 0x2c, COLON = 0x3a, OPEN_ARRAY = 0x5b, CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b, CLOSE_OBJECT = 0x7d;

/** Runs up to this length are copied byte by byte: cheaper than a view. */
const SHORT_RUN_BYTES = 48;

const containers = new Uint8Array(JSON_DEPTH_MAX + 1);
let ends = new Uint32Array(1024);

/** How many bytes the stored form of a body may take. */
export function normalizedBytesMax(inputBytes: number): number {
  return inputBytes + 1;
}

/**
 * Writes the stored form of `input` to `output` from `at` on, where there must be
 * {@linkcode normalizedBytesMax} bytes of room. The output after a fault is undefined.
 *
 * @throws RangeError when the output is too small
 */
export function normalizeJson(
  input: Uint8Array,
  output: Uint8Array,
  at: number,
  options: NormalizeOptions,
): NormalizedJson | JsonFault {
  const length = input.length;
  const { messagesMax } = options;
  if (output.length - at < normalizedBytesMax(length)) {
    throw new RangeError("no room for normalized JSON");
  }
  let i = 0, out = at, run = 0, depth = 0, mode = VALUE, messages = 0, flat = false;
  while (true) {
    if (i >= length) break;
    const byte = input[i] as number; // i < length
    if (byte <= 0x20) {
      if (!isSpace(byte)) return { fault: expectation(mode), position: i };
      out = copyRun(input, run, i, output, out);
      while (++i < length && isSpace(input[i] as number)); // i < length
      run = i;
      continue;
    }
    if (mode === AFTER) {
      if (depth === 0) return { fault: expectation(END), position: i };
      if (byte === COMMA) {
        i++;
        if (flat && depth === 1) {
          if (messages >= messagesMax) return tooMany(i);
          addEnd(messages++, out + i - run - at);
          mode = VALUE;
        } else {
          mode = containers[depth] === OBJECT ? KEY : VALUE;
        }
        continue;
      }
      const close = containers[depth] === OBJECT ? CLOSE_OBJECT : CLOSE_ARRAY;
      if (byte !== close) return { fault: expectation(AFTER), position: i };
      depth--;
      if (flat && depth === 0) {
        if (messages >= messagesMax) return tooMany(i);
        out = copyRun(input, run, i, output, out);
        output[out++] = COMMA;
        addEnd(messages++, out - at);
        run = i + 1;
        mode = END;
      }
      i++;
      continue;
    }
    if (mode === KEY || mode === KEY_OR_END) {
      if (byte === QUOTE) {
        i = stringEnd(input, i);
        if (i < 0) return scanFault(input, i);
        const colon = i;
        while (i < length && isSpace(input[i] as number)) i++; // i < length
        if (i >= length || input[i] !== COLON) {
          return { fault: "expected ':' after an object's key", position: i };
        }
        if (i > colon) {
          out = copyRun(input, run, colon, output, out);
          run = i;
        }
        i++;
        mode = VALUE;
        continue;
      }
      if (mode === KEY || byte !== CLOSE_OBJECT) return { fault: expectation(mode), position: i };
      i++;
      depth--;
      mode = AFTER;
      continue;
    }
    if (mode === END) return { fault: expectation(END), position: i };
    if (byte === QUOTE) {
      i = stringEnd(input, i);
      if (i < 0) return scanFault(input, i);
      mode = AFTER;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (depth === JSON_DEPTH_MAX) {
        return { fault: `nested deeper than ${JSON_DEPTH_MAX} levels`, position: i };
      }
      containers[++depth] = byte === OPEN_OBJECT ? OBJECT : ARRAY;
      mode = byte === OPEN_OBJECT ? KEY_OR_END : VALUE_OR_END;
      if (depth === 1 && byte === OPEN_ARRAY && options.flatten) {
        flat = true;
        run = i + 1;
      }
      i++;
    } else if (byte === CLOSE_ARRAY && mode === VALUE_OR_END) {
      depth--;
      mode = AFTER;
      if (flat && depth === 0) {
        run = i + 1;
        mode = END;
      }
      i++;
    } else {
      i = byte <= 0x39 ? numberEnd(input, i) : wordEnd(input, i);
      if (i < 0) return scanFault(input, i);
      mode = AFTER;
    }
  }
  if (mode !== END && !(mode === AFTER && depth === 0)) {
    return { fault: `ends early: ${expectation(mode)}`, position: length };
  }
  if (mode === AFTER) {
    out = copyRun(input, run, length, output, out);
    output[out++] = COMMA;
    return { written: out - at, lengths: [out - at] };
  }
  return { written: out - at, lengths: takeLengths(messages) };
}

function tooMany(position: number): JsonFault {
  return { fault: "expected no more elements", position, tooMany: true };
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function expectation(mode: number): string {
  switch (mode) {
    case VALUE:
      return "expected a value";
    case VALUE_OR_END:
      return "expected a value or ']'";
    case KEY:
      return "expected an object's key";
    case KEY_OR_END:
      return "expected an object's key or '}'";
    case AFTER:
      return "expected ',' or the end of the array or object";
    default:
      return "expected nothing more after the value";
  }
}

/** Copies `input[from..to)` to `output` at `at`; answers where it ends there. */
function copyRun(
  input: Uint8Array,
  from: number,
  to: number,
  output: Uint8Array,
  at: number,
): number {
  const length = to - from;
  if (length > SHORT_RUN_BYTES) {
    output.set(input.subarray(from, to), at);
  } else {
    for (let i = 0; i < length; i++) output[at + i] = input[from + i] as number; // to <= length
  }
  return at + length;
}

function addEnd(message: number, end: number): void {
  if (message === ends.length) {
    const larger = new Uint32Array(ends.length * 2);
    larger.set(ends);
    ends = larger;
  }
  ends[message] = end;
}

/** The lengths between the ends collected, in memory of their own. */
function takeLengths(messages: number): readonly number[] | Uint32Array {
  if (messages <= FEW_MESSAGES) {
    const few: number[] = [];
    for (let i = 0, start = 0; i < messages; i++) {
      const end = ends[i] as number; // i < messages
      few.push(end - start);
      start = end;
    }
    return few;
  }
  const lengths = ends.slice(0, messages);
  for (let i = messages - 1; i > 0; i--) {
    lengths[i] = (lengths[i] as number) - (lengths[i - 1] as number); // both within
  }
  if (ends.length > KEPT_MESSAGES) ends = new Uint32Array(1024);
  return lengths;
}
