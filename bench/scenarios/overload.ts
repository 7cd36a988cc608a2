/** Appends at twice the rate that a server can take, and then at half of it. @module */

import { BUDGETS } from "../budgets.ts";
import type { CreatePlan, OverloadPlan, OverloadResult } from "../load/plan.ts";
import { runLoad, runWrk, runWrkOnNodes } from "../load/run.ts";
import { createStreams } from "../peers/nodes.ts";
import { type OurNodes, ourNodes } from "../peers/our_nodes.ts";
import { oursFsync } from "../peers/ours.ts";
import type { Running } from "../peers/peer.ts";
import { type Figures, interleave, OTHERS, type Sample, type Subject } from "../samples.ts";
import { CONNECTIONS, STREAMS } from "./append.ts";
import type { Findings, Scenario } from "./scenario.ts";

const BYTES = 256;
const MIB = 1024 * 1024;
/** What finds out what a server can take. */
const CLOSED = { connections: 500, seconds: 5 };
/** Before it: a server that is still being compiled takes half of what it will. */
const WARM = { connections: CONNECTIONS, seconds: 10 };
const WARM_THREE = { connections: CONNECTIONS, seconds: 30 };
/** As many as the server answers in a second: more than may stand in line. */
const CONNECTIONS_MIN = 1_000;
/** Of those to one port a system lends some 28,000. */
const CONNECTIONS_MAX = 16_000;
const OVERLOAD_SECONDS = 20;
const HALF_SECONDS = 10;
const SETTLE_SECONDS = 3;
/** An append that takes longer is not what a server does that has recovered. */
const SLOW_MS = 1_000;

async function measure(
  servers: readonly Running[],
  prefix: string,
  capacity: number,
): Promise<Figures> {
  const plan: OverloadPlan = {
    ports: servers.map(({ port }) => port),
    pids: servers.map(({ pid }) => pid),
    prefix,
    connections: Math.max(CONNECTIONS_MIN, Math.min(CONNECTIONS_MAX, capacity)),
    streams: STREAMS,
    messageBytes: BYTES,
    warmPerSecond: capacity / 2,
    warmSeconds: 5,
    phases: [
      { perSecond: capacity * 2, seconds: OVERLOAD_SECONDS },
      { perSecond: capacity / 2, seconds: HALF_SECONDS },
    ],
    slowMs: SLOW_MS,
    settleSeconds: SETTLE_SECONDS,
  };
  const { phases, beforeBytes, peakBytes, afterBytes } = await runLoad<OverloadResult>(
    "overload.ts",
    plan,
  );
  const [over, half] = phases;
  if (over === undefined || half === undefined) throw new Error("a phase is missing");
  return {
    "capacity/s": capacity,
    "accepted/s": over.acceptedPerSecond,
    "refused/s": over.refusedPerSecond,
    "not sent/s": over.unsentPerSecond,
    "goodput": over.acceptedPerSecond / capacity,
    "accepted p50 ms": over.acceptedP50Ms,
    "accepted p99 ms": over.acceptedP99Ms,
    "accepted max ms": over.acceptedMaxMs,
    "refused p50 ms": over.refusedP50Ms,
    "refused p99 ms": over.refusedP99Ms,
    "recovered s": half.lastBadMs / 1000,
    "p99 ms at half": half.acceptedP99Ms,
    "MiB before": beforeBytes / MIB,
    "MiB peak": peakBytes / MIB,
    "MiB after": afterBytes / MIB,
    "broken": over.broken + half.broken,
    "unknown": over.unknown + half.unknown,
    "late p99 ms": over.lateP99Ms,
    "load share": over.loadShare,
    [OTHERS]: over.othersShare,
  };
}

const oneNode: Subject = {
  name: oursFsync.name,
  peer: oursFsync,
  async measure(server) {
    const { port, pid, prefix } = server;
    const create: CreatePlan = { port, pid, prefix, count: STREAMS };
    await runLoad("create.ts", create);
    const target = { port, pid, prefix, streams: STREAMS, bytes: BYTES };
    await runWrk({ ...target, ...WARM });
    const { perSecond } = await runWrk({ ...target, ...CLOSED });
    return await measure([server], prefix, Math.round(perSecond));
  },
};

const threeNodes: Subject<OurNodes> = {
  name: "this server, three nodes, fsync",
  peer: ourNodes("three nodes, fsync"),
  async measure(cluster) {
    const { prefix } = cluster;
    const nodes = await createStreams(cluster, STREAMS);
    const target = { nodes, prefix, bytes: BYTES };
    await runWrkOnNodes({ ...target, ...WARM_THREE });
    const { perSecond } = await runWrkOnNodes({ ...target, ...CLOSED });
    return await measure(cluster.nodes, prefix, Math.round(perSecond));
  },
};

/** See the budgets `overload…`. */
export const overload: Scenario = {
  name: "overload",
  about: "256 B appends at twice what a server can take for 20 s, then at half of it, synced",
  async run(settings): Promise<Findings> {
    const samples = await interleave([oneNode, threeNodes], settings);
    const [one, three] = samples;
    return {
      samples,
      verdicts: [
        figure(BUDGETS.overloadP99, "accepted p99 ms", one),
        figure(BUDGETS.overloadRefusals, "refused p99 ms", one),
        figure(BUDGETS.overloadGoodput, "goodput", one),
        figure(BUDGETS.overloadRecovery, "recovered s", one),
        figure(BUDGETS.overloadP99Three, "accepted p99 ms", three),
        figure(BUDGETS.overloadRefusalsThree, "refused p99 ms", three),
        figure(BUDGETS.overloadGoodputThree, "goodput", three),
        figure(BUDGETS.overloadRecoveryThree, "recovered s", three),
      ],
    };
  },
};

function figure(
  budget: Findings["verdicts"][number]["budget"],
  name: string,
  sample: Sample | undefined,
): Findings["verdicts"][number] {
  if (sample === undefined) return { budget, missing: "not measured" };
  if (sample.missing === undefined) return { budget, value: sample.figures[name] ?? NaN };
  return { budget, missing: `${sample.subject}: ${sample.missing}` };
}
