import { type Clock, pause } from "../../io/mod.ts";
import { objectKey, objectParts, storedBytes } from "../../storage/cold/mod.ts";
import type { ObjectName, RetainedRanges } from "../../stream/mod.ts";
import type { ColdTier } from "./tier.ts";

/**
 * What an object has beyond this is written at a tenth of a core: 128 MiB as fast as that goes are
 * half of one for a second, which appends may need.
 */
const LARGE_BYTES = 8 << 20;
const LARGE_PAUSE_MS = 6;

/**
 * Puts an object of a group, a stretch of it at a time, however fast the store is: others go on
 * between two.
 */
export function putObject(
  { tier, clock }: { readonly tier: ColdTier; readonly clock: Clock },
  group: number,
  name: ObjectName,
  bytes: RetainedRanges,
  signal: AbortSignal,
): Promise<void> {
  const object = tier.object(group, name);
  const parts = inTurns(objectParts(object, bytes.parts()), clock);
  return tier.store.put(objectKey(object), storedBytes(object), parts, signal);
}

async function* inTurns(
  parts: AsyncIterable<Uint8Array>,
  clock: Clock,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of parts) {
    yield part;
    bytes += part.length;
    await pause(clock, bytes < LARGE_BYTES ? 0 : LARGE_PAUSE_MS);
  }
}
