import { type Clock, pause } from "../../io/mod.ts";
import { objectKey, objectParts, storedBytes } from "../../storage/cold/mod.ts";
import type { ObjectName, RetainedRanges } from "../../stream/mod.ts";
import type { ColdTier } from "./tier.ts";

/**
 * An object beyond this is written at a twentieth of a core, with the disk at rest half of the time at
 * least: 128 MiB as fast as that goes are half a core for a second, which appends may need, and
 * whatever they have to sync waits behind it.
 */
const LARGE_BYTES = 8 << 20;
const LARGE_PAUSE_MS = { least: 12, most: 50 };

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
  const parts = inTurns(objectParts(object, bytes.parts()), clock, name.length > LARGE_BYTES);
  return tier.store.put(objectKey(object), storedBytes(object), parts, signal);
}

async function* inTurns(
  parts: AsyncIterable<Uint8Array>,
  clock: Clock,
  isLarge: boolean,
): AsyncGenerator<Uint8Array> {
  const { least, most } = LARGE_PAUSE_MS;
  for await (const part of parts) {
    const beganMs = clock.monotonicMs();
    yield part;
    const tookMs = clock.monotonicMs() - beganMs;
    await pause(clock, isLarge ? Math.min(Math.max(tookMs, least), most) : 0);
  }
}
