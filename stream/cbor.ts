/**
 * The few shapes of CBOR (RFC 8949) that an append's header is made of, written and read in place.
 *
 * An append is encoded once and decoded once per replica, and the general library takes about a
 * microsecond for each; this takes a fraction of it. The bytes are the library's own (the tests
 * hold both against each other), and whatever is not an append goes through the library.
 *
 * @module
 */

import { SHORT_TEXT_BYTES_MAX, shortText } from "./short_texts.ts";

const UNSIGNED = 0x00, TEXT = 0x60, ARRAY = 0x80, NULL = 0xf6, FLOAT64 = 0xfb;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Bytes that a text takes, its head included. */
export function textBytes(value: string): number {
  let { length } = value;
  for (let i = 0; i < value.length; i++) {
    if (value.charCodeAt(i) < 0x80) continue;
    length = encoder.encode(value).length;
    break;
  }
  return headBytes(length) + length;
}

/** Bytes that a whole number of at least 0 takes. */
export function numberBytes(value: number): number {
  return value <= 0xffffffff ? headBytes(value) : 9;
}

function headBytes(value: number): number {
  return value < 24 ? 1 : value < 0x100 ? 2 : value < 0x10000 ? 3 : 5;
}

/** Appends items to a buffer that its owner made large enough. */
export class CborWriter {
  /** Where the next item goes. */
  at = 0;
  readonly #view: DataView;

  /** @param bytes where to write; nothing is checked against its length */
  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The head of an array of `length` items. */
  array(length: number): void {
    this.#head(ARRAY, length);
  }

  /** `null`. */
  none(): void {
    this.bytes[this.at++] = NULL;
  }

  /** A whole number of at least 0; beyond 32 bits as a float, as the library has it. */
  number(value: number): void {
    if (value <= 0xffffffff) {
      this.#head(UNSIGNED, value);
    } else {
      this.bytes[this.at++] = FLOAT64;
      this.#view.setFloat64(this.at, value);
      this.at += 8;
    }
  }

  /** A text. */
  text(value: string): void {
    const { length } = value;
    const start = this.at;
    if (length < 256) {
      const headBytes = length < 24 ? 1 : 2;
      const bytes = this.bytes;
      const from = start + headBytes;
      let i = 0;
      for (; i < length; i++) {
        const unit = value.charCodeAt(i);
        if (unit >= 0x80) break;
        bytes[from + i] = unit;
      }
      if (i === length) {
        this.#head(TEXT, length);
        this.at = from + length;
        return;
      }
    }
    const encoded = encoder.encode(value);
    this.#head(TEXT, encoded.length);
    this.bytes.set(encoded, this.at);
    this.at += encoded.length;
  }

  #head(major: number, value: number): void {
    if (value < 24) {
      this.bytes[this.at++] = major | value;
    } else if (value < 0x100) {
      this.bytes[this.at++] = major | 24;
      this.bytes[this.at++] = value;
    } else if (value < 0x10000) {
      this.bytes[this.at++] = major | 25;
      this.#view.setUint16(this.at, value);
      this.at += 2;
    } else {
      this.bytes[this.at++] = major | 26;
      this.#view.setUint32(this.at, value);
      this.at += 4;
    }
  }
}

/** Reads items one after another. Bounds are the caller's: see {@linkcode CborReader.at}. */
export class CborReader {
  /** Where the next item begins. Beyond the header's end once a damaged one was read too far. */
  at = 0;
  #bytes: Uint8Array = new Uint8Array(0);

  /** Goes on at `at` of `bytes`. */
  seek(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes;
    this.at = at;
  }

  /** The length of the array that begins here; -1 where none does. */
  array(): number {
    const initial = this.#bytes[this.at] ?? 0;
    return (initial & 0xe0) === ARRAY ? this.#argument() : -1;
  }

  /** A number; NaN where there is none. */
  number(): number {
    const initial = this.#bytes[this.at] ?? 0xff;
    if (initial === FLOAT64) return this.#float();
    return (initial & 0xe0) === UNSIGNED ? this.#argument() : NaN;
  }

  /** A text; undefined for anything else of one byte. */
  text(): string | undefined {
    const bytes = this.#bytes;
    const initial = bytes[this.at] ?? 0xff;
    if ((initial & 0xe0) !== TEXT) {
      this.at++;
      return undefined;
    }
    const length = this.#argument();
    const from = this.at;
    this.at += length;
    // What was damaged may end beyond the bytes.
    const isShort = length <= SHORT_TEXT_BYTES_MAX && this.at <= bytes.length;
    const short = isShort ? shortText(bytes, from, this.at) : undefined;
    return short ?? decoder.decode(bytes.subarray(from, this.at));
  }

  /** A number where there is one; undefined for anything else of one byte. */
  optionalNumber(): number | undefined {
    const initial = this.#bytes[this.at] ?? 0xff;
    if (initial === NULL) {
      this.at++;
      return undefined;
    }
    return this.number();
  }

  #argument(): number {
    const bytes = this.#bytes;
    const low = (bytes[this.at++] ?? 0) & 0x1f;
    if (low < 24) return low;
    const width = low === 24 ? 1 : low === 25 ? 2 : low === 26 ? 4 : 0;
    let value = 0;
    for (let i = 0; i < width; i++) value = value * 256 + (bytes[this.at++] ?? 0);
    return width === 0 ? NaN : value;
  }

  #float(): number {
    const view = floatView;
    for (let i = 0; i < 8; i++) view.setUint8(i, this.#bytes[this.at + 1 + i] ?? 0);
    this.at += 9;
    return view.getFloat64(0);
  }
}

const floatView = new DataView(new ArrayBuffer(8));
