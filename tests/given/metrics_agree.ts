/**
 * Holds the two forms of a node's metrics against each other.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CHAPTERS } from "../../http/metrics/registry.ts";
import type { Series } from "../../http/metrics/series.ts";
import { lookUp } from "./metrics_json.ts";
import { readMetrics, type Sample } from "./prometheus.ts";

/** A histogram as the JSON has it. */
interface Histogram {
  readonly count: number;
  readonly sum_seconds: number;
  readonly buckets: readonly { readonly le: string; readonly count: number }[];
}

/** Every series, in the order of the text. */
export const ALL_SERIES: readonly Series[] = CHAPTERS.flatMap(({ series }) => series);

/**
 * Asserts that a text and a JSON of the same moment say the same: every series of the text is of the
 * table, and has the very values that the JSON has where the table says so.
 */
export function assertAgree(text: string, json: unknown): void {
  const families = readMetrics(text);
  for (const series of ALL_SERIES) {
    const { name, type, help, labels } = series;
    const family = families.get(name);
    const wanted = series.json === "" ? undefined : lookUp(json, series.json);
    if (wanted?.length === 0) {
      assert.equal(family, undefined, `${name} is of what the node does not have`);
      continue;
    }
    assert.ok(family !== undefined, `${name} is in the text`);
    assert.deepEqual([family.type, family.help], [type, help], name);
    for (const sample of family.samples) {
      assert.deepEqual(Object.keys(sample.labels), [...labels], name);
    }
    families.delete(name);
    if (wanted === undefined) continue;
    assert.equal(family.samples.length, wanted.length, name);
    for (const found of wanted) {
      const sample = family.samples.find((one) =>
        labels.every((label, at) => one.labels[label] === found.labels[at])
      );
      assert.ok(sample !== undefined, `${name} of ${found.labels}`);
      assertSame(series, sample, found.value);
    }
  }
  assert.deepEqual([...families.keys()], [], "what is in the text is in the table");
}

function assertSame({ name, type, json }: Series, sample: Sample, value: unknown): void {
  if (type !== "histogram") {
    const factor = json.endsWith("_ms") ? 1_000 : 1;
    return assert.equal(sample.value * factor, Number(value), name);
  }
  const { count, sum_seconds, buckets } = value as Histogram;
  assert.deepEqual([sample.count, sample.sum], [count, sum_seconds], name);
  assert.deepEqual(
    sample.buckets,
    Object.fromEntries(buckets.map((bucket) => [bucket.le, bucket.count])),
    name,
  );
  assert.equal(buckets.at(-1)?.count, count, `${name}: all are in the last bucket`);
  buckets.reduce((below, bucket) => {
    assert.ok(bucket.count >= below, `${name} is cumulative`);
    return bucket.count;
  }, 0);
}
