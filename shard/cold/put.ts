import type { Clock } from "../../io/mod.ts";
import { objectKey, objectParts, storedBytes } from "../../storage/cold/mod.ts";
import type { ObjectName, RetainedRanges } from "../../stream/mod.ts";
import type { ColdTier } from "./tier.ts";

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
  for await (const part of parts) {
    yield part;
    await new Promise<void>((resolve) => clock.setTimer(0, resolve));
  }
}
