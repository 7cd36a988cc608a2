import type { ColdFacts, ShardFacts } from "../../shard/mod.ts";
import { counter, type Figure, gauge, type Series } from "./series.ts";
import type { MetricsView } from "./view.ts";

/** A figure of the cold tier. */
interface ColdFigure {
  /** Where the shards say it. */
  readonly field: keyof ColdFacts;
  /** In `cold` of the JSON. */
  readonly key: string;
  /** In the Prometheus text; a counter's ends in `_total`. */
  readonly metric: string;
  readonly help: string;
}

const FIGURES: readonly ColdFigure[] = [
  {
    field: "objects",
    key: "objects",
    metric: "ursula_cold_objects",
    help: "Objects that the groups know of.",
  },
  {
    field: "bytes",
    key: "bytes",
    metric: "ursula_cold_bytes",
    help: "Bytes of objects that streams refer to.",
  },
  {
    field: "hotBytes",
    key: "hot_bytes",
    metric: "ursula_cold_hot_bytes",
    help: "Bytes of streams that no object holds yet.",
  },
  {
    field: "pinnedBytes",
    key: "pinned_bytes",
    metric: "ursula_cold_pinned_bytes",
    help: "Bytes that wait in memory for this node's own copy of their object.",
  },
  {
    field: "flushes",
    key: "flushes",
    metric: "ursula_cold_flushes_total",
    help: "Flushes that took effect.",
  },
  {
    field: "flushedBytes",
    key: "flushed_bytes",
    metric: "ursula_cold_flushed_bytes_total",
    help: "Bytes of the objects that flushes made.",
  },
  {
    field: "uploadFailures",
    key: "upload_failures",
    metric: "ursula_cold_upload_failures_total",
    help: "Puts of objects that failed, each repetition anew.",
  },
  {
    field: "readFailures",
    key: "read_failures",
    metric: "ursula_cold_read_failures_total",
    help: "Reads that got no answer because of the store.",
  },
  {
    field: "refusals",
    key: "backpressure_events",
    metric: "ursula_cold_backpressure_total",
    help: "What was refused with 503 because a group had too many hot bytes.",
  },
  {
    field: "deletedObjects",
    key: "deleted_objects",
    metric: "ursula_cold_deleted_objects_total",
    help: "Objects that were removed from the store.",
  },
  {
    field: "merges",
    key: "merges",
    metric: "ursula_cold_merges_total",
    help: "Objects that took the place of others.",
  },
  {
    field: "mergedBytes",
    key: "merged_bytes",
    metric: "ursula_cold_merged_bytes_total",
    help: "Bytes of messages in these.",
  },
  {
    field: "cacheBytes",
    key: "cache_bytes",
    metric: "ursula_cold_cache_bytes",
    help: "Bytes of objects that are kept for readers.",
  },
  {
    field: "fetches",
    key: "fetches",
    metric: "ursula_cold_fetches_total",
    help: "Requests to the store for readers.",
  },
  {
    field: "blocksFound",
    key: "blocks_found",
    metric: "ursula_cold_blocks_found_total",
    help: "Blocks of objects that readers found in memory.",
  },
  {
    field: "blocksMissed",
    key: "blocks_missed",
    metric: "ursula_cold_blocks_missed_total",
    help: "Blocks of objects that readers waited for.",
  },
];

/** Sums of all shards' cold tiers. */
export type ColdTotals = Readonly<Record<keyof ColdFacts, number>>;

/** Adds the shards up; undefined where all is kept in memory. */
export function coldTotalsOf(shards: readonly ShardFacts[]): ColdTotals | undefined {
  const tiers = shards.map(({ cold }) => cold).filter((facts) => facts !== undefined);
  if (tiers.length === 0) return undefined;
  return Object.fromEntries(
    FIGURES.map((
      { field },
    ) => [field, tiers.reduce((total, facts) => total + facts[field], 0)]),
  ) as ColdTotals; // The table has every field.
}

/** `cold` of the JSON; null where all is kept in memory. */
export function coldJson({ cold }: MetricsView): Record<string, number> | null {
  if (cold === undefined) return null;
  return {
    ...Object.fromEntries(FIGURES.map(({ field, key }) => [key, cold[field]])),
    backlog_bytes: backlogOf(cold),
    failures: cold.uploadFailures + cold.readFailures,
  };
}

/** The cold tier. */
export const COLD_SERIES: readonly Series[] = [
  ...FIGURES.map(({ field, key, metric, help }) => {
    const figure: Figure = {
      name: metric,
      json: `cold.${key}`,
      help,
      of: ({ cold }) => cold?.[field],
    };
    return metric.endsWith("_total") ? counter(figure) : gauge(figure);
  }),
  gauge({
    name: "ursula_cold_backlog_bytes",
    json: "cold.backlog_bytes",
    help: "Bytes that are yet to be, or to be surely, in an object.",
    of: ({ cold }) => cold && backlogOf(cold),
  }),
];

function backlogOf({ hotBytes, pinnedBytes }: ColdTotals): number {
  return hotBytes + pinnedBytes;
}
