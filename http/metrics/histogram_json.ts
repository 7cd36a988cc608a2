import { DURATION_BOUNDS_MS, type DurationFacts } from "../../shard/mod.ts";

/** A bucket's bound in seconds, as Prometheus writes it. */
export const BUCKET_LABELS: readonly string[] = [
  ...DURATION_BOUNDS_MS.map((ms) => String(ms / 1000)),
  "+Inf",
];

/** A histogram as the JSON has it, with the very buckets of the text. */
export function histogramJson({ count, sumMs, cumulative }: DurationFacts) {
  return {
    count,
    sum_seconds: sumMs / 1000,
    buckets: cumulative.map((below, at) => ({ le: BUCKET_LABELS[at], count: below })),
  };
}
