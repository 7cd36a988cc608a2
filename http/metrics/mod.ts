/**
 * What a node says of itself to operators: as JSON, and as Prometheus reads it.
 *
 * Facts go in and an answer comes out, so that any plane may give it. A file per subject has what the
 * JSON says of it and, in a table, every series of the text; the table is also what
 * `docs/metrics.md` is written from.
 *
 * @module
 */

import type { MetricRow } from "../../io/mod.ts";
import { type Reply, respond, respondJson } from "../answer.ts";
import type { NodeFacts } from "../context.ts";
import { boundsJson } from "./bounds.ts";
import { coldJson } from "./cold.ts";
import { coresJson } from "./cores.ts";
import { groupsJson } from "./groups.ts";
import { journalJson } from "./journal.ts";
import { nodeJson } from "./node.ts";
import { httpJson } from "./responses.ts";
import { rowsOf } from "./rows.ts";
import { TEXT_TYPE, textOf } from "./text.ts";
import { viewOf } from "./view.ts";

export { INSTRUMENTS } from "./rows.ts";

/** GET /__ursula/metrics. */
export function metricsJson(facts: NodeFacts): Reply {
  const view = viewOf(facts);
  return respondJson(200, {
    ...nodeJson(view),
    cores: coresJson(view),
    groups: view.totals,
    raft_groups: groupsJson(view),
    bounds: boundsJson(view),
    journal: journalJson(view),
    cold: coldJson(view),
    http: httpJson(view),
  });
}

/** GET /metrics: Prometheus text format 0.0.4. */
export function metricsText(facts: NodeFacts): Reply {
  const headers = { "content-type": TEXT_TYPE, "cache-control": "no-store" };
  return respond(200, headers, textOf(viewOf(facts)));
}

/** The same numbers as the text has, for OpenTelemetry: of {@linkcode INSTRUMENTS}. */
export function metricRows(facts: NodeFacts): MetricRow[] {
  return rowsOf(viewOf(facts));
}
