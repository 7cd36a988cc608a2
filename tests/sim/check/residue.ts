/**
 * What must be left of operations that span groups, once the sweep has had its time: nothing.
 *
 * @module
 */

import type { Group } from "../../../group/mod.ts";
import { Violation } from "../violation.ts";

const ALL = 1_000_000;

/** No errand is left, and every group has the same buckets, and no stream without its own. */
export function checkResidue(groups: readonly Group[]): void {
  let agreed: string | undefined;
  for (const { id, state } of groups) {
    const intents = state.pendingIntents();
    const reservations = state.pendingReservations(Infinity);
    const unlinks = state.pendingUnlinks();
    if (intents.length + reservations.length + unlinks.length > 0) {
      const left = JSON.stringify({ intents, reservations, unlinks });
      throw new Violation("residue", `group ${id} has errands left: ${left}`);
    }
    const open = state.listBuckets("", undefined, ALL);
    const names = open.map(({ bucket }) => bucket).join();
    agreed ??= names;
    if (names !== agreed) {
      throw new Violation("residue", `group ${id} has buckets ${names}, group 0 has ${agreed}`);
    }
    const inBuckets = open.reduce((sum, { streams }) => sum + streams, 0);
    if (inBuckets !== state.streamCount) {
      const detail = `${state.streamCount} streams, ${inBuckets} of them in open buckets`;
      throw new Violation("residue", `group ${id} has ${detail}`);
    }
  }
}
