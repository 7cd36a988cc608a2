/**
 * What was sampled, for people to read: a row per minute, and a line for each verdict.
 *
 * @module
 */

import { isConstant, judge, medianOf } from "./flatness.ts";
import { type Measure, MEASURES, type Sample } from "./samples.ts";

/** All nodes at one time, and what was done until then. */
export interface Look {
  /** Since the beginning. */
  readonly atMs: number;
  readonly samples: readonly Sample[];
  readonly appends: number;
  /** Of the messages that were appended. */
  readonly bytes: number;
}

/** A verdict in words. */
export interface Line {
  readonly line: string;
  readonly isFlat: boolean;
}

const MiB = 1 << 20;
const ROW_MS = 60_000;
/** A short run has so many rows all the same. */
const ROWS_MIN = 8;
const HEADINGS: Readonly<Record<Measure, string>> = {
  memory: "memory, MiB",
  handles: "handles",
  disk: "disk, MiB",
  objects: "objects",
};
/** What may swing with every restart, and is judged on the node alone that has none. */
const OF_PROCESS: readonly Measure[] = ["memory", "handles"];

/** A table: of every node the median of what was looked at within a minute, `1/2/3`. */
export function curveOf(looks: readonly Look[], totalMs: number): string {
  const rowMs = Math.min(ROW_MS, totalMs / ROWS_MIN);
  const rows = [["min", "appends/s", "MiB/s", ...MEASURES.map((measure) => HEADINGS[measure])]];
  for (let from = 0; from < totalMs; from += rowMs) {
    const within = looks.filter(({ atMs }) => atMs >= from && atMs < from + rowMs);
    const [first, last] = [within[0], within.at(-1)];
    if (first === undefined || last === undefined) continue;
    const seconds = (last.atMs - first.atMs) / 1_000;
    const samples = within.flatMap((look) => look.samples);
    const nodes = [...new Set(samples.map(({ node }) => node))].sort();
    rows.push([
      ((from + rowMs) / ROW_MS).toFixed(rowMs < ROW_MS ? 2 : 0),
      ((last.appends - first.appends) / seconds).toFixed(0),
      ((last.bytes - first.bytes) / seconds / MiB).toFixed(2),
      ...MEASURES.map((measure) =>
        nodes.map((node) =>
          shown(
            measure,
            medianOf(samples.filter((one) => one.node === node).map((s) => s[measure])),
          )
        ).join("/")
      ),
    ]);
  }
  const widths = (rows[0] ?? []).map((_, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0))
  );
  return rows.map((row) => row.map((cell, at) => cell.padStart(widths[at] ?? 0)).join("  "))
    .join("\n");
}

/** What is judged: memory and handles of the one node that was left alone, disk and objects of all. */
export function verdictsOf(
  looks: readonly Look[],
  nodes: number,
  veteran: number,
  totalMs: number,
): Line[] {
  const samples = looks.flatMap((look) => look.samples);
  const [middle, last] = [1, 2].map((third) => rateOf(looks, totalMs, third));
  const load = isConstant(middle ?? NaN, last ?? NaN);
  const rates = `${middle?.toFixed(1)} appends/s in the middle third, ${
    last?.toFixed(1)
  } in the last`;
  const ids = Array.from({ length: nodes }, (_, at) => at + 1);
  const lines = MEASURES.flatMap((measure) =>
    ids.filter((id) => id === veteran || !OF_PROCESS.includes(measure)).map((node) => {
      const { middle, last, most, isFlat } = judge(samples, node, measure, totalMs);
      const [was, is, may] = [middle, last, most].map((value) => shown(measure, value));
      const line = `${isFlat ? "flat" : "NOT FLAT"}: ${HEADINGS[measure]} of node ${node}: ` +
        `${was} in the middle third, ${is} in the last, at most ${may}`;
      return { line, isFlat };
    })
  );
  return [{ line: `${load ? "constant" : "NOT CONSTANT"} load: ${rates}`, isFlat: load }, ...lines];
}

/** Appends a second in one of the thirds, from 0. */
function rateOf(looks: readonly Look[], totalMs: number, third: number): number {
  const within = looks.filter(({ atMs }) =>
    atMs >= totalMs * third / 3 && atMs < totalMs * (third + 1) / 3
  );
  const [first, last] = [within[0], within.at(-1)];
  if (first === undefined || last === undefined) return NaN;
  return (last.appends - first.appends) / (last.atMs - first.atMs) * 1_000;
}

function shown(measure: Measure, value: number): string {
  return Math.round(measure === "memory" || measure === "disk" ? value / MiB : value).toString();
}
