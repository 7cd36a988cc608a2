import type { MetricInstrument, MetricRow } from "../../io/mod.ts";
import { CHAPTERS } from "./registry.ts";
import { HISTOGRAM_SUFFIXES, samplesOf, type Suffix } from "./samples.ts";
import type { MetricsView } from "./view.ts";

/** All that {@linkcode rowsOf} may have numbers of: the names are those of the Prometheus text. */
export const INSTRUMENTS: readonly MetricInstrument[] = CHAPTERS.flatMap(({ series }) =>
  series.flatMap(({ name, help, type }): MetricInstrument[] => {
    const suffixes: readonly Suffix[] = type === "histogram" ? HISTOGRAM_SUFFIXES : [""];
    const kind = type === "gauge" ? "gauge" : "counter";
    return suffixes.map((suffix) => ({ name: name + suffix, help, kind }));
  })
);

/** Every number of the node, for whoever exports them. */
export function rowsOf(view: MetricsView): MetricRow[] {
  const rows: MetricRow[] = [];
  for (const { series } of CHAPTERS) {
    for (const one of series) {
      samplesOf(one, view, (suffix, value, values, le) => {
        const labels: Record<string, string | number> = {};
        one.labels.forEach((label, at) => labels[label] = values[at] ?? "");
        if (le !== undefined) labels["le"] = le;
        rows.push({ name: one.name + suffix, value, labels });
      });
    }
  }
  return rows;
}
