/**
 * Where a stream's bytes are: in chunks, in objects, in the log of the stream it was forked from.
 *
 * @module
 */

import type { ColdRange } from "./cold_ranges.ts";
import type { StreamLog } from "./log.ts";

/** A stretch of a stream that lies in the chunks of one log, or in one range of an object. */
export interface Segment {
  /** Where it begins: an end of a message, or the stream's beginning. */
  readonly from: number;
  /** Where it ends: an end of a message, for a fork that of what it inherits. */
  readonly to: number;
  /** The chunks; undefined where it lies in an object. */
  readonly hot: StreamLog | undefined;
  /** The range; undefined where it is hot. A fork may inherit only its beginning. */
  readonly cold: ColdRange | undefined;
}

/** Finds the bytes of a range that this replica still has in memory; see `pinned.ts`. */
export type FindPinned = (number: number, at: number) => StreamLog | undefined;

/** No range is pinned: for what must be decided alike on every replica. */
export function nonePinned(): undefined {
  return undefined;
}

/** The segment that holds the byte at `offset`; undefined where there is none. */
export function segmentAt(
  log: StreamLog,
  offset: number,
  pinned: FindPinned,
): Segment | undefined {
  let holder = log;
  let limit = log.end;
  if (offset >= limit) return undefined;
  while (holder.origin !== undefined && offset < holder.inherited) {
    limit = holder.inherited;
    holder = holder.origin;
  }
  if (offset >= holder.start) {
    const to = Math.min(limit, holder.end);
    return { from: holder.start, to, hot: holder, cold: undefined };
  }
  const ranges = holder.cold;
  const i = ranges === undefined ? 0 : ranges.indexAt(offset);
  if (ranges === undefined || i === ranges.count) return undefined;
  const range = ranges.range(i);
  if (range.from > offset) return undefined;
  const to = Math.min(limit, range.to);
  const hot = pinned(range.number, range.at);
  return { from: range.from, to, hot, cold: hot === undefined ? range : undefined };
}

/** The segments from the one that holds `from` up to `to`, in order. @throws Error at a gap */
export function* segments(
  log: StreamLog,
  from: number,
  to: number,
  pinned: FindPinned,
): Generator<Segment, void, void> {
  for (let at = from; at < to;) {
    const segment = segmentAt(log, at, pinned);
    if (segment === undefined) throw new Error("bytes of a stream are missing");
    yield segment;
    at = segment.to;
  }
}

/** The last end of a message at or before `offset` in a hot segment that reaches to it. */
export function lastBoundary({ hot, from, to }: Segment, offset: number): number {
  if (offset >= to || hot === undefined) return offset >= to ? to : from;
  return Math.max(from, hot.lastBoundary(offset));
}

/** The first end of a message behind `offset`, which a hot segment holds. */
export function nextBoundary({ hot, to }: Segment, offset: number): number {
  return Math.min(to, hot?.nextBoundary(offset) ?? to);
}
