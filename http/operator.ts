import { type BoundFacts, FREE_BYTES_MIN, type GroupFacts } from "../shard/mod.ts";
import { nodeOf, storeOf } from "../storage/member.ts";
import { type Reply, respond, respondJson } from "./answer.ts";
import { type Bounds, boundsOf } from "./bounds.ts";
import { coldLines, coldMetrics } from "./cold_metrics.ts";
import type { HttpContext, NodeFacts } from "./context.ts";

/** GET /healthz: the process is up. */
export function health(): Reply {
  return respond(200, { "content-type": "text/plain", "cache-control": "no-store" }, "ok\n");
}

/** GET /__ursula/metrics. */
export async function metricsJson(context: HttpContext): Promise<Reply> {
  const facts = await context.facts();
  const bounds = boundsOf(facts);
  const { disk } = bounds;
  return respondJson(200, {
    node_id: facts.nodeId,
    cluster_id: facts.clusterId,
    version: facts.version,
    uptime_ms: Math.round(facts.uptimeMs),
    draining: facts.draining,
    stopping: facts.stopping,
    cores: facts.shards.map(({ id, plane }) => ({
      id,
      live_readers: plane?.liveReaders.now ?? 0,
    })),
    raft_groups: facts.groups.map(renderGroup),
    bounds: {
      hot_bytes: bounds.hotBytes,
      body_bytes_in_flight: bounds.bodies,
      live_readers: bounds.liveReaders,
      bootstrap_kept_bytes: bounds.kept,
      disk: { free_bytes: disk.freeBytes ?? null, low: disk.low, refused: disk.refused },
    },
    cold: coldMetrics(facts.shards),
    http: {
      live_readers: bounds.liveReaders.now,
      body_bytes_in_flight: bounds.bodies.now,
    },
  });
}

function renderGroup(group: GroupFacts) {
  return {
    id: group.id,
    core_id: group.shard,
    leader_id: group.leader === undefined ? null : nodeOf(group.leader),
    leads: group.leads,
    voters: group.voters.map(nodeOf),
    learners: group.learners.map(nodeOf),
    voter_stores: Object.fromEntries(group.voters.map((voter) => [nodeOf(voter), storeOf(voter)])),
    store_id: storeOf(group.member),
    votes: group.votes,
    caught_up: group.caughtUp,
    lag: Math.max(group.lastIndex, group.commitIndex) - group.appliedIndex,
    ...(group.leads ? { followers: group.followers.map(renderFollower) } : {}),
    current_term: group.term,
    last_log_index: group.lastIndex,
    committed_index: group.commitIndex,
    last_applied_index: group.appliedIndex,
    has_room: group.hasRoom,
    proposals_in_flight: group.proposals,
    proposal_bytes_in_flight: group.proposalBytes,
    proposals_refused: group.overloads,
    hot_bytes: group.hotBytes,
    cold_bytes: group.coldBytes,
    cold_objects_lacking: group.coldLacking,
    streams: group.streams,
  };
}

function renderFollower({ member, match, silentMs }: GroupFacts["followers"][number]) {
  return { node_id: nodeOf(member), match_index: match, silent_ms: Math.round(silentMs) };
}

/** GET /metrics: Prometheus text format 0.0.4. */
export async function metricsText(context: HttpContext): Promise<Reply> {
  const facts = await context.facts();
  const { groups } = facts;
  const lines = [
    ...gauge("ursula_uptime_seconds", "Time since the node started.", facts.uptimeMs / 1000),
    ...gauge("ursula_hot_bytes", "Bytes of streams in memory.", sum(facts, "hotBytes")),
    ...gauge("ursula_streams", "Streams that the node holds.", sum(facts, "streams")),
    ...gauge(
      "ursula_groups_without_leader",
      "Groups of which this node knows no leader.",
      groups.filter(({ leader }) => leader === undefined).length,
    ),
    ...gauge(
      "ursula_groups_without_room",
      "Groups of which this node takes in no entries, for want of room.",
      groups.filter(({ hasRoom }) => !hasRoom).length,
    ),
    ...boundLines(boundsOf(facts)),
    ...coldLines(facts.shards),
  ];
  const headers = { "content-type": "text/plain; version=0.0.4", "cache-control": "no-store" };
  return respond(200, headers, lines.join("\n") + "\n");
}

/** Each bound by name: its present value, the bound, and what was refused. */
function boundLines(bounds: Bounds): string[] {
  const { disk } = bounds;
  const named: [string, BoundFacts][] = [
    ["hot_bytes", bounds.hotBytes],
    ["body_bytes_in_flight", bounds.bodies],
    ["live_readers", bounds.liveReaders],
    ["bootstrap_kept_bytes", bounds.kept],
    ["proposals_in_flight", bounds.proposals],
    ["proposal_bytes_in_flight", bounds.proposalBytes],
  ];
  if (disk.freeBytes !== undefined) {
    named.push(["disk_free_bytes", {
      now: disk.freeBytes,
      max: FREE_BYTES_MIN,
      refused: disk.refused,
    }]);
  }
  const of = (field: keyof BoundFacts, metric: string) =>
    named.map(([name, bound]) => `${metric}{bound="${name}"} ${bound[field]}`);
  return [
    "# HELP ursula_bound_value What is held against a bound now.",
    "# TYPE ursula_bound_value gauge",
    ...of("now", "ursula_bound_value"),
    "# HELP ursula_bound_limit The bound: a least value for disk_free_bytes, else a greatest.",
    "# TYPE ursula_bound_limit gauge",
    ...of("max", "ursula_bound_limit"),
    "# HELP ursula_bound_refused_total What was refused with 503 because of a bound.",
    "# TYPE ursula_bound_refused_total counter",
    ...of("refused", "ursula_bound_refused_total"),
  ];
}

function gauge(name: string, help: string, value: number): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`];
}

function sum(facts: NodeFacts, field: "hotBytes" | "streams"): number {
  return facts.groups.reduce((total, group) => total + group[field], 0);
}
