/**
 * Applying flushes, repacks, condemnations, and what deleted objects leave (SPEC section 9).
 *
 * @module
 */

import { type ColdRange, type ColdRanges, packedBytes } from "./cold_ranges.ts";
import type {
  CondemnObjects,
  FlushedRange,
  FlushStreams,
  ForgetObjects,
  RepackedRange,
  RepackStreams,
} from "./cold_types.ts";
import type { StreamLog } from "./log.ts";
import type { ObjectName } from "./objects.ts";
import { rowBytesOf } from "./packed.ts";
import type { Stream } from "./stream.ts";
import type { Tables } from "./tables.ts";
import type { Outcome } from "./types.ts";

/** Puts references in the place of hot bytes. */
export function applyFlush(tables: Tables, command: FlushStreams, stampMs: number): Outcome {
  return takeObject(tables, command, stampMs, (range) => flushRange(tables, command.object, range));
}

/** Puts references in the place of others. */
export function applyRepack(tables: Tables, command: RepackStreams, stampMs: number): Outcome {
  const sources = new Set(command.sources);
  return takeObject(tables, command, stampMs, (range) => {
    return repackRange(tables, command.object, sources, range);
  });
}

/** Sees to it that no object gets these numbers any more. */
export function applyCondemn(tables: Tables, { below, numbers }: CondemnObjects): Outcome {
  tables.objects.condemn(below, numbers);
  for (const number of tables.pinned.objects()) {
    if (isUseless(tables, number, numbers)) tables.unpin(number);
  }
  return { ok: "done" };
}

/**
 * Was an object staged that can't be published any more? One that is whole may have been, and be
 * read yet, unless somebody who knows names it.
 */
function isUseless({ objects }: Tables, number: number, named: readonly number[]): boolean {
  const object = objects.get(number);
  if (object?.staged === undefined || object.references > 0) return false;
  if (!objects.isCondemned(number)) return false;
  return object.staged < object.length || named.includes(number);
}

/** Drops the notes of objects that were deleted. */
export function applyForget(tables: Tables, command: ForgetObjects): Outcome {
  for (const number of command.numbers) {
    if (tables.objects.forget(number)) tables.unpin(number);
  }
  return { ok: "done" };
}

/** Takes note of a new object, though no range may refer to it: then it goes like any other. */
function takeObject<R extends FlushedRange>(
  tables: Tables,
  { object, ranges }: { readonly object: ObjectName; readonly ranges: readonly R[] },
  stampMs: number,
  take: (range: R) => boolean,
): Outcome {
  if (!tables.objects.isFree(object.number)) return { ok: "condemned" };
  tables.objects.add(object, stampMs);
  const applied: number[] = [];
  let bytes = 0;
  for (const [i, range] of ranges.entries()) {
    if (!take(range)) continue;
    applied.push(i);
    bytes += range.to - range.from;
  }
  return { ok: "stored", applied, bytes };
}

/** The stream of a range, soft-deleted or not: its forks need its bytes. */
function holderOf(tables: Tables, range: FlushedRange): Stream | undefined {
  const stream = tables.streams.get(range.key);
  return stream?.incarnation === range.incarnation ? stream : undefined;
}

function flushRange(tables: Tables, object: ObjectName, range: FlushedRange): boolean {
  const stream = holderOf(tables, range);
  if (stream?.log === undefined || !beginsHot(stream.log, range)) return false;
  const { from, to, at } = range;
  const rowBytes = rowBytesOf(stream.log.lengths(from, to));
  const cold = { from, to, number: object.number, at, rowBytes };
  if (!fits(object, cold)) return false;
  tables.flush(stream, cold);
  return true;
}

/** Are these the first chunks of the log, up to an end of a message? */
function beginsHot(log: StreamLog, { from, to }: FlushedRange): boolean {
  return from === log.start && to > from && to <= log.end && log.isBoundary(to);
}

function fits({ length }: ObjectName, range: ColdRange): boolean {
  return range.at >= 0 && range.at + packedBytes(range) <= length;
}

function repackRange(
  tables: Tables,
  object: ObjectName,
  sources: ReadonlySet<number>,
  range: RepackedRange,
): boolean {
  const stream = holderOf(tables, range);
  const ranges = stream?.log?.cold;
  if (stream === undefined || ranges === undefined) return false;
  const { from, to, at, rowBytes } = range;
  const cold = { from, to, number: object.number, at, rowBytes };
  const first = ranges.indexAt(from);
  const count = countCovering(ranges, first, range, sources);
  if (count === 0 || !fits(object, cold)) return false;
  tables.beforeChange(stream);
  for (let i = first; i < first + count; i++) tables.dropRange(ranges.range(i));
  ranges.replace(first, count, cold);
  tables.objects.refer(object.number, packedBytes(cold));
  return true;
}

/** How many ranges from the first on cover `from` to `to` exactly; 0 when they do not. */
function countCovering(
  ranges: ColdRanges,
  first: number,
  { from, to }: FlushedRange,
  sources: ReadonlySet<number>,
): number {
  let at = from;
  for (let i = first; i < ranges.count; i++) {
    const range = ranges.range(i);
    if (range.from !== at || range.to > to || !sources.has(range.number)) return 0;
    at = range.to;
    if (at === to) return i + 1 - first;
  }
  return 0;
}
