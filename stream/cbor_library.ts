/**
 * The CBOR library, set up once: plain arrays and values, nothing of its own dialect.
 *
 * @module
 */

import { Decoder, Encoder } from "cbor-x";

const options = { useRecords: false, mapsAsObjects: true };
const encoder = new Encoder(options);
const decoder = new Decoder(options);

/** An array as CBOR; valid until the next call. */
export function encodeCbor(values: readonly unknown[]): Uint8Array {
  return encoder.encode(values);
}

/** The value that `bytes` hold. @throws Error where they are no CBOR */
export function decodeCbor(bytes: Uint8Array): unknown {
  return decoder.decode(bytes);
}
