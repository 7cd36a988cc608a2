import type { GroupFacts } from "../shard/mod.ts";
import { type Reply, respond, respondError, respondJson } from "./answer.ts";
import type { HttpContext, NodeFacts } from "./context.ts";

/** GET /healthz: the process is up. */
export function health(): Reply {
  return respond(200, { "content-type": "text/plain", "cache-control": "no-store" }, "ok\n");
}

/** GET /readyz: 200 once every group has a leader and has caught up; else one reason. */
export async function readiness(context: HttpContext): Promise<Reply> {
  const { groups } = await context.facts();
  const waiting = groups.find((group) => !group.ready);
  if (waiting !== undefined) {
    return respondError("not_ready", {}, { message: `group ${waiting.id} has no leader yet` });
  }
  return health();
}

/** GET /__ursula/metrics. */
export async function metricsJson(context: HttpContext): Promise<Reply> {
  const facts = await context.facts();
  return respondJson(200, {
    node_id: facts.nodeId,
    cluster_id: facts.clusterId,
    version: facts.version,
    uptime_ms: Math.round(facts.uptimeMs),
    raft_groups: facts.groups.map(renderGroup),
    http: {
      live_readers: context.liveReaders.count,
      body_bytes_in_flight: context.bodies.bytesInFlight,
    },
  });
}

function renderGroup(group: GroupFacts) {
  return {
    id: group.id,
    leader_id: group.leader,
    current_term: group.term,
    last_log_index: group.lastIndex,
    committed_index: group.commitIndex,
    last_applied_index: group.appliedIndex,
    hot_bytes: group.hotBytes,
    streams: group.streams,
  };
}

/** GET /metrics: Prometheus text format 0.0.4. */
export async function metricsText(context: HttpContext): Promise<Reply> {
  const facts = await context.facts();
  const lines = [
    ...gauge("ursula_uptime_seconds", "Time since the node started.", facts.uptimeMs / 1000),
    ...gauge("ursula_hot_bytes", "Bytes of streams in memory.", sum(facts, "hotBytes")),
    ...gauge("ursula_streams", "Streams that the node holds.", sum(facts, "streams")),
    ...gauge("ursula_live_readers", "Live reads of one shard.", context.liveReaders.count),
  ];
  const headers = { "content-type": "text/plain; version=0.0.4", "cache-control": "no-store" };
  return respond(200, headers, lines.join("\n") + "\n");
}

function gauge(name: string, help: string, value: number): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`];
}

function sum(facts: NodeFacts, field: "hotBytes" | "streams"): number {
  return facts.groups.reduce((total, group) => total + group[field], 0);
}
