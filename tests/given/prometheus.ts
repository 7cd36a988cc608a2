/**
 * Reads the Prometheus text format as Prometheus does, and more strictly than it has to.
 *
 * @module
 */

import assert from "node:assert/strict";
import parse from "parse-prometheus-text-format";

/** One value of a metric; of a histogram its buckets. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** By bound, cumulative. */
  readonly buckets: Readonly<Record<string, number>> | undefined;
  /** Of a histogram. */
  readonly count: number;
  readonly sum: number;
}

/** A metric. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly metrics: readonly {
    readonly value: string;
    readonly labels?: Readonly<Record<string, string>>;
  }[];
}

const SAMPLE =
  /^([a-z_]+)(?:\{([a-z_]+="(?:[^"\\]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\]|\\["\\n])*")*)\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?)$/;

/** Every metric of a text, by name. @throws where a line is not as it should be */
export function readMetrics(text: string): Map<string, Family> {
  checkLines(text);
  // The parser makes one histogram of all that differ in their labels: it is given their lines as
  // numbers, and they are put together here.
  const parsed = parse(text.replaceAll(/^(# TYPE \S+) histogram$/gm, "$1 untyped"));
  const families = new Map<string, ParsedFamily>();
  for (const family of parsed as ParsedFamily[]) {
    const { metrics = [] } = families.get(family.name) ?? {};
    families.set(family.name, { ...family, metrics: [...metrics, ...family.metrics] });
  }
  const found = new Map<string, Family>();
  for (const [name, { help }] of families) {
    const type = new RegExp(`^# TYPE ${name} (\\S+)$`, "m").exec(text)?.[1];
    if (type === undefined) continue;
    const samples = type === "histogram" ? histograms(families, name) : numbers(families, name);
    found.set(name, { name, type, help, samples });
  }
  return found;
}

type Families = ReadonlyMap<string, ParsedFamily>;

function numbers(families: Families, name: string): Sample[] {
  const { metrics = [] } = families.get(name) ?? {};
  return metrics.map(({ value, labels }) => ({
    labels: labels ?? {},
    value: Number(value),
    buckets: undefined,
    count: NaN,
    sum: NaN,
  }));
}

function histograms(families: Families, name: string): Sample[] {
  const sums = numbers(families, `${name}_sum`);
  const buckets = numbers(families, `${name}_bucket`);
  return numbers(families, `${name}_count`).map(({ labels, value }) => {
    const isSame = (sample: Sample) =>
      Object.entries(labels).every(([label, text]) => sample.labels[label] === text);
    const own = buckets.filter(isSame).map((bucket) => [bucket.labels.le, bucket.value]);
    const sum = sums.find(isSame)?.value ?? NaN;
    return { labels, value: NaN, buckets: Object.fromEntries(own), count: value, sum };
  });
}

/** Each family is one block that begins with HELP and TYPE, and no sample is there twice. */
function checkLines(text: string): void {
  assert.ok(text.endsWith("\n"), "the last line ends");
  const seen = new Set<string>();
  let [family, type] = ["", ""];
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) (\S.*)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = "", said = ""] = comment;
      if (kind === "TYPE") {
        assert.equal(name, family, "TYPE follows its HELP");
        type = said;
        continue;
      }
      assert.ok(!seen.has(name), `${name} comes once`);
      seen.add(name);
      [family, type] = [name, ""];
      continue;
    }
    const sample = SAMPLE.exec(line);
    assert.ok(sample !== null, `a line that is none: ${line}`);
    const [, name = "", labels = ""] = sample;
    const base = type === "histogram" ? name.replace(/_(?:bucket|sum|count)$/, "") : name;
    assert.equal(base, family, `${line} belongs to the block before`);
    assert.ok(type !== "", `${line} has a type`);
    const key = `${name}{${labels}}`;
    assert.ok(!seen.has(key), `${key} comes once`);
    seen.add(key);
  }
}
