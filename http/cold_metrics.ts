import type { ColdFacts, ShardFacts } from "../shard/mod.ts";

/** A figure of the cold tier. */
interface Figure {
  /** Where the shards say it. */
  readonly field: keyof ColdFacts;
  /** In `cold` of the JSON. */
  readonly key: string;
  /** In the Prometheus text; a counter's ends in `_total`. */
  readonly metric: string;
  readonly help: string;
}

const FIGURES: readonly Figure[] = [
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

/** `cold` of the metrics: all shards together; null where all is kept in memory. */
export function coldMetrics(shards: readonly ShardFacts[]): Record<string, number> | null {
  const facts = factsOf(shards);
  if (facts.length === 0) return null;
  const total = (field: keyof ColdFacts) => sum(facts, field);
  return {
    ...Object.fromEntries(FIGURES.map(({ field, key }) => [key, total(field)])),
    backlog_bytes: total("hotBytes") + total("pinnedBytes"),
    failures: total("uploadFailures") + total("readFailures"),
  };
}

/** The same as lines of the Prometheus text. */
export function coldLines(shards: readonly ShardFacts[]): string[] {
  const facts = factsOf(shards);
  if (facts.length === 0) return [];
  return FIGURES.flatMap(({ field, metric, help }) => [
    `# HELP ${metric} ${help}`,
    `# TYPE ${metric} ${metric.endsWith("_total") ? "counter" : "gauge"}`,
    `${metric} ${sum(facts, field)}`,
  ]);
}

function factsOf(shards: readonly ShardFacts[]): ColdFacts[] {
  return shards.map(({ cold }) => cold).filter((facts) => facts !== undefined);
}

function sum(facts: readonly ColdFacts[], field: keyof ColdFacts): number {
  return facts.reduce((total, one) => total + one[field], 0);
}
