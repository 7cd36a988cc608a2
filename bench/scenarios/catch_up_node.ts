/** How long a node takes to come back that lacks everything, or most of it. @module */

import { residentBytes } from "../load/window.ts";
import { createStreams, fill, type Share } from "../peers/nodes.ts";
import { type OurNodes, ourNodes } from "../peers/our_nodes.ts";
import { type Figures, interleave, type Subject } from "../samples.ts";
import type { Scenario } from "./scenario.ts";

const MIB = 1024 * 1024;
/** 2 MiB to each of 512 streams: 1 GiB. */
const STREAMS_FILLED = 512;
const FILL = { messages: 2, bytes: MIB };
/** Few enough groups that each one's log is far longer than what is kept of it. */
const GROUPS = 16;
/** The node that goes, by its place. */
const LOST = 2;
const CATCH_UP_MS_MAX = 300_000;
/** Its groups have other leaders by then. */
const FAILOVER_MS = 2_000;

/** In memory: the node comes back with nothing, and is replaced. */
function emptied(): Subject<OurNodes> {
  return {
    name: "in memory, killed and started again",
    peer: ourNodes("three nodes, memory", { memory: true, groups: GROUPS }),
    async measure(cluster) {
      const shares = await createStreams(cluster, STREAMS_FILLED);
      await fill(cluster, shares, FILL);
      await cluster.killNode(LOST);
      return await comeBack(cluster);
    },
  };
}

/** On disk: the node was away while everything was written. */
function away(): Subject<OurNodes> {
  return {
    name: "on disk, away for 1 GiB of appends",
    peer: ourNodes("three nodes, fsync", { groups: GROUPS }),
    async measure(cluster) {
      const shares = await createStreams(cluster, STREAMS_FILLED);
      await cluster.killNode(LOST);
      await new Promise((resolve) => setTimeout(resolve, FAILOVER_MS));
      const left: Share[] = shares.filter((_, at) => at !== LOST);
      await fill(cluster, left, FILL);
      return await comeBack(cluster);
    },
  };
}

/** Starts the node, and waits until it has applied all that the others had committed. */
async function comeBack(cluster: OurNodes): Promise<Figures> {
  const goal = new Map<number, number>();
  for (const { id, committed_index } of await cluster.groups(0) ?? []) {
    goal.set(id, committed_index);
  }
  const began = performance.now();
  await cluster.startNode(LOST);
  const started = performance.now();
  await cluster.until(async () => {
    const found = await cluster.groups(LOST);
    return found !== undefined &&
      found.every(({ id, last_applied_index }) => last_applied_index >= (goal.get(id) ?? Infinity));
  }, CATCH_UP_MS_MAX);
  const seconds = (performance.now() - began) / 1000;
  const { nodes } = cluster;
  return {
    "caught up s": seconds,
    "of it start s": (started - began) / 1000,
    "MiB/s": STREAMS_FILLED * FILL.messages * FILL.bytes / MIB / seconds,
    "resident MiB, node": residentBytes(nodes[LOST]?.pid ?? 0) / MIB,
    "resident MiB, another": residentBytes(nodes[0]?.pid ?? 0) / MIB,
  };
}

/** No budget: the figure stands in the documentation. */
export const catchUpNode: Scenario = {
  name: "catch-up-node",
  about: `1 GiB in ${STREAMS_FILLED} streams reaches a node that lacks it, by RaftSnapshots`,
  async run(settings) {
    const samples = await interleave([emptied(), away()], { ...settings, rounds: 1 });
    return { samples, verdicts: [] };
  },
};
