/**
 * A cold tier whose flushes come when the test says so.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Answer, Group } from "../../group/mod.ts";
import type { GroupAccess } from "../../shard/mod.ts";
import type { ColdSetup } from "../../shard/setup.ts";
import { type ByteParts, type ColdStore, objectKey, putObject } from "../../storage/cold/mod.ts";
import { copySlices, type FlushOptions, type FlushPlan } from "../../stream/mod.ts";
import type { SimClock } from "../sim/clock.ts";
import { COLD_FORMATION, coldSetupOf } from "./shard.ts";

/** A store of the node's own, in memory, and nobody who flushes by himself. */
export const OWN_STORE: ColdSetup = coldSetupOf({
  flushMinHotBytes: Number.MAX_SAFE_INTEGER,
  hotBytesPerGroupMax: Number.MAX_SAFE_INTEGER,
  cacheBytesMax: 8 << 20,
});

/** The same, shared: what is flushed leaves memory at once. */
export const SHARED_STORE: ColdSetup = {
  ...OWN_STORE,
  backend: { kind: "s3", bucket: "b", region: "r" },
};

/** What {@linkcode flush} has to know. */
export interface Flushed {
  readonly clock: SimClock;
  readonly access: Pick<GroupAccess, "submit">;
  readonly store: ColdStore;
  readonly group: Group;
}

/**
 * Moves hot bytes of a group to an object, as a leader does that has the only replica.
 *
 * @param pins leaves them in memory, as on a store of the node's own before the copy is durable
 * @returns the object's key; undefined where there was nothing to flush
 */
export async function flush(
  { clock, access, store, group }: Flushed,
  { pins = false, ...options }: Partial<FlushOptions> & { readonly pins?: boolean } = {},
): Promise<string | undefined> {
  const plan: FlushPlan = group.state.cold.planFlush({ maxBytes: 64 << 20, ...options });
  if (plan.ranges.length === 0) return undefined;
  const { term } = group.status();
  const { length, ranges } = plan;
  const object = { number: group.state.cold.nextNumber, term, length };
  const name = { formation: COLD_FORMATION, group: group.id, number: object.number, term };
  const payload: ByteParts = [copySlices(plan.slices)];
  if (!pins) await putObject(store, { ...name, bytes: length }, payload);
  const answer = await clock.until(access.submit(group.id, { type: "flush", object, ranges }));
  assert.ok("ok" in answer && answer.ok === "stored", JSON.stringify(answer));
  if (!pins) group.state.cold.unpin(object.number);
  return objectKey(name);
}

/** What came of a command. */
export function outcomeOf(answer: Answer): string {
  return "ok" in answer ? answer.ok : "refused" in answer ? answer.refused : answer.unavailable;
}
