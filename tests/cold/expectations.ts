/**
 * What tests of cold stores expect.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ColdError, type ColdErrorKind } from "../../storage/cold/error.ts";

/** Bytes that repeat only every so many, which no block or part is a multiple of. */
export function patterned(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  const period = Math.min(length, 99_991);
  for (let at = 0; at < period; at++) bytes[at] = (at * 31 + (at >>> 8) * 7 + seed) & 0xff;
  for (let at = period; at < length; at *= 2) bytes.copyWithin(at, 0, at);
  return bytes;
}

/** Waits for a {@linkcode ColdError} of that kind, and gives it. */
export async function failsWith(
  kind: ColdErrorKind,
  outcome: Promise<unknown>,
  key?: string,
): Promise<ColdError> {
  const error = await outcome.then(() => undefined, (error: unknown) => error);
  assert.ok(error instanceof ColdError, String(error));
  assert.equal(error.kind, kind, error.message);
  if (key !== undefined) {
    assert.equal(error.key, key);
    assert.ok(error.message.includes(key), error.message);
  }
  return error;
}
