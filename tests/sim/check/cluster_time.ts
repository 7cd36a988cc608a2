/**
 * Group time of a cluster (SPEC section 3, TTL): it goes on by the leader's monotonic clock, and
 * further only where a majority of wall clocks agrees. So it never runs ahead of the right time by
 * more than these may be wrong, whatever one node believes.
 *
 * @module
 */

import { Violation } from "../violation.ts";

/** A majority agrees within 1 s (SPEC section 3), and a message about it takes its time. */
const AHEAD_MS_MAX = 1_500;

/** Hears which time leaders have, and which stamps were applied. */
export class ClusterTime {
  readonly #rightMs: () => number;
  readonly #latest = new Map<number, number>();
  /** By group: the first stamp, as what it was ahead of the right time. */
  readonly #first = new Map<number, number>();

  /** @param rightMs the time that most wall clocks are close to */
  constructor(rightMs: () => number) {
    this.#rightMs = rightMs;
  }

  /** A leader has this time, or a replica has applied this stamp. */
  look(group: number, groupMs: number): void {
    const aheadMs = groupMs - this.#rightMs();
    const first = this.#first.get(group);
    if (first === undefined) this.#first.set(group, aheadMs);
    // What leaps ends streams before their time.
    if (aheadMs > Math.min(first ?? 0, 0) + AHEAD_MS_MAX) {
      throw new Violation("time", `group ${group} was ${first} ms ahead, and is ${aheadMs}`);
    }
    if (groupMs > this.latest(group)) this.#latest.set(group, groupMs);
  }

  /** The latest time that a group may have; 0 before it had any. */
  latest(group: number): number {
    return this.#latest.get(group) ?? 0;
  }
}
