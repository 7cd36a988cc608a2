/**
 * Facts of a stream where a test needs any.
 *
 * @module
 */

import type { StreamFacts } from "../../stream/mod.ts";

/** Facts of an open text stream of three bytes, but for what is given. */
export function factsOf(more: Partial<StreamFacts> = {}): StreamFacts {
  return {
    incarnation: "i",
    contentType: "text/plain",
    json: false,
    tail: 3,
    earliest: 0,
    closed: false,
    createdAtMs: 0,
    lastWriteAtMs: 0,
    ...more,
  };
}
