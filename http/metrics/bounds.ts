import { RAFT_TIMING } from "../../group/mod.ts";
import { type BoundFacts, FREE_BYTES_MIN } from "../../shard/mod.ts";
import type { NodeFacts } from "../context.ts";
import type { Series } from "./series.ts";
import type { MetricsView } from "./view.ts";

/** The bounds of SPEC section 8 as they stand on a node, by name. */
export type Bounds = Readonly<Record<string, BoundFacts>>;

const NOTHING: BoundFacts = { now: 0, max: 0, refused: 0 };

/** Puts together what the shards and groups of a node say. */
export function boundsOf({ shards, groups }: NodeFacts): Bounds {
  const refused = groups.reduce((total, { overloads }) => total + overloads, 0);
  const most = (field: "proposals" | "proposalBytes") =>
    groups.reduce((max, group) => Math.max(max, group[field]), 0);
  const freeBytes = shards.find(({ disk }) => disk.freeBytes !== undefined)?.disk.freeBytes;
  const bounds: Bounds = {
    hot_bytes: total(shards.map(({ hotBytes }) => hotBytes)),
    writes_in_flight: total(shards.map(({ writes }) => writes)),
    body_bytes_in_flight: total(shards.map(({ plane }) => plane?.bodies ?? NOTHING)),
    live_readers: total(shards.map(({ plane }) => plane?.liveReaders ?? NOTHING)),
    bootstrap_kept_bytes: total(shards.map(({ kept }) => kept)),
    // Of the group with the most; refused are those of all groups, whichever of the two it was.
    proposals_in_flight: {
      now: most("proposals"),
      max: RAFT_TIMING.uncommittedEntriesMax,
      refused,
    },
    proposal_bytes_in_flight: {
      now: most("proposalBytes"),
      max: RAFT_TIMING.uncommittedBytesMax,
      refused,
    },
  };
  if (freeBytes === undefined) return bounds;
  const diskRefused = shards.reduce((sum, { disk }) => sum + disk.refused, 0);
  return {
    ...bounds,
    disk_free_bytes: { now: freeBytes, max: FREE_BYTES_MIN, refused: diskRefused },
  };
}

function total(bounds: readonly BoundFacts[]): BoundFacts {
  let [now, max, refused] = [0, 0, 0];
  for (const bound of bounds) {
    now += bound.now;
    max += bound.max;
    refused += bound.refused;
  }
  return { now, max, refused };
}

/** `bounds` of the JSON. */
export function boundsJson({ bounds }: MetricsView): Bounds {
  return bounds;
}

/** What is bounded, and what was refused because of it. */
export const BOUND_SERIES: readonly Series[] = [
  ofBound("ursula_bound_value", "gauge", "now", "What is held against a bound now."),
  ofBound(
    "ursula_bound_limit",
    "gauge",
    "max",
    "The bound: a least value for disk_free_bytes, else a greatest.",
  ),
  ofBound(
    "ursula_bound_refused_total",
    "counter",
    "refused",
    "What was refused with 503 because of a bound.",
  ),
];

function ofBound(
  name: string,
  type: "gauge" | "counter",
  field: keyof BoundFacts,
  help: string,
): Series {
  return {
    name,
    type,
    help,
    labels: ["bound"],
    json: `bounds.*.${field}`,
    read({ bounds }, take) {
      for (const [bound, facts] of Object.entries(bounds)) take(facts[field], bound);
    },
  };
}
