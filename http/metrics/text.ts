import type { DurationFacts } from "../../shard/mod.ts";
import { BUCKET_LABELS } from "./histogram_json.ts";
import { CHAPTERS } from "./registry.ts";
import type { Series } from "./series.ts";
import type { MetricsView } from "./view.ts";

/** What the text is called over HTTP. */
export const TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** The Prometheus text format, 0.0.4. A series that the node has nothing of is left out. */
export function textOf(view: MetricsView): string {
  let text = "";
  for (const { series } of CHAPTERS) {
    for (const one of series) {
      const lines = linesOf(one, view);
      if (lines === "") continue;
      text += `# HELP ${one.name} ${one.help}\n# TYPE ${one.name} ${one.type}\n${lines}`;
    }
  }
  return text;
}

function linesOf(series: Series, view: MetricsView): string {
  const { name } = series;
  let lines = "";
  if (series.type === "histogram") {
    series.read(view, (facts, ...labels) => {
      lines += histogramLines(name, facts, labelText(series, labels));
    });
    return lines;
  }
  series.read(view, (value, ...labels) => {
    const named = labelText(series, labels);
    lines += `${name}${named === "" ? "" : `{${named}}`} ${value}\n`;
  });
  return lines;
}

function histogramLines(name: string, facts: DurationFacts, labels: string): string {
  let lines = "";
  const before = labels === "" ? "" : `${labels},`;
  facts.cumulative.forEach((count, at) => {
    lines += `${name}_bucket{${before}le="${BUCKET_LABELS[at]}"} ${count}\n`;
  });
  const own = labels === "" ? "" : `{${labels}}`;
  return `${lines}${name}_sum${own} ${facts.sumMs / 1000}\n${name}_count${own} ${facts.count}\n`;
}

function labelText({ labels }: Series, values: readonly (string | number)[]): string {
  let text = "";
  for (let at = 0; at < labels.length; at++) {
    const value = values[at] ?? "";
    const written = typeof value === "number" ? value : escaped(value);
    text += `${at === 0 ? "" : ","}${labels[at]}="${written}"`;
  }
  return text;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
