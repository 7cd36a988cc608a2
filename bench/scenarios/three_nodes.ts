/** Appends to three nodes that sync each before it is acknowledged. @module */

import { BUDGETS } from "../budgets.ts";
import { runWrkOnNodes } from "../load/run.ts";
import { createStreams, type RunningNodes } from "../peers/nodes.ts";
import { ourNodes } from "../peers/our_nodes.ts";
import type { Peer } from "../peers/peer.ts";
import { GROUPS, ursulaNodes } from "../peers/ursula_nodes.ts";
import { interleave, OTHERS, type Subject } from "../samples.ts";
import { CONNECTIONS, STREAMS } from "./append.ts";
import { ratio, type Scenario, type Settings } from "./scenario.ts";

/** Each node takes a third of the appends, and a compiler wants to see tens of thousands. */
const WARM_SECONDS = 30;
const BYTES = 256;
const MANY = 256;

function appends(
  peer: Peer<RunningNodes>,
  settings: Settings,
  connections: number,
): Subject<RunningNodes> {
  return {
    name: `${peer.name}, ${connections} connections`,
    peer,
    async measure(cluster) {
      const shares = await createStreams(cluster, STREAMS);
      const work = { nodes: shares, prefix: cluster.prefix, connections, bytes: BYTES };
      await runWrkOnNodes({ ...work, seconds: WARM_SECONDS });
      const result = await runWrkOnNodes({ ...work, seconds: settings.seconds });
      // A redirect is no failure to wrk: nobody may have lost a leadership meanwhile.
      const after = await createStreams(cluster, STREAMS);
      if (!shares.every(({ streams }, at) => isSame(streams, after[at]?.streams ?? []))) {
        throw new Error("leaderships moved meanwhile, and appends went astray");
      }
      return {
        "appends/s": result.perSecond,
        "CPU µs": result.cpuMicros,
        "p50 ms": result.p50Ms,
        "p99 ms": result.p99Ms,
        "load share": result.loadShare,
        [OTHERS]: result.othersShare,
      };
    },
  };
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  const numbers = new Set(one);
  return one.length === other.length && other.every((n) => numbers.has(n));
}

/** See the budgets `threeNodes…`. */
export const threeNodes: Scenario = {
  name: "three-nodes",
  about: "256 B appends to 500 streams on three nodes, a third of 64 and 256 connections to each",
  async run(settings) {
    const ours = ourNodes("three nodes, any node", { groups: GROUPS });
    const subjects = [CONNECTIONS, MANY].flatMap((connections) =>
      [ours, ursulaNodes].map((peer) => appends(peer, settings, connections))
    );
    const samples = await interleave(subjects, settings);
    const [ours64, ursula64, ours256, ursula256] = samples;
    return {
      samples,
      verdicts: [
        ratio(BUDGETS.threeNodes64, "appends/s", ours64, ursula64),
        ratio(BUDGETS.threeNodes256, "appends/s", ours256, ursula256),
      ],
    };
  },
};
