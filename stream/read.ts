/**
 * Planning reads (P§5.6): which slices answer, and where the next read goes on. Nothing changes.
 *
 * @module
 */

import { coldStretch, type ReadSources } from "./cold_read.ts";
import type { StreamSnapshot } from "./cold_types.ts";
import type { StreamLog } from "./log.ts";
import { earliestOf, factsOf, type Stream } from "./stream.ts";
import { cutMessage, MixedStretch, type ReadRefusal } from "./stretch.ts";
import type { ReadFrom, ReadPlan, Slice, StreamFacts } from "./types.ts";

/** A stretch of a log. Its slices are looked up on first demand: readers may have the bytes already. */
class Stretch implements ReadPlan {
  readonly snapshot: StreamSnapshot | undefined;
  readonly #log: StreamLog | undefined;
  #slices: readonly Slice[] | undefined;

  constructor(
    stream: Stream,
    readonly facts: StreamFacts,
    readonly from: number,
    readonly next: number,
    readonly upToDate: boolean,
    log?: StreamLog,
  ) {
    this.#log = log;
    this.snapshot = stream.rare?.snapshot;
  }

  get slices(): readonly Slice[] {
    return this.#slices ??= this.#log?.slices(this.from, this.next) ?? [];
  }
}

/**
 * Plans a read of at most `maxBytes`, cut at the last message end within them. A first message
 * that is larger comes whole where messages can't be cut (JSON), and in part otherwise.
 */
export function planRead(
  stream: Stream,
  from: ReadFrom,
  maxBytes: number,
  incarnation: string | undefined,
  sources: ReadSources,
): ReadPlan | ReadRefusal {
  const facts = factsOf(stream);
  if (incarnation !== undefined && incarnation !== stream.incarnation) {
    return { refused: "incarnation_mismatch", facts };
  }
  const { tail, log } = stream;
  const start = from === "start" ? 0 : from === "now" ? tail : from;
  if (start < earliestOf(stream)) return { refused: "offset_trimmed", facts };
  if (start >= tail || log === undefined) {
    return new Stretch(stream, facts, start, start, true);
  }
  if (start < log.start) {
    const found = coldStretch(stream, log, start, maxBytes, sources);
    if (found === "offset_not_boundary") return { refused: found, facts };
    return new MixedStretch(facts, start, found.next, found.found, stream.rare?.snapshot);
  }
  if (stream.type.json && !log.isBoundary(start)) return { refused: "offset_not_boundary", facts };
  const next = cutAt(stream, start, maxBytes);
  return new Stretch(stream, facts, start, next, next === tail, log);
}

function cutAt(stream: Stream, start: number, maxBytes: number): number {
  const { tail, log } = stream;
  if (tail - start <= maxBytes || log === undefined) return tail;
  const boundary = log.lastBoundary(start + maxBytes);
  if (boundary > start) return boundary;
  const end = log.nextBoundary(start) ?? tail;
  return cutMessage(stream.type, start, maxBytes, end, (offset) => log.byteAt(offset));
}
