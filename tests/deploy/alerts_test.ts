import assert from "node:assert/strict";
import { parser } from "@prometheus-io/lezer-promql";
import { CHAPTERS } from "../../http/metrics/registry.ts";
import { readProjectFile } from "../house/source.ts";
import { at, type Tree, treesOf } from "./files.ts";

/** Severities that the rules are sorted by. */
const SEVERITIES = ["page", "ticket"];

interface Alert {
  readonly name: string;
  readonly expr: string;
  readonly rule: Tree;
}

async function alerts(): Promise<Alert[]> {
  const [tree] = await treesOf("alerts.yaml");
  return (at(tree, "groups") as Tree[]).flatMap((group) =>
    (at(group, "rules") as Tree[]).map((rule) => {
      return { name: String(rule.alert), expr: String(rule.expr), rule };
    })
  );
}

/** What an expression selects, and whether it is one. */
function selected(expr: string): { metrics: string[]; isWhole: boolean } {
  const metrics: string[] = [];
  let isWhole = true;
  parser.parse(expr).iterate({
    enter({ type, node, from, to }) {
      if (type.isError) isWhole = false;
      if (type.name !== "Identifier" || node.parent?.type.name !== "VectorSelector") return;
      metrics.push(expr.slice(from, to));
    },
  });
  return { metrics, isWhole };
}

/** Every name that a node may be scraped of. */
function scraped(): Set<string> {
  const series = CHAPTERS.flatMap((chapter) => chapter.series);
  return new Set([
    "up",
    ...series.flatMap(({ name, type }) =>
      type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
    ),
  ]);
}

Deno.test("deploy/alerts.yaml asks for metrics that there are", async () => {
  const known = scraped();
  for (const { name, expr } of await alerts()) {
    const { metrics, isWhole } = selected(expr);
    assert.ok(isWhole, `${name}: ${expr}`);
    assert.ok(metrics.length > 0, name);
    for (const metric of metrics) assert.ok(known.has(metric), `${name}: ${metric}`);
  }
  assert.equal(selected("rate(ursula_hot_bytes[5m]) >").isWhole, false, "it finds what is wrong");
});

Deno.test("deploy/alerts.yaml has an entry for each alert in docs/operations.md", async () => {
  const page = await readProjectFile("docs/operations.md");
  const names = (await alerts()).map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const headings = Array.from(page.matchAll(/^### (Ursula\w+)$/gm), ([, name]) => name);
  assert.deepEqual(headings, names, "in the same order");
  for (const { name, rule } of await alerts()) {
    assert.ok(SEVERITIES.includes(String(at(rule, "labels", "severity"))), name);
    assert.ok(String(at(rule, "annotations", "summary")).length > 10, name);
    const runbook = `docs/operations.md#${name.toLowerCase()}`;
    assert.equal(at(rule, "annotations", "runbook"), runbook);
  }
});
