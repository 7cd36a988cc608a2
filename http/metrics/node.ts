import { nodeOf } from "../../storage/member.ts";
import type { NodeFacts } from "../context.ts";
import { counter, gauge, type Series } from "./series.ts";
import type { MetricsView } from "./view.ts";

/** The other members of this node's groups. */
export interface PeerTotals {
  readonly count: number;
  /** Those that are connected. */
  readonly reached: number;
}

/** Counts the other members. */
export function peerTotalsOf({ nodeId, groups, hears }: NodeFacts): PeerTotals {
  const members = new Set<string>();
  for (const { voters, learners } of groups) {
    for (const member of voters) members.add(member);
    for (const member of learners) members.add(member);
  }
  const others = [...members].filter((member) => nodeOf(member) !== nodeId);
  return { count: others.length, reached: others.filter((member) => hears(member)).length };
}

/** What the JSON begins with. */
export function nodeJson({ facts, obstacle, peers }: MetricsView) {
  return {
    node_id: facts.nodeId,
    cluster_id: facts.clusterId,
    version: facts.version,
    uptime_ms: Math.round(facts.uptimeMs),
    draining: facts.draining,
    stopping: facts.stopping,
    ready: obstacle === undefined,
    not_ready_because: obstacle ?? null,
    peers,
    process: facts.process === undefined ? null : {
      resident_bytes: facts.process.residentBytes,
      cpu_seconds: facts.process.cpuMs / 1000,
      open_handles: facts.process.handles?.open ?? null,
      max_handles: facts.process.handles?.max ?? null,
    },
  };
}

/** The node itself. */
export const NODE_SERIES: readonly Series[] = [
  {
    name: "ursula_node_info",
    type: "gauge",
    help: "Always 1; its labels say which node this is, and of which version.",
    labels: ["node_id", "cluster_id", "version"],
    json: "",
    read: ({ facts }, take) => take(1, facts.nodeId, facts.clusterId, facts.version),
  },
  gauge({
    name: "ursula_uptime_seconds",
    json: "uptime_ms",
    help: "Time since the node started.",
    of: ({ facts }) => Math.round(facts.uptimeMs) / 1000,
  }),
  gauge({
    name: "ursula_ready",
    json: "ready",
    help: "1 where /readyz answers 200, else 0.",
    of: ({ obstacle }) => Number(obstacle === undefined),
  }),
  gauge({
    name: "ursula_draining",
    json: "draining",
    help:
      "1 while the node leads nothing that another one can lead, by an operator's order, else 0.",
    of: ({ facts }) => Number(facts.draining),
  }),
  gauge({
    name: "ursula_stopping",
    json: "stopping",
    help: "1 once the node is about to end, else 0.",
    of: ({ facts }) => Number(facts.stopping),
  }),
  gauge({
    name: "ursula_peers",
    json: "peers.count",
    help: "Other nodes that this node's groups are made of.",
    of: ({ peers }) => peers.count,
  }),
  gauge({
    name: "ursula_peers_reached",
    json: "peers.reached",
    help: "Those of them that are connected to this node.",
    of: ({ peers }) => peers.reached,
  }),
  gauge({
    name: "process_resident_memory_bytes",
    json: "process.resident_bytes",
    help: "Memory that the process uses.",
    of: ({ facts }) => facts.process?.residentBytes,
  }),
  counter({
    name: "process_cpu_seconds_total",
    json: "process.cpu_seconds",
    help: "CPU time that the process has used.",
    of: ({ facts }) => facts.process && facts.process.cpuMs / 1000,
  }),
  gauge({
    name: "process_open_fds",
    json: "process.open_handles",
    help: "File handles (descriptors) in use: files and connections. Not told by every system.",
    of: ({ facts }) => facts.process?.handles?.open,
  }),
  gauge({
    name: "process_max_fds",
    json: "process.max_handles",
    help: "File handles that the process may use (`ulimit -n`).",
    of: ({ facts }) => facts.process?.handles?.max,
  }),
];
