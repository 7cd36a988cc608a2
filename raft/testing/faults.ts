/**
 * What goes wrong in a simulation, and how often.
 *
 * @module
 */

import type { SeededRandom } from "./random.ts";

/**
 * How often what happens, in chances per 1000. Each run draws its own, some of them 0: faults that
 * always come together hide each other.
 */
export interface Rates {
  /**
   * Nearly everything arrives at once, and timeouts are drawn close together. Elections are over
   * within the margin of a lease, so that one that ends too late is met.
   */
  readonly swift: boolean;
  /** Per message. */
  readonly loss: number;
  readonly doubling: number;
  readonly disorder: number;
  /** Per member and round: a read is asked. */
  readonly read: number;
  /** Per message that promises something: its sender dies at once, and is back at once. */
  readonly relapse: number;
  /** Per member and round, in swift runs per millisecond; a leader's are four times as high. */
  readonly crash: number;
  readonly cut: number;
  readonly full: number;
  /** The process stops for a while; when it goes on, timers are late. */
  readonly pause: number;
  /** Likewise for all: a link between two members, in one direction. */
  readonly link: number;
  /** Per leader and round. Without work a member that missed nothing can win at any time. */
  readonly work: number;
  readonly membership: number;
  readonly transfer: number;
}

function drawSlow(random: SeededRandom): Rates {
  const draw = (...rates: number[]): number => random.pick(rates) ?? 0;
  return {
    swift: false,
    loss: draw(0, 10, 100),
    doubling: draw(0, 50),
    disorder: draw(0, 50, 300),
    read: 400,
    relapse: draw(0, 0, 2),
    crash: draw(0, 1, 5, 10),
    cut: draw(0, 1, 5),
    full: draw(0, 0, 2),
    pause: draw(0, 0, 2),
    link: draw(0, 30, 100),
    work: draw(10, 100, 1000),
    membership: draw(0, 5, 20),
    transfer: draw(0, 5, 20),
  };
}

function drawSwift(random: SeededRandom): Rates {
  const draw = (...rates: number[]): number => random.pick(rates) ?? 0;
  return {
    swift: true,
    loss: draw(0, 0, 5),
    doubling: draw(0, 50),
    disorder: draw(0, 0, 50),
    read: draw(10, 30, 100),
    relapse: draw(0, 10, 50),
    crash: draw(0, 0, 1),
    cut: draw(0.5, 1, 2),
    full: draw(0, 0, 1),
    pause: draw(0, 0.5, 1),
    link: draw(0, 5, 20),
    work: draw(5, 20, 100),
    membership: draw(0, 0, 2),
    transfer: draw(0, 1, 4),
  };
}

/** Draws a run's rates. */
export function drawRates(random: SeededRandom): Rates {
  return random.oneIn(2) ? drawSwift(random) : drawSlow(random);
}

/**
 * How fast a member's clock runs. At worst one's runs 1.105 times as fast as another's, where the
 * tests' leases (90 of 100 ms) bear 1.111.
 */
export function drawClockRate(random: SeededRandom): number {
  const spread = 0.05;
  return random.oneIn(2) ? 1 + (random.oneIn(2) ? spread : -spread) : 1 + spread * random.signed();
}
