import type { MetricRow } from "../io/mod.ts";
import type { NodeFacts } from "./context.ts";
import { boundsOf } from "./metrics/bounds.ts";
import { groupTotalsOf } from "./metrics/groups.ts";

/** Bounds that writes are refused for. */
const REFUSING = ["writes_in_flight", "body_bytes_in_flight", "hot_bytes", "disk_free_bytes"];

/** The main figures of a node, for OpenTelemetry; `/metrics` has all of them. */
export function mainFigures(facts: NodeFacts): MetricRow[] {
  const totals = groupTotalsOf(facts.groups);
  const bounds = boundsOf(facts);
  const gauge = (name: string, value: number, unit: string): MetricRow => ({
    name: `ursula.${name}`,
    kind: "gauge",
    value,
    unit,
  });
  const refused = REFUSING.reduce((sum, name) => sum + (bounds[name]?.refused ?? 0), 0);
  return [
    gauge("groups.leading", totals.led, "{group}"),
    gauge("groups.leaderless", totals.without_leader, "{group}"),
    gauge("streams", totals.streams, "{stream}"),
    gauge("hot.size", totals.hot_bytes, "By"),
    gauge("cold.size", totals.cold_bytes, "By"),
    gauge("writes.in_flight", bounds.writes_in_flight?.now ?? 0, "{request}"),
    gauge("live_readers", bounds.live_readers?.now ?? 0, "{reader}"),
    { name: "ursula.writes.refused", kind: "counter", value: refused, unit: "{request}" },
  ];
}
