import type { ColdReaderUsage } from "../../storage/cold/mod.ts";
import type { GroupState } from "../../stream/mod.ts";
import type { ColdCounters } from "./counters.ts";

/** What an operator wants to know of a shard's cold tier. */
export interface ColdFacts extends Readonly<ColdCounters> {
  /** Objects that the groups know of, those included that wait for their deletion. */
  readonly objects: number;
  /** Bytes of them that streams refer to. */
  readonly bytes: number;
  /** Bytes of streams that no object holds. */
  readonly hotBytes: number;
  /** Bytes that objects hold, and memory, until this node has its own copy. */
  readonly pinnedBytes: number;
  /** Bytes of objects that are kept for readers, or on their way to them. */
  readonly cacheBytes: number;
  /** Requests to the store for readers. */
  readonly fetches: number;
  /** Blocks of 64 KiB that readers found in memory, and those that they had to wait for. */
  readonly blocksFound: number;
  readonly blocksMissed: number;
}

/** Puts the facts of a shard's cold tier together. */
export function coldFactsOf(
  groups: Iterable<{ readonly state: GroupState }>,
  usage: ColdReaderUsage,
  counters: ColdCounters,
): ColdFacts {
  let [objects, bytes, hotBytes, pinnedBytes] = [0, 0, 0, 0];
  for (const { state } of groups) {
    objects += state.cold.objects.count;
    bytes += state.cold.objects.liveBytes;
    hotBytes += state.hotBytes;
    pinnedBytes += state.cold.pinnedBytes;
  }
  const { bytes: cacheBytes, fetches, blocksFound, blocksMissed } = usage;
  return {
    ...counters,
    objects,
    bytes,
    hotBytes,
    pinnedBytes,
    cacheBytes,
    fetches,
    blocksFound,
    blocksMissed,
  };
}
