/**
 * Rounds of measurements, and the middle of them.
 *
 * @module
 */

import { quiet } from "./load/window.ts";
import type { Peer, Running } from "./peers/peer.ts";

/** What one measurement yields: figures by name. */
export type Figures = Record<string, number>;

/** What was measured of one server in one scenario. */
export interface Sample {
  /** The server, and its setting where a scenario has several. */
  subject: string;
  /** The median of each figure. */
  figures: Figures;
  /** Every round's figures, in order. */
  rounds: Figures[];
  /** Rounds that came to nothing, and why. */
  failures: string[];
  /** Why there are no figures. */
  missing?: string;
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? NaN;
  return (upper + lower) / 2;
}

/** The median of each figure. */
export function medians(rounds: Figures[]): Figures {
  const result: Figures = {};
  for (const name of Object.keys(rounds[0] ?? {})) {
    result[name] = median(rounds.map((round) => round[name] ?? NaN));
  }
  return result;
}

/** How often, and how patiently, is measured. */
export interface Rounds {
  /** Rounds, of which the median counts. */
  rounds: number;
  /** How long to wait for other processes to leave the cores alone; 0 measures at once. */
  patienceMs: number;
  /** Is told what was measured. */
  progress(line: string): void;
}

/** One thing to measure in every round. */
export interface Subject<S extends Running = Running> {
  name: string;
  peer: Peer<S>;
  /** Takes one measurement of a server that was started for it. */
  measure(server: S): Promise<Figures>;
}

/**
 * Measures all subjects in turn, round after round, every second round backwards: what the machine
 * does meanwhile meets all of them. Each measurement has a server of its own, started empty.
 *
 * Strangers on the machine are waited for; see {@linkcode Rounds.patienceMs}.
 */
export async function interleave(subjects: Subject[], settings: Rounds): Promise<Sample[]> {
  const { rounds, progress } = settings;
  const samples = new Map<Subject, Sample>();
  for (const subject of subjects) {
    const missing = await subject.peer.absent();
    samples.set(subject, { subject: subject.name, figures: {}, rounds: [], failures: [], missing });
  }
  for (let round = 0; round < rounds; round++) {
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      const sample = samples.get(subject);
      if (sample === undefined || sample.missing !== undefined) continue;
      try {
        const figures = await measureQuietly(subject, settings.patienceMs);
        sample.rounds.push(figures);
        progress(`${round + 1}/${rounds} ${subject.name}: ${brief(figures)}`);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        sample.failures.push(reason);
        progress(`${round + 1}/${rounds} ${subject.name}: failed: ${reason}`);
      }
    }
  }
  for (const sample of samples.values()) {
    sample.figures = medians(sample.rounds);
    if (sample.rounds.length === 0) sample.missing ??= sample.failures[0];
  }
  return [...samples.values()];
}

/** The figure that says how much other processes took of the two cores, as a share of one. */
export const OTHERS = "others share";

/** The figure that says which share of what was written reached its readers in the window. */
export const DELIVERED = "delivered";

/** Above this share, strangers disturbed the measurement. */
export const OTHERS_SHARE_MAX = 0.1;

/** How often a measurement that strangers disturbed is taken again. */
const REPEATS_MAX = 2;

/** Waits for a quiet machine and measures; repeats what was disturbed, and keeps the quietest. */
async function measureQuietly(subject: Subject, patienceMs: number): Promise<Figures> {
  let best: Figures | undefined;
  for (let tries = 0; tries <= (patienceMs > 0 ? REPEATS_MAX : 0); tries++) {
    await quiet(OTHERS_SHARE_MAX, patienceMs);
    const figures = await measureOnce(subject);
    if (best === undefined || (figures[OTHERS] ?? 0) < (best[OTHERS] ?? 0)) best = figures;
    if ((best[OTHERS] ?? 0) <= OTHERS_SHARE_MAX) break;
  }
  return best ?? {};
}

async function measureOnce(subject: Subject): Promise<Figures> {
  const server = await subject.peer.start();
  try {
    return await subject.measure(server);
  } finally {
    await server.stop();
  }
}

/** Figures on one line. */
export function brief(figures: Figures): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${round(value)}`)
    .join(", ");
}

/** Three significant digits, and thousands in full. */
export function round(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
