/**
 * Planning reads that tell messages apart, for bootstraps: which bytes, and where messages end.
 * Nothing changes.
 *
 * @module
 */

import { pieceOf, type ReadSources } from "./cold_read.ts";
import type { ColdPiece } from "./cold_types.ts";
import { countUpTo } from "./log.ts";
import { type Segment, segments } from "./segments.ts";
import { earliestOf, factsOf, type Stream } from "./stream.ts";
import type { ReadRefusal } from "./stretch.ts";
import type { Slice, StreamFacts } from "./types.ts";

/** A stretch of a stream that lies in memory. */
export interface HotMessages {
  readonly from: number;
  readonly to: number;
  /** Its bytes. Valid until the next `apply`, unless retained. */
  readonly slices: readonly Slice[];
  /** Where messages end, counted from `from`: behind it, up to `to`. */
  readonly ends: Uint32Array;
}

/** A stretch of a stream that lies in one range of an object. */
export interface ColdMessages {
  readonly from: number;
  readonly to: number;
  /** What to fetch: the part from `from` to `to`, and the row, for {@linkcode endsWithin}. */
  readonly cold: ColdPiece;
  /** `to` is the end of a message even where the row says no such thing: a fork was cut there. */
  readonly isCut: boolean;
}

/** A stretch of a stream, whatever it takes to have its bytes. */
export interface MessagePlan {
  readonly facts: StreamFacts;
  readonly from: number;
  readonly to: number;
  /** In order, without gaps. */
  readonly pieces: readonly (HotMessages | ColdMessages)[];
}

/** Plans to read what lies between two offsets, of which either may lie within a message. */
export function readMessages(
  stream: Stream,
  from: number,
  to: number,
  incarnation: string | undefined,
  { objects, pinned }: ReadSources,
): MessagePlan | ReadRefusal {
  const facts = factsOf(stream);
  if (incarnation !== undefined && incarnation !== stream.incarnation) {
    return { refused: "incarnation_mismatch", facts };
  }
  if (from < earliestOf(stream)) return { refused: "offset_trimmed", facts };
  const end = Math.max(from, Math.min(to, stream.tail));
  const pieces: (HotMessages | ColdMessages)[] = [];
  const { log } = stream;
  if (log === undefined || end === from) return { facts, from, to: end, pieces };
  for (const segment of segments(log, from, end, (number, at) => pinned.find(number, at))) {
    const start = Math.max(from, segment.from), limit = Math.min(end, segment.to);
    if (segment.cold === undefined) {
      pieces.push(hotMessages(segment, start, limit));
    } else {
      const cold = pieceOf(objects, segment.cold, start, limit);
      pieces.push({ from: start, to: limit, cold, isCut: limit === segment.to });
    }
  }
  return { facts, from, to: end, pieces };
}

function hotMessages({ hot, to: segmentEnd }: Segment, from: number, to: number): HotMessages {
  const ends = hot?.ends(from, to) ?? [];
  if (to === segmentEnd && ends.at(-1) !== to) ends.push(to);
  const counted = Uint32Array.from(ends, (end) => end - from);
  return { from, to, slices: hot?.slices(from, to) ?? [], ends: counted };
}

/** Where messages end in a cold stretch, counted from its beginning. @param ends of its range (`decodeRow`) */
export function endsWithin(
  { from, to, cold, isCut }: ColdMessages,
  ends: Uint32Array,
): Uint32Array {
  const shift = from - cold.rangeFrom;
  const length = to - from;
  const within = ends.subarray(countUpTo(ends, shift), countUpTo(ends, shift + length));
  const isMissing = isCut && within[within.length - 1] !== shift + length;
  const found = new Uint32Array(within.length + (isMissing ? 1 : 0));
  for (let i = 0; i < within.length; i++) found[i] = (within[i] as number) - shift; // i < length
  if (isMissing) found[within.length] = length;
  return found;
}
