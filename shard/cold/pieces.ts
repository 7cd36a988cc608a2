import {
  type ColdPiece,
  type ColdRead,
  copySlices,
  RANGE_BYTES_MAX,
  type ReadPlan,
  type Slice,
  sliceOf,
} from "../../stream/mod.ts";
import type { ReadAnswer } from "../../group/mod.ts";

/** A plan that needs bytes of objects. */
export type ColdPlan = ReadPlan & { readonly cold: ColdRead };

/** Does a read's answer need bytes of objects? */
export function isCold(answer: ReadAnswer): answer is { readonly plan: ColdPlan } {
  return "plan" in answer && answer.plan.cold !== undefined;
}

/**
 * The same answer with all that is in memory looked up or copied: it holds whatever is applied. To
 * be called before anything more is.
 */
export function owned(answer: ReadAnswer): ReadAnswer {
  if (!("plan" in answer)) return answer;
  const { plan } = answer;
  const { facts, from, next, upToDate, snapshot } = plan;
  const same = { facts, from, next, upToDate, snapshot };
  if (!isCold(answer)) return { plan: { ...same, slices: plan.slices } };
  const { cold } = answer.plan;
  const pieces = ownPieces(cold.pieces);
  return { plan: { ...same, slices: [], cold: { ...cold, pieces } } };
}

/** Neighbouring slices become one: there may be one for each of many small messages. */
function ownPieces(pieces: ColdRead["pieces"]): (Slice | ColdPiece)[] {
  const owned: (Slice | ColdPiece)[] = [];
  let run: Slice[] = [];
  const endRun = () => {
    if (run.length > 0) owned.push(sliceOf(copySlices(run)));
    run = [];
  };
  for (const piece of pieces) {
    if ("slab" in piece) {
      run.push(piece);
      continue;
    }
    endRun();
    owned.push(piece);
  }
  endRun();
  return owned;
}

/** All parts of objects that a plan speaks of. */
export function coldPieces({ pieces, startsIn, endsIn }: ColdRead): ColdPiece[] {
  const found: ColdPiece[] = [];
  for (const piece of [...pieces, startsIn, endsIn]) {
    if (piece !== undefined && !("slab" in piece)) found.push(piece);
  }
  return found;
}

/**
 * Up to where in its object to read ahead behind the last piece of an answer, as the stream goes on:
 * to the end of its range, and beyond where that is a large one, as its neighbour is then mostly the
 * stream's next. What lies behind a small range is other streams'.
 */
export function aheadOf({ at, length, to, rangeTo, objectBytes }: ColdPiece): number {
  if (to < rangeTo) return at + length;
  return length >= RANGE_BYTES_MAX / 2 ? objectBytes : 0;
}
