/**
 * Puts the bodies of requests together.
 *
 * @module
 */

import { type Clock, pause } from "../../io/mod.ts";

/** Bytes that are put together without a pause: about a millisecond. */
const TURN_BYTES = 1 << 20;
/** An object's bytes again, in pieces of `length`, in memory of their own, the last one shorter. */
export async function* gathered(
  parts: AsyncIterable<Uint8Array>,
  size: number,
  length: number,
): AsyncGenerator<Uint8Array> {
  let left = size;
  let piece = new Uint8Array(Math.min(left, length));
  let filled = 0;
  for await (const part of parts) {
    for (let at = 0; at < part.length;) {
      const taken = part.subarray(at, at + piece.length - filled);
      piece.set(taken, filled);
      filled += taken.length;
      at += taken.length;
      left -= taken.length;
      if (filled < piece.length || left === 0) continue;
      yield piece;
      piece = new Uint8Array(Math.min(left, length));
      filled = 0;
    }
  }
  yield piece;
}

/** Hands parts on, and lets the event loop go on now and then: they may all be at hand at once. */
export async function* inTurns(
  clock: Clock,
  parts: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of parts) {
    yield part;
    bytes += part.length;
    if (bytes < TURN_BYTES) continue;
    bytes = 0;
    await pause(clock, 0);
  }
}
