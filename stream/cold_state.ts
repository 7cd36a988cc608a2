/**
 * What a group's flusher, sweeper and readers ask of its state.
 *
 * @module
 */

import { isBoundary, type KnownEnds, noneKnown } from "./boundaries.ts";
import { pieceOf } from "./cold_read.ts";
import type { ColdPiece, ForkProof } from "./cold_types.ts";
import { type CutRefusal, proveCut } from "./create.ts";
import { type FlushOptions, type FlushPlan, planFlush } from "./flush_plan.ts";
import type { Objects, ObjectView } from "./objects.ts";
import type { RetainedRanges } from "./retained_ranges.ts";
import { factsOf } from "./stream.ts";
import type { Tables } from "./tables.ts";
import type { CreateStream, Slice, StreamKey } from "./types.ts";

/** Streams and ranges that {@linkcode ColdState.ranges} looks at between two portions. */
const RANGE_LOOKS = 1_000;

/** A range of a stream in one of the objects that were asked for. */
export interface HeldRange {
  readonly key: StreamKey;
  readonly incarnation: string;
  readonly piece: ColdPiece;
}

/** See `mod.ts`, "Cold tier". Nothing here changes what is replicated. */
export class ColdState {
  /** Asks these tables. */
  constructor(private readonly tables: Tables) {}

  /** The objects. */
  get objects(): Pick<
    Objects,
    "get" | "all" | "count" | "added" | "liveBytes" | "isFree" | "isCondemned"
  > {
    return this.tables.objects;
  }

  /** Number for the next object: never used, not condemned. */
  get nextNumber(): number {
    return this.tables.objects.nextNumber;
  }

  /** All numbers below this one are condemned. */
  get watermark(): number {
    return this.tables.objects.watermark;
  }

  /** Group time since which the oldest hot bytes wait, to the second; undefined without any. */
  get oldestHotMs(): number | undefined {
    return this.tables.hot.oldestMs;
  }

  /** What to flush next: the streams first whose hot bytes wait longest. */
  planFlush(options: FlushOptions): FlushPlan {
    return planFlush(this.tables.hot.streams(), options);
  }

  /** Objects to which nothing has referred since `untilMs` or longer. */
  unreferenced(untilMs: number): ObjectView[] {
    const found: ObjectView[] = [];
    for (const object of this.tables.objects.all()) {
      if ((object.unreferencedMs ?? Infinity) <= untilMs) found.push({ ...object });
    }
    return found;
  }

  /** Objects of ranges with at most so many live bytes, or a smaller share of them, those with least first. */
  sparse(liveBytesMax: number, liveShareMax: number, limit: number): ObjectView[] {
    const found: ObjectView[] = [];
    for (const object of this.tables.objects.all()) {
      const { references, liveBytes, length, isSnapshot } = object;
      if (references === 0 || isSnapshot) continue;
      if (liveBytes <= liveBytesMax || liveBytes <= length * liveShareMax) {
        found.push({ ...object });
      }
    }
    found.sort((a, b) => a.liveBytes - b.liveBytes || a.number - b.number);
    return found.slice(0, limit);
  }

  /**
   * All ranges that lie in these objects, by stream and offset. Looks at every stream: to be pulled
   * in portions, each of what was found among the next `looks` streams and ranges. Streams may
   * change meanwhile; whoever repacks is told by the outcome.
   */
  *ranges(
    numbers: ReadonlySet<number>,
    looks: number = RANGE_LOOKS,
  ): Generator<HeldRange[], void, void> {
    let found: HeldRange[] = [];
    let left = looks;
    for (const { key, incarnation, log } of this.tables.streams.values()) {
      // There may be a million of them, mostly without any.
      const cold = log?.cold?.view();
      const count = cold === undefined ? 0 : cold.count;
      for (let i = -1; i < count; i++) {
        const held = i >= 0 && cold !== undefined && numbers.has(cold.objectOf(i));
        if (held && this.objects.get(cold.objectOf(i)) !== undefined) {
          const range = cold.range(i);
          const piece = pieceOf(this.tables.objects, range, range.from, range.to);
          found.push({ key, incarnation, piece });
        }
        if (--left > 0) continue;
        yield found;
        found = [];
        left = looks;
      }
    }
    yield found;
  }

  /**
   * What a fork's create has to prove because its offsets lie in objects.
   *
   * @param known ends of ranges that were looked up so far
   * @returns a proof for the command; a range whose row (`decodeRow`) has to be looked up first; a
   *   refusal that the rows lead to; undefined where no proof is needed
   */
  proveFork(
    fork: NonNullable<CreateStream["fork"]>,
    known: KnownEnds,
  ): ForkProof | CutRefusal | { readonly wanted: ColdPiece } | undefined {
    const found = proveCut(this.tables.streams.get(fork.source), fork, known);
    if (found === undefined || !("unknown" in found)) return found;
    const { unknown } = found;
    return { wanted: pieceOf(this.tables.objects, unknown, unknown.from, unknown.to) };
  }

  /**
   * What publishing a snapshot at an offset within a cold range has to prove; as
   * {@linkcode ColdState.proveFork}.
   */
  proveBoundary(
    key: StreamKey,
    offset: number,
    known: KnownEnds,
  ): { readonly incarnation: string } | CutRefusal | { readonly wanted: ColdPiece } | undefined {
    const stream = this.tables.streams.get(key);
    if (stream?.log === undefined || offset > stream.tail) return undefined;
    if (typeof isBoundary(stream.log, offset, noneKnown) === "boolean") return undefined;
    const found = isBoundary(stream.log, offset, known);
    if (found === true) return { incarnation: stream.incarnation };
    if (found === false) return { refused: "offset_not_boundary", facts: factsOf(stream) };
    const { unknown } = found;
    return { wanted: pieceOf(this.tables.objects, unknown, unknown.from, unknown.to) };
  }

  /** Objects of which this replica keeps the bytes in memory: it has no copy of its own yet. */
  pinnedObjects(): number[] {
    return this.tables.pinned.objects();
  }

  /** Does this replica keep bytes of the object in memory? */
  isPinned(number: number): boolean {
    return this.tables.pinned.has(number);
  }

  /** Bytes of messages that are pinned. */
  get pinnedBytes(): number {
    return this.tables.pinned.bytes;
  }

  /**
   * A pinned object's bytes, in order: the same on every replica. Slices hold until the next
   * `apply` or {@linkcode ColdState.unpin}, unless retained.
   */
  pinnedPayload(number: number): Generator<Slice, void, void> {
    return this.tables.pinned.payload(number, this.objects.get(number)?.length ?? 0);
  }

  /** The same bytes, for as long as whoever writes them needs them. */
  retainPinned(number: number): RetainedRanges {
    return this.tables.pinned.retained(number, this.objects.get(number)?.length ?? 0);
  }

  /** This replica's copy of the object is durable: lets its bytes go. */
  unpin(number: number): void {
    this.tables.unpin(number);
  }
}
