import type { Group } from "../../group/mod.ts";
import type { Clock } from "../../io/mod.ts";
import { type ColdObject, objectKey } from "../../storage/cold/mod.ts";
import type { ObjectName } from "../../stream/mod.ts";
import type { LogLine } from "../log_line.ts";
import type { Holdings } from "./holdings.ts";
import { isWanted, Lack } from "./lack.ts";
import type { PeerCopies } from "./peer_copies.ts";
import { Slots } from "./slots.ts";
import type { ColdTier } from "./tier.ts";

/** Objects that are fetched at a time because they lack; each has 2 MiB on its way at most. */
const FETCHES_MAX = 6;
/** Further ones for which somebody waits. */
const URGENT_MAX = 4;
/** So many of them may wait for their turn. */
const URGENT_WAITING_MAX = 256;
/** Pause after an object could not be had; it doubles each time. */
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;
/** What goes wrong is said at most so often. */
const COMPLAINT_MS = 30_000;

interface Fetch {
  readonly object: ColdObject;
  readonly isUrgent: boolean;
  readonly stopping: AbortController;
  readonly outcome: Promise<boolean>;
}

/** What a {@linkcode ColdFetcher} works with. */
export interface FetcherParts {
  readonly tier: ColdTier;
  readonly holdings: Holdings;
  readonly groups: readonly Group[];
  readonly copies: PeerCopies;
  readonly clock: Clock;
  readonly log: LogLine;
}

/** Fetches what the groups' states refer to and this node's own store does not hold. */
export class ColdFetcher {
  readonly #parts: FetcherParts;
  readonly #lacks: ReadonlyMap<number, { readonly group: Group; readonly lack: Lack }>;
  /** By key. */
  readonly #underWay = new Map<string, Fetch>();
  readonly #urgent = new Slots(URGENT_MAX);
  readonly #retries = new Map<string, { readonly delayMs: number; readonly atMs: number }>();
  readonly #stopping = new AbortController();
  /** What lacked at the last look, the next one last. */
  #queue: { readonly group: number; readonly lacking: ObjectName }[] = [];
  #listing: Promise<void> | undefined;
  #complainedMs = -Infinity;

  constructor(parts: FetcherParts) {
    this.#parts = parts;
    this.#lacks = new Map(
      parts.groups.map((group) => [group.id, { group, lack: new Lack(group, parts.holdings) }]),
    );
  }

  /** How many objects a group's replica lacks; before the store was listed all that it needs. */
  lacking(group: number): number {
    return this.#lacks.get(group)?.lack.objects().length ?? 0;
  }

  /** Begins to fetch what lacks; to be called every second or so. */
  look(nowMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#listing ??= this.#list().finally(() => this.#listing = undefined);
    this.#dropUnwanted();
    for (const [key, { atMs }] of this.#retries) {
      if (atMs + RETRY_MS_MAX < nowMs) this.#retries.delete(key);
    }
    this.#refill();
    this.#fetchNext();
  }

  /**
   * Fetches an object now, though it may be there; false where nobody has it, or the store does not
   * take it.
   *
   * @param first the node to ask first
   */
  fetch(object: ColdObject, first?: number): Promise<boolean> {
    if (this.#urgent.waiting >= URGENT_WAITING_MAX) return Promise.resolve(false);
    return this.#begin(object, true, first);
  }

  /** Begins nothing more, breaks off what is under way, and resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const fetches = [...this.#underWay.values()];
    for (const { stopping } of fetches) stopping.abort();
    await Promise.all([this.#listing, ...fetches.map(({ outcome }) => outcome)]);
  }

  /** Lists what has not been listed yet, group by group. */
  async #list(): Promise<void> {
    const { tier, holdings, groups } = this.#parts;
    for (const { id } of groups) {
      if (holdings.isListed(id)) continue;
      try {
        await holdings.list(tier.store, id, this.#stopping.signal);
      } catch (error) {
        return this.#complain(error);
      }
    }
  }

  /** What was lacking may have lost its last reference, and is about to be deleted everywhere. */
  #dropUnwanted(): void {
    for (const { object, isUrgent, stopping } of this.#underWay.values()) {
      if (!isUrgent && !this.#isWanted(object)) stopping.abort();
    }
  }

  #isWanted({ group, number, term }: ColdObject): boolean {
    const cold = this.#lacks.get(group)?.group.state.cold;
    const known = cold?.objects.get(number);
    return cold !== undefined && known?.term === term && isWanted(known, cold);
  }

  /** Looking at all that lacks whenever one has come would cost too much, with many. */
  #refill(): void {
    this.#queue = [];
    for (const [group, { lack }] of this.#lacks) {
      if (!this.#parts.holdings.isListed(group)) continue;
      for (const lacking of lack.objects()) this.#queue.push({ group, lacking });
    }
    this.#queue.reverse();
  }

  #fetchNext(): void {
    const { tier, holdings, copies, clock } = this.#parts;
    let free = FETCHES_MAX;
    for (const { isUrgent } of this.#underWay.values()) if (!isUrgent) free--;
    if (!copies.isAnybodyThere) return;
    const nowMs = clock.monotonicMs();
    while (free > 0) {
      const next = this.#queue.pop();
      if (next === undefined) return;
      const object = tier.object(next.group, next.lacking);
      const key = objectKey(object);
      if (this.#underWay.has(key) || (this.#retries.get(key)?.atMs ?? 0) > nowMs) continue;
      if (holdings.has(next.group, next.lacking) || !this.#isWanted(object)) continue;
      void this.#begin(object, false);
      free--;
    }
  }

  /** One fetch of an object at a time: who comes later waits for the one under way. */
  #begin(object: ColdObject, isUrgent: boolean, first?: number): Promise<boolean> {
    if (this.#stopping.signal.aborted) return Promise.resolve(false);
    const key = objectKey(object);
    const found = this.#underWay.get(key);
    if (found !== undefined) return found.outcome;
    const stopping = new AbortController();
    const outcome = this.#run(object, isUrgent, stopping.signal, first)
      .finally(() => {
        this.#underWay.delete(key);
        if (!this.#stopping.signal.aborted) this.#fetchNext();
      });
    this.#underWay.set(key, { object, isUrgent, stopping, outcome });
    return outcome;
  }

  async #run(
    object: ColdObject,
    isUrgent: boolean,
    signal: AbortSignal,
    first: number | undefined,
  ): Promise<boolean> {
    const { copies } = this.#parts;
    const key = objectKey(object);
    if (isUrgent) await this.#urgent.take();
    try {
      signal.throwIfAborted();
      await copies.fetch(object, signal, first);
      this.#retries.delete(key);
      await this.#dropCondemned(object);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      this.#complain(error);
      if (!isUrgent) this.#postpone(key);
      return false;
    } finally {
      if (isUrgent) this.#urgent.free();
    }
  }

  /**
   * It may have been condemned, and deleted, while it came: nobody would delete it again soon. Not so
   * what lost its last reference a moment ago: reads that began before want it, and the sweeper
   * deletes it when they are over.
   */
  async #dropCondemned(object: ColdObject): Promise<void> {
    const group = this.#lacks.get(object.group)?.group;
    const { tier } = this.#parts;
    if (group === undefined) return;
    const { objects } = group.state.cold;
    if (!objects.isCondemned(object.number)) return;
    const known = objects.get(object.number);
    const sinceMs = known === undefined ? -Infinity : known.unreferencedMs ?? Infinity;
    if (sinceMs > group.nowMs - tier.setup.keepsMs) return;
    await tier.store.delete(objectKey(object));
  }

  #postpone(key: string): void {
    const delayMs = Math.min(RETRY_MS_MAX, 2 * (this.#retries.get(key)?.delayMs ?? 0)) ||
      RETRY_MS_MIN;
    this.#retries.set(key, { delayMs, atMs: this.#parts.clock.monotonicMs() + delayMs });
  }

  #complain(error: unknown): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (this.#stopping.signal.aborted || nowMs - this.#complainedMs < COMPLAINT_MS) return;
    this.#complainedMs = nowMs;
    const what = error instanceof Error ? error.message : error;
    this.#parts.log(`objects can't be fetched: ${what}`, "warn");
  }
}
