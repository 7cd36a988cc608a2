/**
 * Lets the objects go to which nothing refers any more (SPEC section 9).
 *
 * An object goes in four steps: its last reference goes; `keepsMs` of group time later, when every
 * read that began before has ended, its number is condemned, unless it was before; once that is
 * applied it is deleted; a round later the leader has its note forgotten. Each step may be repeated,
 * by whoever leads then. A store that all nodes share is the leader's to delete from; from one of
 * its own every replica deletes, as its state says. The round between deletion and `forget` is for
 * the others: whose state knows no more of an object finds it by listing alone (`orphans.ts`).
 *
 * Without a store there are StreamSnapshots alone, in memory: nothing is to be deleted, the other
 * steps are the same, and whoever reads or stages one has {@linkcode MEMORY_KEEPS_MS} from one piece
 * to the next.
 *
 * **The watermark** condemns whatever was named long ago, so that numbers need not be condemned, and
 * remembered, one by one: it rises to the number that was next {@linkcode UNDER_WAY_MS} before.
 * What has a lower number and is referred to stays, and needs no condemnation when that ends; what
 * is not known by then was lost, or is so slow that it has to begin anew. It stops below an object
 * that is being staged, which its publication still needs.
 *
 * @module
 */

import type { Group } from "../../group/mod.ts";
import type { ColdState, ObjectView } from "../../stream/mod.ts";
import { deleteObjects } from "./deletion.ts";
import type { ColdJob } from "./job.ts";
import { isApplied, leadsNow, proposed } from "./proposed.ts";
import { Rounds } from "./rounds.ts";
import { Stretches } from "./stretches.ts";
import type { ColdTier } from "./tier.ts";
import type { ColdParts } from "./work.ts";

/** How often groups are looked at. */
const SWEEP_MS = 30_000;
/** The same where memory is all there is, and how long an object without references is kept then. */
const MEMORY_SWEEP_MS = 5_000;
const MEMORY_KEEPS_MS = 60_000;
/** Longest that an object is under way from when its number is taken until it is referred to. */
export const UNDER_WAY_MS = 10 * 60_000;
/** Objects of one group that one round deletes: what its commands and notes may take. */
const OBJECTS_PER_ROUND_MAX = 10_000;

/** What a {@linkcode Sweeper} works with. */
export interface SweeperParts extends Pick<ColdParts, "groups" | "clock" | "counters" | "log"> {
  /** Left out where there is no store. */
  readonly tier?: ColdTier;
}

/** When to sweep; tests have less time. */
export interface SweeperTiming {
  readonly everyMs?: number;
  readonly underWayMs?: number;
}

/** What the sweeper remembers of a group. */
interface Notes {
  /** Deleted here, not forgotten yet. */
  deleted: Set<number>;
  /** The number that was next at a time; undefined while another replica leads. */
  mark: { readonly atMs: number; readonly number: number } | undefined;
}

/** See the module's text. */
export class Sweeper implements ColdJob {
  readonly #parts: SweeperParts;
  readonly #keepsMs: number;
  readonly #underWayMs: number;
  readonly #rounds: Rounds;
  readonly #notes = new Map<number, Notes>();

  /** Sweeps all groups of the shard. */
  constructor(parts: SweeperParts, timing: SweeperTiming = {}) {
    const { tier } = parts;
    const { everyMs = tier ? SWEEP_MS : MEMORY_SWEEP_MS, underWayMs = UNDER_WAY_MS } = timing;
    this.#parts = parts;
    this.#keepsMs = tier?.setup.keepsMs ?? MEMORY_KEEPS_MS;
    this.#underWayMs = underWayMs;
    this.#rounds = new Rounds({
      name: "cold sweep",
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
      try {
        await this.#sweep(group, signal);
      } catch (reason) {
        failure ??= reason;
      }
    }
    if (failure !== undefined) throw failure;
  }

  async #sweep(group: Group, signal: AbortSignal): Promise<void> {
    const leads = leadsNow(group);
    const notes = this.#notesOf(group);
    if (!leads) notes.mark = undefined;
    const { tier } = this.#parts;
    const deletes = tier !== undefined && !tier.store.isShared;
    if (!leads && !deletes) return notes.deleted.clear();
    const { cold } = group.state;
    const unreferenced = () =>
      cold.unreferenced(group.nowMs - this.#keepsMs).slice(0, OBJECTS_PER_ROUND_MAX);
    if (leads) await this.#condemn(group, notes, unreferenced(), signal);
    // Looked up anew: what was staged may have been published before it was condemned.
    const condemned = unreferenced().filter(({ number }) => cold.objects.isCondemned(number));
    const before = notes.deleted;
    notes.deleted = new Set(condemned.map(({ number }) => number).filter((n) => before.has(n)));
    if (leads && notes.deleted.size > 0) {
      await proposed(group, { type: "forget", numbers: [...notes.deleted] }, signal);
    }
    await this.#delete(group, notes, condemned, signal);
  }

  /** Condemns what is to be deleted, and raises the watermark. */
  async #condemn(
    group: Group,
    notes: Notes,
    old: readonly ObjectView[],
    signal: AbortSignal,
  ): Promise<void> {
    const { cold } = group.state;
    const below = this.#below(group, notes);
    const numbers = old.map(({ number }) => number)
      .filter((number) => number >= below && !cold.objects.isCondemned(number));
    if (below <= cold.watermark && numbers.length === 0) return;
    const answer = await proposed(group, { type: "condemn", below, numbers }, signal);
    if (!isApplied(answer)) notes.mark = undefined;
  }

  /** The watermark that may be; 0 where it is too early to say. */
  #below(group: Group, notes: Notes): number {
    const { cold } = group.state;
    const nowMs = this.#parts.clock.monotonicMs();
    const mark = notes.mark ??= { atMs: nowMs, number: cold.nextNumber };
    if (nowMs - mark.atMs < this.#underWayMs) return 0;
    notes.mark = { atMs: nowMs, number: cold.nextNumber };
    return Math.min(mark.number, lowestStaged(cold, group.nowMs - this.#underWayMs));
  }

  async #delete(
    group: Group,
    notes: Notes,
    condemned: readonly ObjectView[],
    signal: AbortSignal,
  ): Promise<void> {
    const { tier, counters } = this.#parts;
    const present = condemned.filter(({ number }) => !notes.deleted.has(number));
    if (tier === undefined) {
      for (const { number } of present) notes.deleted.add(number);
      return;
    }
    const left = present.map((object) => tier.object(group.id, object));
    await deleteObjects(tier, counters, left, signal, ({ number }) => {
      notes.deleted.add(number);
    });
  }

  #notesOf({ id }: Group): Notes {
    let notes = this.#notes.get(id);
    if (notes === undefined) {
      notes = { deleted: new Set(), mark: undefined };
      this.#notes.set(id, notes);
    }
    return notes;
  }
}

/** The lowest number of an object of which a piece was staged since then. */
function lowestStaged(cold: ColdState, sinceMs: number): number {
  let lowest = Infinity;
  for (const { number, staged, unreferencedMs } of cold.objects.all()) {
    if (staged === undefined || unreferencedMs === undefined || unreferencedMs < sinceMs) continue;
    lowest = Math.min(lowest, number);
  }
  return lowest;
}
