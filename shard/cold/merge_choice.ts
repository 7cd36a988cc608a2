/**
 * Which objects to merge, and whether that is worth it.
 *
 * Three things go wrong where nothing is merged. Slow streams make an object for every flush,
 * however small. Deletions and trims leave objects of which little is needed. And where many streams
 * share objects, each object holds little of every one, so that the references to a stream's history
 * take as much memory as there were flushes. So these are merged:
 *
 * - **light** objects, with little in them that lives, from 16 on: as many of the lightest as fit
 *   into one. What they become is at least four times as heavy as any of them, so that a byte that
 *   begins in an object of 1 KiB is rewritten 5 times at most until its object is light no more.
 * - **half dead** objects go with the light ones, or once there is an object's worth of dead bytes in
 *   them. A byte that is rewritten for that is paid for by a dead one that goes.
 * - **divided** objects, whose ranges are small: 16 and more of about the same fineness, the oldest
 *   first, become as many that hold a few streams each, whose ranges are joined. Ranges that don't
 *   become four times as long on the average are not worth it: then more have to come together. So
 *   a byte that begins in a range of 100 B is rewritten 5 times at most until that has 64 KiB.
 *
 * A merge of light ones that would leave more than a quarter of them is likewise not worth it.
 *
 * @module
 */

import type { ColdState, ObjectView } from "../../stream/mod.ts";

/** Objects from which on there is something to merge. */
const OBJECTS_MIN = 16;
/** Light objects that are merged at once: what a list of them may take. */
const LIGHT_MAX = 512;
/** An object with less of a full one's bytes alive is light. */
const LIGHT_SHARE = 1 / 8;
/** How much heavier a merge has to be than what it is made of, and ranges longer. */
const GROWTH_MIN = 4;
/** Ranges that are shorter on the average are worth joining. */
const FINE_RANGE_BYTES = 64 * 1024;
/** With fewer ranges an object is not worth dividing anew. */
const DIVIDED_RANGES_MIN = 256;
/** Divided objects that are merged at once. */
const DIVIDED_MAX = 256;

/** Objects that are to be merged. */
export interface MergeChoice {
  /** `light` ones make fewer objects, `divided` ones fewer ranges; of dead ones it is sure. */
  readonly why: "light" | "dead" | "divided";
  readonly sources: readonly ObjectView[];
  /** How many there were to choose from. */
  readonly candidates: number;
}

/** What looking through the ranges of a choice has shown. */
export interface MergeGain {
  /** Ranges that lie in the sources, and that they become. */
  readonly ranges: number;
  readonly runs: number;
  /** Objects that they become. */
  readonly objects: number;
}

/** Is it worth it to merge these? */
export function isWorthIt({ why, sources }: MergeChoice, gain: MergeGain): boolean {
  if (why === "dead") return true;
  const joins = gain.runs * GROWTH_MIN <= gain.ranges;
  return joins || (why === "light" && gain.objects * GROWTH_MIN <= sources.length);
}

/**
 * What to merge, if anything.
 *
 * @param fullBytes of an object
 * @param objectsMin objects from which on a merge is tried; more where it was not worth it with fewer
 * @param avoids leaves an object out
 */
export function chooseMerge(
  cold: ColdState,
  fullBytes: number,
  objectsMin: Readonly<Record<MergeChoice["why"], number>>,
  avoids: (number: number) => boolean,
): MergeChoice | undefined {
  const sparse = cold.sparse(fullBytes * LIGHT_SHARE, 0.5, LIGHT_MAX)
    .filter(({ number }) => !avoids(number));
  const dead = sparse.filter(isHalfDead);
  if (dead.reduce((sum, { length, liveBytes }) => sum + length - liveBytes, 0) >= fullBytes) {
    const sources = upTo(fullBytes, dead);
    if (sources.length > 0) return { why: "dead", sources, candidates: dead.length };
  }
  if (sparse.length >= objectsMin.light) {
    const sources = lightest(upTo(fullBytes, sparse));
    if (sources.length > 1) return { why: "light", sources, candidates: sparse.length };
  }
  return chooseDivided(cold, objectsMin.divided, avoids);
}

/** Objects that a merge is tried with for the first time. */
export const FIRST_OBJECTS_MIN: Readonly<Record<MergeChoice["why"], number>> = {
  light: OBJECTS_MIN,
  dead: 1,
  divided: OBJECTS_MIN,
};

function isHalfDead({ liveBytes, length }: ObjectView): boolean {
  return liveBytes <= length / 2;
}

/** The first that together have so many bytes alive. */
function upTo(bytesMax: number, objects: readonly ObjectView[]): ObjectView[] {
  let bytes = 0;
  return objects.filter(({ liveBytes }) => (bytes += liveBytes) <= bytesMax);
}

/** As many of the first as weigh enough together for each of them to be rewritten. */
function lightest(objects: readonly ObjectView[]): ObjectView[] {
  let bytes = 0, heaviest = 0, count = 0;
  for (const [i, object] of objects.entries()) {
    bytes += object.liveBytes;
    if (!isHalfDead(object)) heaviest = Math.max(heaviest, object.liveBytes);
    if (bytes >= heaviest * GROWTH_MIN) count = i + 1;
  }
  return objects.slice(0, count);
}

function chooseDivided(
  cold: ColdState,
  objectsMin: number,
  avoids: (number: number) => boolean,
): MergeChoice | undefined {
  const byFineness = new Map<number, ObjectView[]>();
  for (const object of cold.objects.all()) {
    const { number, references, liveBytes, isSnapshot } = object;
    if (isSnapshot || references < DIVIDED_RANGES_MIN || avoids(number)) continue;
    if (liveBytes >= references * FINE_RANGE_BYTES) continue;
    const fineness = Math.floor(Math.log2(liveBytes / references) / 2);
    const alike = byFineness.get(fineness);
    if (alike === undefined) byFineness.set(fineness, [{ ...object }]);
    else alike.push({ ...object });
  }
  for (const alike of byFineness.values()) {
    if (alike.length < objectsMin) continue;
    alike.sort((a, b) => a.number - b.number);
    return { why: "divided", sources: alike.slice(0, DIVIDED_MAX), candidates: alike.length };
  }
  return undefined;
}
