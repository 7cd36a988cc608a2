/**
 * Ends of messages where some of them lie in objects: what a fork's offsets must fit.
 *
 * The state machine knows the ends of hot messages and of cold ranges, no others. Whoever proposes
 * looks the rest up beforehand, in the rows of lengths that stand before ranges (`packed.ts`), and
 * says in the command what was found. What an incarnation once held never changes, so that a proof
 * holds for as long as the incarnation lives.
 *
 * @module
 */

import type { ColdRange } from "./cold_ranges.ts";
import { countUpTo, type StreamLog } from "./log.ts";
import { nextBoundary, nonePinned, type Segment, segmentAt } from "./segments.ts";

/** Ends of a range's messages, counted from its beginning; undefined where they are not known. */
export type KnownEnds = (range: ColdRange) => Uint32Array | undefined;

/** None are known: for what must be decided alike on every replica. */
export function noneKnown(): undefined {
  return undefined;
}

/** The answer depends on the ends of this range's messages. */
export interface Unknown {
  readonly unknown: ColdRange;
}

/** Does a message end, or the stream begin, at `offset`, which is at most the log's end? */
export function isBoundary(log: StreamLog, offset: number, known: KnownEnds): boolean | Unknown {
  if (offset === 0 || offset === log.end) return true;
  const segment = segmentAt(log, offset, nonePinned);
  if (segment === undefined) return false;
  if (offset === segment.from || segment.hot?.isBoundary(offset)) return true;
  if (segment.cold === undefined) return false;
  const ends = known(segment.cold);
  if (ends === undefined) return { unknown: segment.cold };
  return ends[countUpTo(ends, offset - segment.from) - 1] === offset - segment.from;
}

/**
 * The first end of a message behind `offset`; undefined at or beyond the log's end. A fork's last
 * inherited message ends where it was cut.
 */
export function endBehind(
  log: StreamLog,
  offset: number,
  known: KnownEnds,
): number | undefined | Unknown {
  const segment = segmentAt(log, offset, nonePinned);
  if (segment === undefined) return undefined;
  if (segment.cold === undefined) return nextBoundary(segment, offset);
  const ends = known(segment.cold);
  if (ends === undefined) return { unknown: segment.cold };
  const end = ends[countUpTo(ends, offset - segment.from)];
  return end === undefined ? segment.to : Math.min(segment.from + end, segment.to);
}

/**
 * The offset `messages` messages behind the boundary `offset`; undefined when there are fewer. For
 * streams whose forks are cut at ends of messages.
 */
export function advance(
  log: StreamLog,
  offset: number,
  messages: number,
  known: KnownEnds,
): number | undefined | Unknown {
  let at = offset, left = messages;
  while (left > 0) {
    const segment = segmentAt(log, at, nonePinned);
    if (segment === undefined) return undefined;
    const moved = advanceWithin(segment, at, left, known);
    if ("unknown" in moved) return moved;
    at = moved.at;
    left = moved.left;
  }
  return at;
}

interface Advanced {
  readonly at: number;
  readonly left: number;
}

function advanceWithin(
  segment: Segment,
  offset: number,
  messages: number,
  known: KnownEnds,
): Advanced | Unknown {
  const { from, to, hot, cold } = segment;
  if (hot !== undefined) {
    const moved = hot.advance(offset, messages);
    if (moved.at <= to) return moved;
    return { at: to, left: messages - hot.countOf(offset, to) };
  }
  if (cold === undefined) throw new Error("a segment is hot or cold");
  const ends = known(cold);
  if (ends === undefined) return { unknown: cold };
  return advanceEnds(ends, offset - from, to - from, messages, from);
}

function advanceEnds(
  ends: Uint32Array,
  offset: number,
  limit: number,
  messages: number,
  base: number,
): Advanced {
  const first = countUpTo(ends, offset);
  const end = ends[first + messages - 1];
  if (end !== undefined && end <= limit) return { at: base + end, left: 0 };
  return { at: base + limit, left: messages - (countUpTo(ends, limit) - first) };
}
