/**
 * What a read's plan is made of where the bytes lie in several places.
 *
 * @module
 */

import type { ColdRead, StreamSnapshot } from "./cold_types.ts";
import { codePointCut } from "./text.ts";
import type { ReadPlan, Refusal, Slice, StreamFacts } from "./types.ts";

/** Why a read of an existing stream has no plan. */
export interface ReadRefusal {
  readonly refused: Refusal;
  readonly facts: StreamFacts;
}

/** A stretch that does not lie in one log's chunks. */
export class MixedStretch implements ReadPlan {
  readonly cold?: ColdRead;
  readonly #slices: readonly Slice[];

  /** @param found the pieces where one of them is cold, else slices */
  constructor(
    readonly facts: StreamFacts,
    readonly from: number,
    readonly next: number,
    found: ColdRead | readonly Slice[],
    readonly snapshot: StreamSnapshot | undefined,
  ) {
    this.#slices = "pieces" in found ? [] : found;
    if ("pieces" in found) this.cold = found;
  }

  get upToDate(): boolean {
    return this.next === this.facts.tail && this.cold?.endsIn === undefined;
  }

  get slices(): readonly Slice[] {
    if (this.cold !== undefined) throw new Error("the read needs bytes of objects");
    return this.#slices;
  }
}

/** Where the answer ends when its first message, up to `end`, is too long for it. */
export function cutMessage(
  { json, textual }: { readonly json: boolean; readonly textual: boolean },
  start: number,
  maxBytes: number,
  end: number,
  byteAt: (offset: number) => number,
): number {
  if (json) return end;
  if (!textual) return Math.min(start + Math.max(maxBytes, 1), end);
  return codePointCut(byteAt, start, Math.max(maxBytes, 1), end);
}
