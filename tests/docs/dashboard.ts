/**
 * Reads `deploy/grafana-dashboard.json`: its panels, and what their queries ask for.
 *
 * @module
 */

import assert from "node:assert/strict";
import { parser } from "@prometheus-io/lezer-promql";
import type { Series } from "../../http/metrics/series.ts";
import { readProjectFile } from "../house/source.ts";

/** Where it lies. */
export const DASHBOARD = "deploy/grafana-dashboard.json";

/** A panel, as far as it is looked at here. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string }[];
}

/** The dashboard, as far as it is looked at here. */
export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly query: string }[] };
}

/** Reads it. */
export async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readProjectFile(DASHBOARD));
}

/** What one query selects. */
export interface Selection {
  /** As it stands there: of a histogram with its suffix. */
  readonly name: string;
  /** Labels that it picks by. */
  readonly labels: readonly string[];
  /** The function around it, where there is one. */
  readonly within: string | undefined;
}

/** What a query asks for. */
export interface Asked {
  readonly selections: readonly Selection[];
  /** Labels that it groups by. */
  readonly groups: readonly string[];
}

/** Reads a query with the grammar of Prometheus itself. @throws where it is none */
export function readQuery(query: string): Asked {
  // What Grafana puts in before it asks.
  const text = query.replaceAll("$__rate_interval", "1m");
  const selections: { name: string; labels: string[]; within: string | undefined }[] = [];
  const groups: string[] = [];
  const functions: string[] = [];
  parser.parse(text).iterate({
    enter({ name, from, to, type, node }) {
      const said = text.slice(from, to);
      assert.ok(!type.isError, `no query: ${query}, at ${from}`);
      if (name === "FunctionCall") functions.push(text.slice(from, node.firstChild?.to));
      if (name === "Identifier") {
        selections.push({ name: said, labels: [], within: functions.at(-1) });
      }
      if (name !== "LabelName") return;
      if (node.parent?.name === "GroupingLabels") groups.push(said);
      else selections.at(-1)?.labels.push(said);
    },
    leave({ name }) {
      if (name === "FunctionCall") functions.pop();
    },
  });
  return { selections, groups };
}

/** What is wrong with a query, given every series that there is. */
export function wrongIn(query: string, all: readonly Series[]): string[] {
  const complaints: string[] = [];
  const { selections, groups } = readQuery(query);
  const labels = new Set(["job", "instance"]);
  for (const { name, labels: picked, within } of selections) {
    const series = all.find((one) => namesOf(one).includes(name));
    if (series === undefined) {
      complaints.push(`there is no ${name}`);
      continue;
    }
    const own = ["job", "instance", ...series.labels];
    const isBucket = name.endsWith("_bucket");
    for (const label of isBucket ? [...own, "le"] : own) labels.add(label);
    const strange = picked.filter((label) => !own.includes(label));
    complaints.push(...strange.map((label) => `${name} has no ${label}`));
    const grows = series.type !== "gauge";
    if (grows !== ["rate", "increase"].includes(within ?? "")) {
      complaints.push(`${name} is a ${series.type}, within ${within}`);
    }
    if (isBucket && !groups.includes("le")) complaints.push(`${name} is asked for without le`);
  }
  complaints.push(
    ...groups.filter((label) => !labels.has(label)).map((label) => `nothing has ${label}`),
  );
  return complaints;
}

function namesOf({ name, type }: Series): string[] {
  return type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
