import { gauge, type Series } from "./series.ts";
import type { MetricsView } from "./view.ts";

/** What the JSON begins with. */
export function nodeJson({ facts, obstacle }: MetricsView) {
  return {
    node_id: facts.nodeId,
    cluster_id: facts.clusterId,
    version: facts.version,
    uptime_ms: Math.round(facts.uptimeMs),
    draining: facts.draining,
    stopping: facts.stopping,
    ready: obstacle === undefined,
    not_ready_because: obstacle ?? null,
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
];
