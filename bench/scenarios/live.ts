/** What the scenarios of live reading share. @module */

import type { LivePlan, LiveResult } from "../load/plan.ts";
import { runLoad } from "../load/run.ts";
import type { Peer } from "../peers/peer.ts";
import { DELIVERED, OTHERS, type Subject } from "../samples.ts";

/** The part of a {@linkcode LivePlan} that a scenario chooses. */
export type LiveShape = Omit<LivePlan, "port" | "pid" | "prefix">;

/** A server with live readers and their writers. */
export function liveReaders(peer: Peer, shape: LiveShape, name = peer.name): Subject {
  return {
    name,
    peer,
    async measure({ port, pid, prefix }) {
      const result = await runLoad<LiveResult>("live.ts", { ...shape, port, pid, prefix });
      return {
        "CPU µs/delivery": result.cpuMicros,
        "p50 ms": result.p50Ms,
        "p99 ms": result.p99Ms,
        [DELIVERED]: result.deliveredShare,
        "load share": result.loadShare,
        [OTHERS]: result.othersShare,
      };
    },
  };
}
