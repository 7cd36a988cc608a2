import { CHAPTERS } from "./registry.ts";
import { samplesOf } from "./samples.ts";
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
  const { name, labels } = series;
  let lines = "";
  samplesOf(series, view, (suffix, value, values, le) => {
    lines += `${name}${suffix}${labelText(labels, values, le)} ${value}\n`;
  });
  return lines;
}

function labelText(
  names: readonly string[],
  values: readonly (string | number)[],
  le: string | undefined,
): string {
  let text = "";
  for (let at = 0; at < names.length; at++) {
    const value = values[at] ?? "";
    const written = typeof value === "number" ? value : escaped(value);
    text += `${at === 0 ? "" : ","}${names[at]}="${written}"`;
  }
  if (le !== undefined) text += `${text === "" ? "" : ","}le="${le}"`;
  return text === "" ? "" : `{${text}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
