/**
 * What was found, as Markdown.
 *
 * @module
 */

import { keeps, type Verdict } from "./budgets.ts";
import { DELIVERED, OTHERS, OTHERS_SHARE_MAX, round, type Sample } from "./samples.ts";
import type { Findings, Scenario } from "./scenarios/scenario.ts";

/** Above this share of its core, the load generator may be what was measured. */
const LOAD_SHARE_MAX = 0.9;

/** Below this share of what was written, a server fell behind. */
const DELIVERED_SHARE_MIN = 0.97;

/** One scenario's findings. */
export interface Chapter {
  scenario: Scenario;
  findings: Findings;
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}

function table(head: string[], rows: string[][]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function samplesTable(samples: Sample[]): string {
  const names = [...new Set(samples.flatMap(({ figures }) => Object.keys(figures)))];
  const rows = samples.map((sample) => [
    sample.subject,
    ...names.map((name) => {
      const value = sample.figures[name];
      return value === undefined ? "–" : round(value);
    }),
  ]);
  return table(["", ...names], rows);
}

/** What a reader has to know before believing the figures. */
function remarks(samples: Sample[]): string[] {
  const lines: string[] = [];
  for (const { subject, figures, failures, missing } of samples) {
    if (missing !== undefined) lines.push(`- ${subject}: not measured: ${firstLine(missing)}`);
    else {for (const reason of failures) {
        lines.push(`- ${subject}: a round failed: ${firstLine(reason)}`);
      }}
    const share = figures["load share"];
    if (share !== undefined && share > LOAD_SHARE_MAX) {
      const percent = Math.round(share * 100);
      lines.push(`- ${subject}: the load generator was at ${percent} % of its core: a bottleneck`);
    }
    const delivered = figures[DELIVERED];
    if (delivered !== undefined && delivered < DELIVERED_SHARE_MIN) {
      const percent = Math.round(delivered * 100);
      lines.push(
        `- ${subject}: fell behind, ${percent} % arrived in time: its latencies are a lower bound`,
      );
    }
    const others = figures[OTHERS];
    if (others !== undefined && others > OTHERS_SHARE_MAX) {
      const percent = Math.round(others * 100);
      lines.push(`- ${subject}: other processes took ${percent} % of a core: repeat in peace`);
    }
  }
  return lines;
}

function outcome({ budget, value, missing }: Verdict): string {
  if (value === undefined) return `not measured: ${firstLine(missing ?? "")}`;
  if (!keeps(value, budget.sense, budget.must)) return "**FAIL**";
  return keeps(value, budget.sense, budget.aim) ? "pass, aim reached" : "pass";
}

/** Whether every budget that could be measured is kept. */
export function allKept(chapters: Chapter[]): boolean {
  return chapters.every(({ findings }) =>
    findings.verdicts.every(({ budget, value }) =>
      value === undefined || keeps(value, budget.sense, budget.must)
    )
  );
}

/** The whole report. */
export function markdown(chapters: Chapter[]): string {
  const parts: string[] = [];
  for (const { scenario, findings } of chapters) {
    parts.push(`## ${scenario.name}`, scenario.about, samplesTable(findings.samples));
    const notes = remarks(findings.samples);
    if (notes.length > 0) parts.push(notes.join("\n"));
  }
  const rows = chapters.flatMap(({ findings }) => findings.verdicts).map((verdict) => [
    verdict.budget.work,
    verdict.value === undefined ? "–" : round(verdict.value),
    `${verdict.budget.sense} ${verdict.budget.must}`,
    String(verdict.budget.aim),
    outcome(verdict),
  ]);
  parts.push("## Budgets", table(["work", "ratio", "must", "aim", ""], rows));
  return parts.join("\n\n");
}
