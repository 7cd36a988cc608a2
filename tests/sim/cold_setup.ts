/**
 * How a process of a run is configured for its cold tier.
 *
 * @module
 */

import type { NodeColdConfig } from "../../node/cold.ts";
import type { ColdSetup } from "../../shard/mod.ts";
import type { Plan } from "./plan.ts";

/** Where a node that has a store of its own keeps it on its disk. */
export const COLD_ROOT = "/data/cold";

/** What an operator would have said. */
export function coldConfig({ cold, cluster, journals }: Plan): NodeColdConfig {
  const isShared = cold?.kind === "shared";
  const own = cluster?.memory === true ? "memory" : "fs";
  const coldBackend = cold === undefined ? "none" : isShared ? "s3" : own;
  return {
    cores: journals,
    coldBackend,
    coldRoot: coldBackend === "fs" ? COLD_ROOT : undefined,
    // What is opened under this name is the simulated store.
    coldS3Bucket: isShared ? "simulated" : undefined,
    coldS3Region: undefined,
    coldS3Endpoint: undefined,
    coldS3AccessKeyId: undefined,
    coldS3SecretAccessKey: undefined,
    coldS3SessionToken: undefined,
    coldFlushIntervalMs: cold?.flushIntervalMs ?? 0,
    coldFlushMinHotBytes: cold?.flushMinHotBytes ?? 0,
    coldFlushMaxBytes: cold?.flushMaxBytes ?? 0,
    coldFlushMaxConcurrency: (cold?.flushesMax ?? 0) * journals,
    coldMaxHotBytesPerGroup: cold?.hotBytesPerGroupMax ?? 0,
    coldCacheBytes: cold?.cacheBytesMax ?? 0,
    bootstrapMaxAgeMs: cold?.keepsMs ?? 0,
  };
}

/** What no operator can say: how often all is looked through. */
export function withTiming(setup: ColdSetup | undefined, { cold }: Plan): ColdSetup | undefined {
  return setup && { ...setup, timing: cold?.timing };
}
