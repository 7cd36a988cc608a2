/** Many clients that read a whole stream at once. @module */

import { BUDGETS } from "../budgets.ts";
import type { CatchUpPlan, CatchUpResult } from "../load/plan.ts";
import { runLoad } from "../load/run.ts";
import { officialMemory } from "../peers/official.ts";
import { oursMemory } from "../peers/ours.ts";
import type { Peer } from "../peers/peer.ts";
import { ursulaUnsynced } from "../peers/ursula.ts";
import { interleave, OTHERS, type Subject } from "../samples.ts";
import { ratio, type Scenario } from "./scenario.ts";

const BURSTS_PER_SECOND = 2;

function catchUps(peer: Peer, seconds: number): Subject {
  return {
    name: peer.name,
    peer,
    async measure({ port, pid, prefix }) {
      const plan: CatchUpPlan = {
        port,
        pid,
        prefix,
        clients: 500,
        messages: 200,
        messageBytes: 1024,
        bursts: seconds * BURSTS_PER_SECOND,
      };
      const result = await runLoad<CatchUpResult>("catch_up.ts", plan);
      return {
        "p50 ms": result.p50Ms,
        "p99 ms": result.p99Ms,
        "load share": result.loadShare,
        [OTHERS]: result.othersShare,
      };
    },
  };
}

/** See the budget `catchUp`. */
export const catchUp: Scenario = {
  name: "catch-up",
  about: "500 clients read 200 messages of 1 KiB at once, in memory",
  async run(settings) {
    const samples = await interleave(
      [oursMemory, officialMemory, ursulaUnsynced].map((peer) => catchUps(peer, settings.seconds)),
      settings,
    );
    return { samples, verdicts: [ratio(BUDGETS.catchUp, "p99 ms", samples[0], samples[1])] };
  },
};
