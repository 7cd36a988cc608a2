import { BUCKET_LABELS } from "./histogram_json.ts";
import type { Series } from "./series.ts";
import type { MetricsView } from "./view.ts";

/** What Prometheus calls the counters that a histogram is made of. */
export const HISTOGRAM_SUFFIXES = ["_bucket", "_sum", "_count"] as const;

/** Behind a series' name. */
export type Suffix = "" | typeof HISTOGRAM_SUFFIXES[number];

/** Takes a number, the values of the series' labels, and a bucket's bound. */
export type TakeSample = (
  suffix: Suffix,
  value: number,
  labels: readonly (string | number)[],
  le?: string,
) => void;

/** All numbers of a series. */
export function samplesOf(series: Series, view: MetricsView, take: TakeSample): void {
  if (series.type !== "histogram") {
    return series.read(view, (value, ...labels) => take("", value, labels));
  }
  series.read(view, ({ cumulative, sumMs, count }, ...labels) => {
    cumulative.forEach((below, at) => take("_bucket", below, labels, BUCKET_LABELS[at]));
    take("_sum", sumMs / 1000, labels);
    take("_count", count, labels);
  });
}
