/** The Grafana dashboard asks for what there is, and is a dashboard in Grafana's own eyes. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { CHAPTERS } from "../../http/metrics/registry.ts";
import { ALL_SERIES } from "../given/metrics_agree.ts";
import { readProjectFile } from "../house/source.ts";
import { DASHBOARD, type Panel, readDashboard, readQuery, wrongIn } from "./dashboard.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const COLUMNS = 24;

const dashboard = await readDashboard();
const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

Deno.test("every query of the dashboard asks for series and labels that there are", () => {
  assert.ok(queries.length > 30);
  for (const query of queries) assert.deepEqual(wrongIn(query, ALL_SERIES), [], query);
});

Deno.test("wrongIn() complains about what a query gets wrong", () => {
  const wrong: [query: string, complaint: RegExp][] = [
    ["ursula_nonsense", /there is no ursula_nonsense/],
    ["ursula_journal_fsync_duration_seconds", /there is no/],
    ['ursula_groups_led{core="0"}', /has no core/],
    ["ursula_appends_total", /is a counter, within undefined/],
    ["rate(ursula_groups_led[1m])", /is a gauge, within rate/],
    ["sum by (core) (ursula_groups_led)", /nothing has core/],
    [
      "histogram_quantile(0.9, rate(ursula_http_response_duration_seconds_bucket[1m]))",
      /without le/,
    ],
  ];
  for (const [query, complaint] of wrong) {
    assert.match(wrongIn(query, ALL_SERIES).join(), complaint, query);
  }
  assert.throws(() => readQuery("sum by (ursula_groups_led"), /no query/);
});

Deno.test("the dashboard has something of every subject, and chooses among what there is", () => {
  const asked = new Set(
    queries.flatMap((query) =>
      readQuery(query).selections.map(({ name }) => name.replace(/_(?:bucket|sum|count)$/, ""))
    ),
  );
  for (const { title, series } of CHAPTERS) {
    assert.ok(series.some(({ name }) => asked.has(name)), title);
  }
  const named = dashboard.templating.list.flatMap(({ query }) => query.match(/ursula_\w+/g) ?? []);
  assert.deepEqual(new Set(named), new Set(["ursula_ready"]));
});

Deno.test("the dashboard's panels have ids, titles and places of their own", () => {
  const { panels } = dashboard;
  for (const field of ["id", "title"] as const) {
    assert.equal(new Set(panels.map((panel) => panel[field])).size, panels.length, field);
  }
  for (const panel of panels) {
    assert.ok(panel.type === "row" || panel.description, `${panel.title} says what it shows`);
    assert.ok(panel.gridPos.x + panel.gridPos.w <= COLUMNS, panel.title);
    const other = panels.find((one) => one !== panel && overlap(one, panel));
    assert.equal(other, undefined, `${panel.title} lies over ${other?.title}`);
  }
});

function overlap({ gridPos: one }: Panel, { gridPos: other }: Panel): boolean {
  return one.x < other.x + other.w && other.x < one.x + one.w &&
    one.y < other.y + other.h && other.y < one.y + one.h;
}

/** Grafana's own types, whose enumerations JSON has as the values that they stand for. */
const SCHEMA = `import type { Dashboard } from "@grafana/schema";
type Written<T> = T extends string ? (string extends T ? string : \`\${T}\`)
  : T extends number ? (number extends T ? number
    : \`\${T}\` extends \`\${infer N extends number}\` ? N : never)
  : T extends (infer E)[] ? Written<E>[]
  : T extends object ? { [K in keyof T]: Written<T[K]> }
  : T;
export const dashboard: Written<Dashboard> = `;

Deno.test("the dashboard is one by Grafana's own schema", async () => {
  const text = await readProjectFile(DASHBOARD);
  assert.deepEqual(await checked(SCHEMA + text), { success: true, complaint: "" });
  const wrong = text.replace('"gridPos"', '"gridpos"');
  const { success, complaint } = await checked(SCHEMA + wrong);
  assert.ok(!success && /gridpos/.test(complaint), complaint);
});

async function checked(program: string): Promise<{ success: boolean; complaint: string }> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, program);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--config", `${ROOT}deno.json`, file],
      env: { NO_COLOR: "1" },
    }).output();
    return { success, complaint: new TextDecoder().decode(stderr) };
  } finally {
    await Deno.remove(file);
  }
}
