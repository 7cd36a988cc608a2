/**
 * When which node is restarted or killed, drawn from a seed.
 *
 * @module
 */

import { random } from "../crash/random.ts";

/** One thing that happens to one node. */
export interface Upheaval {
  /** Since the beginning. */
  readonly atMs: number;
  /** `restart`: SIGTERM; `kill`: SIGKILL. */
  readonly kind: "restart" | "kill";
  readonly node: number;
  /** How long it stays away. */
  readonly awayMs: number;
}

/** All that happens in one run. */
export interface Plan {
  readonly upheavals: readonly Upheaval[];
  /**
   * The node that is left alone after the first third, so that what grows in a process that lives
   * for long is seen.
   */
  readonly veteran: number;
}

/** What nodes do in the background, such as a sweep every 30 s, has to get its turn. */
const PERIOD_MS_MAX = 40_000;
/** A short run has so many all the same. */
const PERIODS_MIN = 9;
const AWAY_MS_MAX = 3_000;

/** The plan of a run of `totalMs` with so many nodes. */
export function planOf(seed: number, totalMs: number, nodes: number): Plan {
  const next = random(seed);
  const ids = Array.from({ length: nodes }, (_, at) => at + 1);
  const veteran = 1 + Math.floor(next() * nodes);
  const others = ids.filter((id) => id !== veteran);
  const periodMs = Math.min(PERIOD_MS_MAX, totalMs / PERIODS_MIN);
  const upheavals: Upheaval[] = [];
  const add = (atMs: number, kind: Upheaval["kind"], node: number) =>
    upheavals.push({ atMs, kind, node, awayMs: Math.round(next() * AWAY_MS_MAX) });
  // A rolling restart, and the veteran's only kill; then by turns restarts and kills of the others.
  let atMs = periodMs / 2;
  for (const id of ids) {
    add(atMs, "restart", id);
    atMs += periodMs / 2;
  }
  add(atMs, "kill", veteran);
  for (let turn = 0; (atMs += periodMs) < totalMs - periodMs / 2; turn++) {
    const node = others[turn % others.length] ?? veteran;
    add(atMs, next() < 0.5 ? "restart" : "kill", node);
  }
  return { upheavals, veteran };
}
