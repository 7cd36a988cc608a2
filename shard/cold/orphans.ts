/**
 * Deletes what lies in the store and no state knows of: objects that were put before a crash, put
 * again behind their deletion, or that came back with the power (SPEC section 9).
 *
 * Only keys of a group's own prefix are listed, and of those only names of objects looked at.
 *
 * | the key's number | what becomes of it |
 * | --- | --- |
 * | is an object's with this term | stays, whether anything refers to it or not: the sweeper's business |
 * | is an object's with another term | deleted: a number names one object for ever |
 * | is condemned | deleted: it can't be referred to any more |
 * | is nothing of it | it may be under way; seen long enough, its number is condemned |
 *
 * None of the first three ever changes back, so a replica may go by its own state. What is unknown
 * to a state of yesterday may be referred to today: the leader alone condemns, by a state that is
 * current after the key was listed, and even then what was referred to meanwhile stays. A follower
 * leaves the unknown alone; sooner or later the watermark passes it.
 *
 * @module
 */

import type { Group } from "../../group/mod.ts";
import {
  type ColdObjectName,
  groupPrefix,
  objectNameOf,
  unlessAborted,
} from "../../storage/cold/mod.ts";
import { deleteObjects } from "./deletion.ts";
import type { ColdJob } from "./job.ts";
import { isApplied, leadsNow, proposed } from "./proposed.ts";
import { Rounds } from "./rounds.ts";
import { Stretches } from "./stretches.ts";
import { UNDER_WAY_MS } from "./sweeper.ts";
import type { ColdParts } from "./work.ts";

/** A node that starts has more urgent things to do. */
const FIRST_LIST_MS = 20_000;
/** How often all keys are listed. */
const LIST_MS = 10 * 60_000;
/** Keys that are judged together. */
const KEYS_AT_ONCE = 1_000;
/** Unknown keys of a group that are remembered; others have to wait for these to go. */
const UNKNOWN_MAX = 10_000;

/** When to list; tests have less time. */
export interface OrphansTiming {
  readonly firstMs?: number;
  readonly everyMs?: number;
  readonly underWayMs?: number;
}

/** See the module's text. */
export class Orphans implements ColdJob {
  readonly #parts: ColdParts;
  readonly #underWayMs: number;
  readonly #rounds: Rounds;
  /** Since when unknown keys have been seen, by group and number. */
  readonly #unknown = new Map<number, Map<number, number>>();
  #toldOfForeign = false;

  /** Lists the keys of all groups of the shard. */
  constructor(parts: ColdParts, timing: OrphansTiming = {}) {
    const { firstMs = FIRST_LIST_MS, everyMs = LIST_MS, underWayMs = UNDER_WAY_MS } = timing;
    this.#parts = parts;
    this.#underWayMs = underWayMs;
    this.#rounds = new Rounds({
      name: "cold listing",
      firstMs,
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
    let failure: unknown;
    for (const group of this.#parts.groups) {
      signal.throwIfAborted();
      try {
        await this.#list(group, signal);
      } catch (reason) {
        failure ??= reason;
      }
    }
    if (failure !== undefined) throw failure;
  }

  async #list(group: Group, signal: AbortSignal): Promise<void> {
    const { store, setup } = this.#parts.tier;
    if (store.isShared && !leadsNow(group)) return void this.#unknown.delete(group.id);
    const stretches = new Stretches(this.#parts.clock);
    const unknown: ColdObjectName[] = [];
    let names: ColdObjectName[] = [];
    const prefix = groupPrefix({ formation: setup.formation, group: group.id });
    for await (const key of store.list(prefix, signal)) {
      const name = this.#nameOf(key, group);
      if (name !== undefined) names.push(name);
      if (stretches.isOver) await stretches.rest();
      if (names.length < KEYS_AT_ONCE) continue;
      await this.#judge(group, names, unknown, signal);
      names = [];
    }
    await this.#judge(group, names, unknown, signal);
    await this.#condemn(group, this.#remember(group, unknown), signal);
  }

  /** Which object a key names, if it is one of the group's. */
  #nameOf(key: string, group: Group): ColdObjectName | undefined {
    const name = objectNameOf(key);
    const { store, setup } = this.#parts.tier;
    if (name?.formation === setup.formation && name.group === group.id) return name;
    if (!this.#toldOfForeign) {
      this.#toldOfForeign = true;
      this.#parts.log(
        `${store.name}: ${key} is no object of this server; such keys are left alone`,
      );
    }
    return undefined;
  }

  /** Deletes those that can't be referred to; adds the unknown ones to the others. */
  async #judge(
    group: Group,
    names: readonly ColdObjectName[],
    unknown: ColdObjectName[],
    signal: AbortSignal,
  ): Promise<void> {
    // These were listed before; the state is one of after.
    const leading = group.leads ? group.lead() : undefined;
    const obstacle = leading instanceof Promise ? await unlessAborted(leading, signal) : leading;
    const { tier, counters } = this.#parts;
    if (obstacle !== undefined && tier.store.isShared) return;
    const { objects } = group.state.cold;
    const orphans: ColdObjectName[] = [];
    for (const name of names) {
      const object = objects.get(name.number);
      if (object === undefined && !objects.isCondemned(name.number)) {
        if (unknown.length < UNKNOWN_MAX) unknown.push(name);
      } else if (object?.term !== name.term) {
        orphans.push(name);
      }
    }
    await deleteObjects(tier, counters, orphans, signal);
  }

  /** Which of the unknown keys have been there for too long to be under way. */
  #remember(group: Group, unknown: readonly ColdObjectName[]): ColdObjectName[] {
    const nowMs = this.#parts.clock.monotonicMs();
    const before = this.#unknown.get(group.id);
    const since = new Map(
      unknown.map(({ number }) => [number, before?.get(number) ?? nowMs]),
    );
    this.#unknown.set(group.id, since);
    return unknown.filter(({ number }) => nowMs - (since.get(number) ?? nowMs) >= this.#underWayMs);
  }

  /** Sees to it that these are not referred to, and deletes those that are not. */
  async #condemn(
    group: Group,
    lost: readonly ColdObjectName[],
    signal: AbortSignal,
  ): Promise<void> {
    if (lost.length === 0 || !leadsNow(group)) return;
    const numbers = [...new Set(lost.map(({ number }) => number))];
    const answer = await proposed(group, { type: "condemn", below: 0, numbers }, signal);
    if (isApplied(answer)) await this.#judge(group, lost, [], signal);
  }
}
