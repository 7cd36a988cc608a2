/** What the scenarios of live reading share. @module */

import type { LivePlan, LiveResult } from "../load/plan.ts";
import { runLoad } from "../load/run.ts";
import type { Peer } from "../peers/peer.ts";
import { OTHERS, type Subject } from "../samples.ts";

/** The part of a {@linkcode LivePlan} that a scenario chooses. */
export type LiveShape = Omit<LivePlan, "port" | "pid" | "prefix">;

/** Below this share of the expected deliveries, latencies say nothing. */
const DELIVERED_SHARE_MIN = 0.9;

/**
 * A server with live readers and their writers.
 *
 * @throws {Error} when it fell so far behind that its latencies would not be comparable
 */
export function liveReaders(peer: Peer, shape: LiveShape, name = peer.name): Subject {
  return {
    name,
    peer,
    async measure({ port, pid, prefix }) {
      const result = await runLoad<LiveResult>("live.ts", { ...shape, port, pid, prefix });
      if (result.deliveredShare < DELIVERED_SHARE_MIN) {
        const percent = Math.round(result.deliveredShare * 100);
        throw new Error(`only ${percent} % of what was written arrived within the window`);
      }
      return {
        "CPU µs/delivery": result.cpuMicros,
        "p50 ms": result.p50Ms,
        "p99 ms": result.p99Ms,
        "load share": result.loadShare,
        [OTHERS]: result.othersShare,
      };
    },
  };
}
