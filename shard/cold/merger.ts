/**
 * Merges objects, and with them ranges of streams, so that there are neither many small nor many
 * empty ones; which and why: `merge_choice.ts`.
 *
 * A merge looks through the group's streams twice, in stretches of a few ms: once to know what it
 * would gain, and once to gather ranges, stream by stream, an object's worth at a time. Each object
 * is read, put together, put into the store and only then proposed. What changes meanwhile is left
 * out by the command, and what is left of a merge that breaks off is swept. The sources are
 * referred to no more and go as any other object does.
 *
 * @module
 */

import type { Group } from "../../group/mod.ts";
import { pause } from "../../io/mod.ts";
import { type ColdObject, ColdReader, objectKey, putObject } from "../../storage/cold/mod.ts";
import type { GroupState, ObjectName } from "../../stream/mod.ts";
import type { ColdJob } from "./job.ts";
import {
  chooseMerge,
  FIRST_OBJECTS_MIN,
  isWorthIt,
  type MergeChoice,
  type MergeGain,
} from "./merge_choice.ts";
import { type Run, RunGatherer } from "./merge_runs.ts";
import { mergeRuns, SourceError } from "./merged_object.ts";
import type { ObjectNumbers } from "./numbers.ts";
import { leadsNow, proposed } from "./proposed.ts";
import { Rounds } from "./rounds.ts";
import { Stretches } from "./stretches.ts";
import type { ColdParts } from "./work.ts";

/** How often groups are looked at. */
const LOOK_MS = 60_000;
/** Between two objects, so that merging leaves most of store and processor to others. */
const PAUSE_MS = 1_000;
/** What is kept of sources that are being read, in objects: they are read at many places at once. */
const CACHE_OBJECTS = 2;
/** Requests of a merge at a time. */
const FETCHES_MAX = 4;
/** A source that is missing or damaged is left out so long: it may be put anew meanwhile. */
const AVOID_MS = 60 * 60_000;

/** When to merge; tests have less time. */
export interface MergerTiming {
  readonly everyMs?: number;
  readonly pauseMs?: number;
}

/** What the merger remembers of a group. */
interface Notes {
  /** With how many objects a merge is tried. */
  readonly objectsMin: Record<MergeChoice["why"], number>;
  /** Sources that could not be read, and until when they are left out. */
  readonly avoided: Map<number, number>;
}

/** See the module's text. */
export class Merger implements ColdJob {
  readonly #parts: ColdParts;
  readonly #numbers: ObjectNumbers;
  readonly #pauseMs: number;
  readonly #rounds: Rounds;
  readonly #notes = new Map<number, Notes>();

  /** Merges objects of all groups of the shard. */
  constructor(parts: ColdParts, numbers: ObjectNumbers, timing: MergerTiming = {}) {
    const { everyMs = LOOK_MS, pauseMs = PAUSE_MS } = timing;
    this.#parts = parts;
    this.#numbers = numbers;
    this.#pauseMs = pauseMs;
    this.#rounds = new Rounds({
      name: "cold merge",
      firstMs: everyMs,
      everyMs,
      round: (signal) => this.#round(signal),
      log: parts.log,
    });
  }

  look(nowMs: number): void {
    this.#rounds.look(nowMs);
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #round(signal: AbortSignal): Promise<void> {
    const stretches = new Stretches(this.#parts.clock);
    let failure: unknown;
    for (const group of this.#parts.groups) {
      if (stretches.isOver) await stretches.rest();
      signal.throwIfAborted();
      if (!leadsNow(group) || !this.#spreads(group)) continue;
      const notes = this.#notesOf(group);
      try {
        await this.#mergeIn(group, notes, signal);
      } catch (reason) {
        if (reason instanceof SourceError) {
          notes.avoided.set(reason.number, this.#parts.clock.monotonicMs() + AVOID_MS);
        }
        failure ??= reason;
      }
    }
    if (failure !== undefined) throw failure;
  }

  /** Will the group's other nodes have what is merged here? */
  #spreads(group: Group): boolean {
    if (this.#parts.tier.store.isShared || this.#parts.spread !== undefined) return true;
    const { voters, outgoing, learners } = group.status().membership;
    return voters.length === 1 && outgoing.length === 0 && learners.length === 0;
  }

  async #mergeIn(group: Group, notes: Notes, signal: AbortSignal): Promise<void> {
    const { state } = group;
    const { tier, clock } = this.#parts;
    const { objectsMin, avoided } = notes;
    for (const [number, untilMs] of avoided) {
      if (untilMs <= clock.monotonicMs()) avoided.delete(number);
    }
    // What is pinned may not be in the store yet.
    const pinned = new Set(tier.store.isShared ? [] : state.cold.pinnedObjects());
    const avoids = (number: number) => avoided.has(number) || pinned.has(number);
    const choice = chooseMerge(state.cold, tier.setup.flushMaxBytes, objectsMin, avoids);
    if (choice === undefined) return;
    const stretches = new Stretches(clock);
    const gain = await this.#look(state, choice, stretches, signal);
    if (!isWorthIt(choice, gain)) {
      objectsMin[choice.why] = 2 * choice.candidates;
      return;
    }
    Object.assign(objectsMin, FIRST_OBJECTS_MIN);
    // Apart from the clients', whose blocks it would drop; its own go with it.
    const reader = new ColdReader({
      store: tier.store,
      cacheBytesMax: CACHE_OBJECTS * tier.setup.flushMaxBytes,
      fetchesMax: FETCHES_MAX,
    });
    try {
      await this.#mergeAll(group, choice, reader, stretches, signal);
    } finally {
      reader.close();
    }
  }

  async #mergeAll(
    group: Group,
    choice: MergeChoice,
    reader: ColdReader,
    stretches: Stretches,
    signal: AbortSignal,
  ): Promise<void> {
    const { state } = group;
    const gatherer = new RunGatherer(this.#parts.tier.setup.flushMaxBytes);
    for (const portion of state.cold.ranges(numbersOf(choice))) {
      for (const range of portion) {
        const runs = gatherer.add(range);
        if (runs !== undefined && !await this.#merge(group, runs, reader, signal)) return;
      }
      if (stretches.isOver) await stretches.rest();
      signal.throwIfAborted();
      // Should another replica's state have taken its place.
      if (group.state !== state) return;
    }
    const runs = gatherer.end();
    if (runs !== undefined) await this.#merge(group, runs, reader, signal);
  }

  /** What merging these would come to. */
  async #look(
    state: GroupState,
    choice: MergeChoice,
    stretches: Stretches,
    signal: AbortSignal,
  ): Promise<MergeGain> {
    const gatherer = new RunGatherer(this.#parts.tier.setup.flushMaxBytes);
    for (const portion of state.cold.ranges(numbersOf(choice))) {
      for (const range of portion) gatherer.add(range);
      if (stretches.isOver) await stretches.rest();
      signal.throwIfAborted();
    }
    gatherer.end();
    return gatherer;
  }

  /** Makes an object of runs; says whether the group refers to it now. */
  async #merge(
    group: Group,
    runs: readonly Run[],
    reader: ColdReader,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { tier, clock, spread, repair, counters } = this.#parts;
    const merged = await mergeRuns(
      runs,
      {
        reader,
        object: (piece) => objectOf(tier.setup.formation, group, piece),
        repair,
      },
      new Stretches(clock),
      signal,
    );
    if (!leadsNow(group)) return false;
    const { length } = merged;
    const name: ObjectName = { ...this.#numbers.take(group), length };
    const object = tier.object(group.id, name);
    await putObject(tier.store, object, merged.parts, signal);
    if (!tier.store.isShared && spread !== undefined && !await spread(group, name)) return false;
    const answer = await proposed(group, {
      type: "repack",
      object: name,
      sources: merged.sources,
      ranges: merged.ranges,
    }, signal);
    if (!("ok" in answer)) return false;
    if (answer.ok !== "stored") {
      await tier.store.delete(objectKey(object), signal);
      return false;
    }
    counters.merges++;
    counters.mergedBytes += answer.bytes;
    await pause(clock, this.#pauseMs, signal);
    return true;
  }

  #notesOf({ id }: Group): Notes {
    let notes = this.#notes.get(id);
    if (notes === undefined) {
      notes = { objectsMin: { ...FIRST_OBJECTS_MIN }, avoided: new Map() };
      this.#notes.set(id, notes);
    }
    return notes;
  }
}

function numbersOf({ sources }: MergeChoice): Set<number> {
  return new Set(sources.map(({ number }) => number));
}

function objectOf(
  formation: string,
  { id: group }: Group,
  { number, term, objectBytes: bytes }: Run["pieces"][number],
): ColdObject {
  return { formation, group, number, term, bytes };
}
