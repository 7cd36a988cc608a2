import type { ColdObjectName } from "../../storage/cold/mod.ts";
import { objectKey } from "../../storage/cold/mod.ts";
import type { ColdCounters } from "./counters.ts";
import type { ColdTier } from "./tier.ts";

/** Deletions of a shard at a time. */
const DELETIONS_MAX = 4;

/**
 * Deletes objects in the store, and what is kept of them for readers.
 *
 * @param deleted hears of each that is gone
 * @throws what the store said of the first that it did not delete; others may be gone
 */
export async function deleteObjects(
  tier: ColdTier,
  counters: ColdCounters,
  objects: Iterable<ColdObjectName>,
  signal: AbortSignal,
  deleted: (object: ColdObjectName) => void = () => {},
): Promise<void> {
  const left = objects[Symbol.iterator]();
  let failed = false;
  const deleteSome = async () => {
    for (let next = left.next(); !next.done && !failed; next = left.next()) {
      signal.throwIfAborted();
      try {
        await tier.store.delete(objectKey(next.value), signal);
      } catch (reason) {
        failed = true;
        throw reason;
      }
      // What is kept goes by key alone.
      tier.reader.forget({ ...next.value, bytes: 0 });
      counters.deletedObjects++;
      deleted(next.value);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: DELETIONS_MAX }, deleteSome));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
