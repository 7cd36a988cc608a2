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
  /** What is sent to it takes long, for a while. */
  readonly slow: number;
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
    slow: draw(0, 0, 2),
    pause: draw(0, 0, 2),
    link: draw(0, 30, 100),
    work: draw(10, 100, 1000),
    membership: draw(0, 5, 20),
    transfer: draw(0, 5, 20),
  };
}

/** Nothing goes wrong. */
const CALM: Omit<Rates, "read" | "work"> = {
  swift: true,
  loss: 0,
  doubling: 0,
  disorder: 0,
  relapse: 0,
  crash: 0,
  cut: 0,
  full: 0,
  slow: 0,
  pause: 0,
  link: 0,
  membership: 0,
  transfer: 0,
};

/** What a swift run is about. Leases fail where one thing goes wrong at a time, in good health. */
const THEMES: readonly Partial<Rates>[] = [
  { cut: 1 },
  { pause: 1 },
  { pause: 0.5, cut: 0.5, slow: 0.5 },
  { relapse: 60, link: 6 },
  { transfer: 3, slow: 3 },
  { transfer: 2, cut: 0.5, link: 1, doubling: 50, disorder: 30 },
  { membership: 2, cut: 0.5, link: 1 },
  { cut: 0.5, relapse: 5, loss: 2, full: 0.3, crash: 0.3 },
];

function drawSwift(random: SeededRandom): Rates {
  const read = random.pick([10, 30, 100]) ?? 10;
  const work = random.pick([5, 20, 100]) ?? 5;
  return { ...CALM, read, work, ...random.pick(THEMES) };
}

/** Draws a run's rates. */
export function drawRates(random: SeededRandom): Rates {
  return random.oneIn(2) ? drawSwift(random) : drawSlow(random);
}

/** How far clocks are off at most: 1.05 to 0.95 is 1.105, and a lease of 90 of 100 ms bears 1.111. */
const CLOCK_SPREAD = 0.05;

/** How fast `count` members' clocks run. The worst case is one slow one among fast ones. */
export function drawClockRates(random: SeededRandom, count: number): number[] {
  const worst = random.oneIn(2);
  const slow = random.below(3);
  const rates: number[] = [];
  for (let i = 0; i < count; i++) {
    const off = worst ? (i === slow ? -1 : 1) : random.signed();
    rates.push(1 + CLOCK_SPREAD * off);
  }
  return rates;
}
