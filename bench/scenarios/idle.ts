/** What a cluster costs that nobody uses. @module */

import { residentBytes, Window } from "../load/window.ts";
import { linkBytes } from "../load/sockets.ts";
import { type OurNodes, ourNodes } from "../peers/our_nodes.ts";
import { type Figures, interleave, OTHERS, type Subject } from "../samples.ts";
import type { Scenario, Settings } from "./scenario.ts";

const FEW = 64;
const MANY = 1_024;
/** After leaderships have settled, and before it counts. */
const SETTLE_MS = 5_000;
const MIB = 1024 * 1024;
const PERCENT = 100;

function idleCluster(groups: number, { seconds }: Settings): Subject<OurNodes> {
  return {
    name: `three nodes, ${groups.toLocaleString("en-US")} groups`,
    peer: ourNodes(`${groups} groups`, { groups }),
    async measure(cluster): Promise<Figures> {
      await pause(SETTLE_MS);
      const { nodes, peerPorts } = cluster;
      const before = await linkBytes(peerPorts);
      const window = new Window(nodes.map(({ pid }) => pid));
      await pause(2 * seconds * 1000);
      const { wallMs, serverCpuMs, othersShare } = window.end();
      const bytes = await linkBytes(peerPorts) - before;
      const resident = nodes.reduce((sum, { pid }) => sum + residentBytes(pid), 0);
      return {
        "CPU % of a core, a node": PERCENT * serverCpuMs / wallMs / nodes.length,
        "KiB/s on all links": bytes / 1024 / (wallMs / 1000),
        "resident MiB, a node": resident / MIB / nodes.length,
        [OTHERS]: othersShare,
      };
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** No budget: the figures stand in the documentation. */
export const idle: Scenario = {
  name: "idle",
  about: "three nodes that nobody uses: CPU, bytes between them, memory per replica of a group",
  async run(settings) {
    const samples = await interleave([FEW, MANY].map((n) => idleCluster(n, settings)), settings);
    const [few, many] = samples.map(({ figures }) => figures["resident MiB, a node"]);
    const figures = samples[1]?.figures;
    if (figures !== undefined && few !== undefined && many !== undefined) {
      figures["KiB/replica"] = (many - few) * 1024 / (MANY - FEW);
    }
    return { samples, verdicts: [] };
  },
};
