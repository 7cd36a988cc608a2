/**
 * Whether what was sampled stays as it is: under a load that is always the same, the median of the
 * last third of a run against that of the middle third.
 *
 * @module
 */

import type { Measure, Sample } from "./samples.ts";

/** By how much the last third may be above the middle one: a share of it, or this much at least. */
export interface Tolerance {
  readonly share: number;
  readonly least: number;
}

/** A measure of a node, judged. */
export interface Verdict {
  readonly node: number;
  readonly measure: Measure;
  /** Medians. */
  readonly middle: number;
  readonly last: number;
  /** The last third's median is not above it, where this is flat. */
  readonly most: number;
  readonly isFlat: boolean;
}

const MiB = 1 << 20;
/** By how much the load may change. */
const LOAD_SHARE = 0.25;

/**
 * Memory: the collector's own leisure. Handles: connections of clients, which come and go. Disk: two
 * segments of the journal, which are made and removed whole. Objects: what waits for its deletion.
 */
export const TOLERANCES: Readonly<Record<Measure, Tolerance>> = {
  memory: { share: 0.1, least: 24 * MiB },
  handles: { share: 0.1, least: 16 },
  disk: { share: 0.15, least: 64 * MiB },
  objects: { share: 0.2, least: 60 },
};

/** Judges the samples of one node; a third without samples is not flat. */
export function judge(
  samples: readonly Sample[],
  node: number,
  measure: Measure,
  totalMs: number,
): Verdict {
  const third = (from: number) =>
    medianOf(
      samples.filter((sample) =>
        sample.node === node && sample.atMs >= totalMs * from / 3 &&
        sample.atMs < totalMs * (from + 1) / 3
      ).map((sample) => sample[measure]),
    );
  const [middle, last] = [third(1), third(2)];
  const { share, least } = TOLERANCES[measure];
  const most = middle + Math.max(middle * share, least);
  return { node, measure, middle, last, most, isFlat: last <= most };
}

/** Were as many appends done in the last third as in the middle one, by a quarter more or less? */
export function isConstant(middle: number, last: number): boolean {
  return Math.abs(last - middle) <= middle * LOAD_SHARE;
}

/** The middle one; not a number where there is none. */
export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const above = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? above : (above + (sorted[middle - 1] ?? NaN)) / 2;
}
