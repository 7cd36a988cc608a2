import type { Group } from "../group/mod.ts";

/** How often objects are looked at. */
const LOOK_MS = 1_000;
/** Whoever reads a snapshot that was replaced, or stages one, has so long from one piece to the next. */
const KEEPS_MS = 60_000;

/**
 * Lets StreamSnapshots go that nothing refers to any more, where there is no cold store: they lie in
 * memory alone, so nothing is to be deleted between condemning and forgetting them.
 */
export class PinnedSweep {
  #lookedMs = -Infinity;

  /** Looks after the groups that are led here; whatever fails is done at another look. */
  look(groups: Iterable<Group>, nowMs: number): void {
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    for (const group of groups) if (group.leads) sweep(group);
  }
}

function sweep(group: Group): void {
  const { cold } = group.state;
  const untilMs = group.nowMs - KEEPS_MS;
  const stale: number[] = [];
  let young = Infinity;
  for (const { number, references, unreferencedMs = Infinity } of cold.objects.all()) {
    if (references > 0) continue;
    if (unreferencedMs <= untilMs) stale.push(number);
    else young = Math.min(young, number);
  }
  const condemned = stale.filter((number) => cold.objects.isCondemned(number));
  const ignored = () => {};
  if (condemned.length > 0) group.propose({ type: "forget", numbers: condemned }, ignored);
  if (condemned.length === stale.length) return;
  // The watermark costs nothing to keep; it must not pass what is being staged.
  const below = Math.min(young, Math.max(...stale) + 1);
  const numbers = stale.filter((number) => number >= below);
  group.propose({ type: "condemn", below, numbers }, ignored);
}
