/**
 * What the append scenarios share: the workload.
 *
 * @module
 */

import { runLoad, runWrk } from "../load/run.ts";
import type { CreatePlan } from "../load/plan.ts";
import type { Peer, Running } from "../peers/peer.ts";
import { type Figures, OTHERS, type Subject } from "../samples.ts";
import type { Settings } from "./scenario.ts";

const WARM_SECONDS = 10;
const BYTES = 256;

/** The workload "unless said". */
export const STREAMS = 500;
/** The same. */
export const CONNECTIONS = 64;

/** A server under a closed loop of appends. */
export function appends(
  peer: Peer,
  settings: Settings,
  { streams = STREAMS, connections = CONNECTIONS, name = peer.name, batch }: {
    streams?: number;
    connections?: number;
    name?: string;
    /** Appends in one request, and where such requests go to instead of the server's prefix. */
    batch?: { items: number; prefix: string };
  } = {},
): Subject {
  return {
    name,
    peer,
    async measure(server: Running): Promise<Figures> {
      const { port, pid, prefix } = server;
      const create: CreatePlan = { port, pid, prefix, count: streams };
      await runLoad("create.ts", create);
      const target = { prefix: batch?.prefix ?? prefix, items: batch?.items };
      const work = { port, pid, ...target, streams, connections, bytes: BYTES };
      await runWrk({ ...work, seconds: WARM_SECONDS });
      const result = await runWrk({ ...work, seconds: settings.seconds });
      return {
        "appends/s": result.perSecond * (batch?.items ?? 1),
        "CPU µs": result.cpuMicros / (batch?.items ?? 1),
        "p50 ms": result.p50Ms,
        "p99 ms": result.p99Ms,
        "load share": result.loadShare,
        [OTHERS]: result.othersShare,
      };
    },
  };
}
