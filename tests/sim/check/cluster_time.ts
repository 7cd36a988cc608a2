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
/** Without a leader time stands still: for this long in a run, if it must. It may make up for that. */
const LAG_MS_MAX = 10_000;

/** Hears which time leaders have, and which stamps were applied. */
export class ClusterTime {
  readonly #rightMs: () => number;
  /** The right time when the first node started. */
  readonly #beganMs: number;
  readonly #latest = new Map<number, number>();
  /** By group: what the first time was ahead of the right one. */
  readonly #first = new Map<number, number>();

  /** @param rightMs the time that most wall clocks are close to */
  constructor(rightMs: () => number) {
    this.#rightMs = rightMs;
    this.#beganMs = rightMs();
  }

  /** A leader has this time. */
  leads(group: number, groupMs: number): void {
    this.#look(group, groupMs, groupMs - this.#rightMs());
  }

  /** A replica has applied this stamp, made at any time since the beginning. */
  applied(group: number, stampMs: number): void {
    this.#look(group, stampMs, Math.min(stampMs - this.#beganMs, 0));
  }

  /** The latest time that a group may have; 0 before it had any. */
  latest(group: number): number {
    return this.#latest.get(group) ?? 0;
  }

  /** @param firstMs by how much it was ahead when it was made, should it be the first */
  #look(group: number, groupMs: number, firstMs: number): void {
    const aheadMs = groupMs - this.#rightMs();
    const first = this.#first.get(group);
    if (first === undefined) this.#first.set(group, firstMs);
    // What leaps ends streams before their time.
    const beganMs = first === undefined || first > -LAG_MS_MAX ? 0 : first;
    if (aheadMs > beganMs + AHEAD_MS_MAX) {
      throw new Violation("time", `group ${group} was ${first} ms ahead, and is ${aheadMs}`);
    }
    if (groupMs > this.latest(group)) this.#latest.set(group, groupMs);
  }
}
