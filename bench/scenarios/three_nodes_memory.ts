/** What three nodes with a few streams take of memory. @module */

import { BUDGETS } from "../budgets.ts";
import { residentBytes } from "../load/window.ts";
import { createStreams, fill, type RunningNodes } from "../peers/nodes.ts";
import { ourNodes } from "../peers/our_nodes.ts";
import type { Peer } from "../peers/peer.ts";
import { GROUPS, ursulaNodes } from "../peers/ursula_nodes.ts";
import { interleave, type Subject } from "../samples.ts";
import { STREAMS } from "./append.ts";
import { ratio, type Scenario } from "./scenario.ts";

/** 4 MiB in all. */
const FILL = { messages: 32, bytes: 256 };
/** How long the servers are left alone before their memory is read. */
const SETTLE_MS = 10_000;
const MIB = 1024 * 1024;

function memoryOf(peer: Peer<RunningNodes>): Subject<RunningNodes> {
  return {
    name: peer.name,
    peer,
    async measure(cluster) {
      const idle = resident(cluster);
      await fill(cluster, await createStreams(cluster, STREAMS), FILL);
      const full = resident(cluster);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return {
        "resident MiB": resident(cluster) / MIB,
        "right after": full / MIB,
        "empty": idle / MIB,
      };
    },
  };
}

/** Of all nodes. */
function resident({ nodes }: RunningNodes): number {
  return nodes.reduce((sum, { pid }) => sum + residentBytes(pid), 0);
}

/** See the budget `threeNodesMemory`. */
export const threeNodesMemory: Scenario = {
  name: "three-nodes-memory",
  about: "resident memory of three nodes together, with 500 streams of 8 KiB",
  async run(settings) {
    const subjects = [
      ourNodes("three nodes", { groups: GROUPS }),
      ursulaNodes,
    ].map(memoryOf);
    const samples = await interleave(subjects, settings);
    const [ours, ursula] = samples;
    return {
      samples,
      verdicts: [ratio(BUDGETS.threeNodesMemory, "resident MiB", ours, ursula)],
    };
  },
};
