/**
 * Planning reads that begin below a stream's own hot bytes, and settling what only the rows of
 * lengths in objects can tell.
 *
 * @module
 */

import { type ColdRange, packedBytes } from "./cold_ranges.ts";
import type { ColdPiece, ColdRead } from "./cold_types.ts";
import { countUpTo, type StreamLog } from "./log.ts";
import type { Objects } from "./objects.ts";
import type { PinnedRanges } from "./pinned.ts";
import {
  type FindPinned,
  lastBoundary,
  nextBoundary,
  type Segment,
  segmentAt,
  segments,
} from "./segments.ts";
import { earliestOf, type Stream } from "./stream.ts";
import { cutMessage, MixedStretch, type ReadRefusal } from "./stretch.ts";
import type { ReadPlan, Slice } from "./types.ts";

/** Longest beginning of a message that an answer without whole ones needs, beyond what it may. */
const CODE_POINT_BYTES_MAX = 4;

/** What a read needs to know beside the stream. */
export interface ReadSources {
  readonly objects: Objects;
  readonly pinned: PinnedRanges;
}

/** Where a read goes on, at the latest, and what it consists of. */
export interface FoundStretch {
  readonly next: number;
  readonly found: ColdRead | readonly Slice[];
}

/** Plans a read as `planRead` does, from `start`, where the stream has a byte. */
export function coldStretch(
  stream: Stream,
  log: StreamLog,
  start: number,
  maxBytes: number,
  sources: ReadSources,
): FoundStretch | "offset_not_boundary" {
  const { objects } = sources;
  const pinned: FindPinned = (number, at) => sources.pinned.find(number, at);
  const { tail, type } = stream;
  const first = known(segmentAt(log, start, pinned));
  // A snapshot's offset is an end of a message.
  const proves = type.json && start !== first.from && start !== earliestOf(stream);
  if (proves && first.cold === undefined && lastBoundary(first, start) !== start) {
    return "offset_not_boundary";
  }
  const limit = start + maxBytes;
  let next = tail;
  let endsIn: Segment | undefined;
  if (tail > limit) {
    const last = known(segmentAt(log, limit, pinned));
    if (last.hot !== undefined) next = cutHot(stream, last, start, maxBytes);
    else if (last.from > start) next = limit;
    else next = type.json ? last.to : Math.min(last.to, limit + CODE_POINT_BYTES_MAX);
    if (last.hot === undefined && (limit > last.from || start === last.from)) endsIn = last;
  }
  const pieces: (Slice | ColdPiece)[] = [];
  let isCold = false;
  for (const segment of segments(log, start, next, pinned)) {
    const from = Math.max(start, segment.from), to = Math.min(next, segment.to);
    if (segment.cold === undefined) {
      pieces.push(...segment.hot?.slices(from, to) ?? []);
    } else {
      pieces.push(pieceOf(objects, segment.cold, from, to));
      isCold = true;
    }
  }
  if (!isCold) return { next, found: pieces as Slice[] }; // none of them is cold
  const startsIn = proves && first.cold !== undefined ? first : undefined;
  const found = {
    pieces,
    startsIn: startsIn && wholePiece(objects, startsIn),
    endsIn: endsIn && wholePiece(objects, endsIn),
    maxBytes,
    textual: type.textual,
  };
  return { next, found };
}

/** Where the answer ends if that is in a hot segment, as `planRead` has it. */
function cutHot(stream: Stream, last: Segment, start: number, maxBytes: number): number {
  const boundary = lastBoundary(last, start + maxBytes);
  if (boundary > start) return boundary;
  const end = nextBoundary(last, start);
  return cutMessage(stream.type, start, maxBytes, end, (offset) => last.hot?.byteAt(offset) ?? 0);
}

/** A part of a range, with all that it takes to fetch it. */
export function pieceOf(objects: Objects, range: ColdRange, from: number, to: number): ColdPiece {
  const object = objects.get(range.number);
  if (object === undefined) throw new Error("a range refers to an object without a record");
  return {
    number: range.number,
    term: object.term,
    objectBytes: object.length,
    at: range.at,
    length: packedBytes(range),
    rowBytes: range.rowBytes,
    rangeFrom: range.from,
    rangeTo: range.to,
    from,
    to,
  };
}

function wholePiece(objects: Objects, { cold, from, to }: Segment): ColdPiece | undefined {
  return cold === undefined ? undefined : pieceOf(objects, cold, from, to);
}

function known(segment: Segment | undefined): Segment {
  if (segment === undefined) throw new Error("bytes of a stream are missing");
  return segment;
}

/** What was fetched to settle a plan. */
export interface Settling {
  /** Ends of the messages of `startsIn`'s and `endsIn`'s ranges (`decodeRow`). */
  readonly startEnds?: Uint32Array;
  readonly endEnds?: Uint32Array;
  /** The bytes that were {@linkcode BytesWanted}. */
  readonly bytes?: Uint8Array;
}

/** A text is cut within a message: these offsets' bytes decide where. */
export interface BytesWanted {
  readonly wanted: { readonly piece: ColdPiece; readonly from: number; readonly to: number };
}

/**
 * The plan as it would have been with every byte in memory; to be called again with the bytes where
 * they are wanted. Needs nothing but the plan, so that it can happen wherever that went.
 */
export function settleRead(plan: ReadPlan, found: Settling): ReadPlan | ReadRefusal | BytesWanted {
  const { cold, facts, from } = plan;
  if (cold === undefined) return plan;
  const { startsIn, endsIn, maxBytes } = cold;
  if (startsIn !== undefined) {
    const offset = from - startsIn.rangeFrom;
    const ends = found.startEnds ?? new Uint32Array(0);
    if (ends[countUpTo(ends, offset) - 1] !== offset) {
      return { refused: "offset_not_boundary", facts };
    }
  }
  let next = plan.next;
  if (endsIn !== undefined) {
    const cut = cutCold(plan, cold, endsIn, found);
    if (typeof cut !== "number") return cut;
    next = cut;
  }
  const pieces = cold.pieces.length === 0 ? [] : shortened(cold.pieces, from, next);
  const settled = {
    pieces,
    startsIn: undefined,
    endsIn: undefined,
    maxBytes,
    textual: cold.textual,
  };
  return new MixedStretch(facts, from, next, settled, plan.snapshot);
}

function cutCold(
  { from, facts }: ReadPlan,
  { maxBytes, textual }: ColdRead,
  piece: ColdPiece,
  found: Settling,
): number | BytesWanted {
  const { rangeFrom } = piece;
  const ends = found.endEnds ?? new Uint32Array(0);
  const boundary = rangeFrom +
    (ends[countUpTo(ends, from + maxBytes - rangeFrom) - 1] ?? 0);
  if (boundary > from) return boundary;
  const behind = ends[countUpTo(ends, from - rangeFrom)];
  const end = behind === undefined ? piece.to : Math.min(piece.to, rangeFrom + behind);
  const target = from + Math.max(maxBytes, 1);
  const wanted = {
    piece,
    from: Math.max(from, target - CODE_POINT_BYTES_MAX),
    to: Math.min(end, target + CODE_POINT_BYTES_MAX),
  };
  const { bytes } = found;
  if (textual && target < end && bytes === undefined) return { wanted };
  return cutMessage({ json: facts.json, textual }, from, maxBytes, end, (offset) => {
    return bytes?.[offset - wanted.from] ?? 0;
  });
}

/** The pieces up to `next`. */
function shortened(
  pieces: readonly (Slice | ColdPiece)[],
  from: number,
  next: number,
): (Slice | ColdPiece)[] {
  const out: (Slice | ColdPiece)[] = [];
  let at = from;
  for (const piece of pieces) {
    if (at >= next) break;
    if ("slab" in piece) {
      const end = Math.min(piece.end, piece.start + next - at);
      out.push({ slab: piece.slab, start: piece.start, end });
      at += end - piece.start;
    } else {
      out.push({ ...piece, to: Math.min(piece.to, next) });
      at = piece.to;
    }
  }
  return out;
}
