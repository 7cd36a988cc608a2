/**
 * What the JSON of a node's metrics has at the place that a series names.
 *
 * @module
 */

import assert from "node:assert/strict";

/** A value, and what stands for the labels on the way to it. */
export interface Found {
  readonly labels: readonly string[];
  readonly value: unknown;
}

/** Follows a path as `http/metrics/series.ts` describes it; nothing where it leads through null. */
export function lookUp(json: unknown, path: string): Found[] {
  return path.split(".").reduce<Found[]>(
    (found, step) => found.flatMap((one) => follow(one, step)),
    [{ labels: [], value: json }],
  );
}

function follow({ labels, value }: Found, step: string): Found[] {
  if (value === null) return [];
  assert.ok(typeof value === "object", `nothing is below ${value}`);
  if (step === "*") {
    return Object.entries(value).map(([name, field]) => ({
      labels: [...labels, name],
      value: field,
    }));
  }
  const name = step.replace("[]", "");
  assert.ok(name in value, `${name} is in ${Object.keys(value)}`);
  const field = (value as Record<string, unknown>)[name];
  if (name === step) return [{ labels, value: field }];
  return (field as { id: number }[]).map((element) => ({
    labels: [...labels, String(element.id)],
    value: element,
  }));
}
