/**
 * Makes one object of ranges of others.
 *
 * @module
 */

import type { ColdError, ColdObject, ColdReader } from "../../storage/cold/mod.ts";
import { objectKey } from "../../storage/cold/mod.ts";
import { type ColdPiece, mergePacked, type RepackedRange } from "../../stream/mod.ts";
import { isDamage, OutOfReach } from "./failures.ts";
import type { Run } from "./merge_runs.ts";
import { fillFrom, mending, type Repair } from "./object_bytes.ts";
import type { Stretches } from "./stretches.ts";

/** What a merged object consists of. */
export interface MergedPayload {
  readonly parts: readonly Uint8Array[];
  readonly length: number;
  readonly ranges: readonly RepackedRange[];
  /** Numbers of the objects that the ranges lay in. */
  readonly sources: readonly number[];
}

/** A source that can't be read: merges do better without it. */
export class SourceError extends Error {
  /** @param number the source's */
  constructor(readonly number: number, reason: ColdError) {
    super(reason.message, { cause: reason });
  }
}

/** Where a source is read from. */
export interface MergeSources {
  readonly reader: ColdReader;
  readonly object: (piece: ColdPiece) => ColdObject;
  readonly repair?: Repair;
}

/** Reads the ranges of runs and puts each run together. @throws SourceError, or what a store says */
export async function mergeRuns(
  runs: readonly Run[],
  sources: MergeSources,
  stretches: Stretches,
  signal: AbortSignal,
): Promise<MergedPayload> {
  const packed = await readPieces(runs.flatMap(({ pieces }) => pieces), sources, stretches, signal);
  const parts: Uint8Array[] = [];
  const ranges: RepackedRange[] = [];
  let length = 0;
  for (const { key, incarnation, from, to, pieces } of runs) {
    if (stretches.isOver) await stretches.rest();
    const merged = mergePacked(pieces.map((piece) => ({
      packed: packed.get(piece) ?? NOTHING,
      rowBytes: piece.rowBytes,
    })));
    if (merged === undefined) throw rowError(pieces, sources);
    ranges.push({ key, incarnation, from, to, at: length, rowBytes: merged.rowBytes });
    for (const part of merged.parts) {
      parts.push(part);
      length += part.length;
    }
  }
  const numbers = new Set([...packed.keys()].map(({ number }) => number));
  return { parts, length, ranges, sources: [...numbers] };
}

/** The packed bytes of pieces; what lies side by side in an object is read in one go. */
async function readPieces(
  pieces: readonly ColdPiece[],
  { reader, object, repair }: MergeSources,
  stretches: Stretches,
  signal: AbortSignal,
): Promise<Map<ColdPiece, Uint8Array>> {
  const found = new Map<ColdPiece, Uint8Array>();
  const inOrder = [...pieces].sort((a, b) => a.number - b.number || a.at - b.at);
  for (let i = 0; i < inOrder.length;) {
    const first = inOrder[i] as ColdPiece; // in bounds
    let end = first.at;
    const joined: ColdPiece[] = [];
    for (; i < inOrder.length; i++) {
      const piece = inOrder[i] as ColdPiece; // in bounds
      if (piece.number !== first.number || piece.at !== end) break;
      joined.push(piece);
      end += piece.length;
    }
    const bytes = new Uint8Array(end - first.at);
    const source = object(first);
    const rest = () => stretches.isOver ? stretches.rest() : undefined;
    const fill = () => fillFrom(reader, source, first.at, bytes, { signal, rest });
    try {
      await mending(repair, source, fill, signal);
    } catch (reason) {
      const isLacking = isDamage(reason) || reason instanceof OutOfReach;
      throw isLacking ? new SourceError(first.number, reason) : reason;
    }
    for (const piece of joined) {
      const start = piece.at - first.at;
      found.set(piece, bytes.subarray(start, start + piece.length));
    }
  }
  return found;
}

function rowError(pieces: readonly ColdPiece[], { object }: MergeSources): Error {
  const keys = new Set(pieces.map((piece) => objectKey(object(piece))));
  return new Error(`a row of lengths does not fit its range in one of ${[...keys].join(", ")}`);
}

const NOTHING = new Uint8Array(0);
