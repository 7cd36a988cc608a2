/**
 * What a process of a run is told of its cold tier.
 *
 * @module
 */

import type { ShardSetup } from "../../shard/mod.ts";
import type { Plan } from "./plan.ts";

/** Where a node that has a store of its own keeps it on its disk. */
export const COLD_ROOT = "/data/cold";

/** The part of a shard's setup that says where older bytes go. */
export function coldSetup({ cold, cluster }: Plan, formation: string): ShardSetup["cold"] {
  if (cold === undefined) return undefined;
  const { kind, latencyMsMax: _latency, faults: _faults, sweepsOut: _sweeps, ...numbers } = cold;
  // The name tells everybody that the store is shared; what is opened is the simulated one.
  if (kind === "shared") {
    return { ...numbers, formation, backend: { kind: "s3", bucket: "simulated" } };
  }
  const isMemory = cluster?.memory === true;
  const backend = isMemory ? { kind: "memory" } as const : { kind: "fs", root: COLD_ROOT } as const;
  return { ...numbers, formation, backend };
}
