import type {
  BootstrapBroken,
  BootstrapStretch,
  Eventually,
  StretchPlan,
} from "../../group/mod.ts";
import type { Clock } from "../../io/mod.ts";
import { ColdError, type ColdObject } from "../../storage/cold/mod.ts";
import {
  type ColdMessages,
  type ColdPiece,
  decodeRow,
  endsWithin,
  type MessagePlan,
} from "../../stream/mod.ts";
import type { ColdTier } from "./tier.ts";

/** Ranges of a stretch that are fetched side by side. */
const PIECES_AT_ONCE = 8;
/** Pauses before a store that is not there for the moment is asked again. */
const PAUSES_MS = [100, 400];

type Session = StretchPlan["session"];

/** Puts stretches of bootstraps together, from memory and from objects. */
export class BootstrapReads {
  readonly #tier: ColdTier | undefined;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;

  constructor(tier: ColdTier | undefined, clock: Clock, log: (line: string) => void) {
    this.#tier = tier;
    this.#clock = clock;
    this.#log = log;
  }

  /** The stretch, with all of its bytes in memory of its own. What is hot is copied at once. */
  complete(
    group: number,
    next: StretchPlan | BootstrapBroken,
  ): Eventually<BootstrapStretch | BootstrapBroken> {
    if ("broken" in next) return next;
    const { plan, isLast } = next;
    const bytes = new Uint8Array(plan.to - plan.from);
    const ends: Uint32Array[] = [];
    const isCold = copyHot(plan, bytes, ends);
    if (isCold) return this.#fetch(group, next, bytes, ends);
    return { bytes, ends: joined(plan, ends), isLast };
  }

  async #fetch(
    group: number,
    { session, plan, isLast }: StretchPlan,
    bytes: Uint8Array,
    ends: Uint32Array[],
  ): Promise<BootstrapStretch | BootstrapBroken> {
    const fetch = async (at: number) => {
      const piece = plan.pieces[at];
      if (piece === undefined || !("cold" in piece)) return;
      const into = bytes.subarray(piece.from - plan.from, piece.to - plan.from);
      ends[at] = await this.#fetchPiece(group, session, piece, into);
    };
    try {
      for (let at = 0; at < plan.pieces.length; at += PIECES_AT_ONCE) {
        await Promise.all(Array.from({ length: PIECES_AT_ONCE }, (_, i) => fetch(at + i)));
      }
      return { bytes, ends: joined(plan, ends), isLast };
    } catch (reason) {
      if (session.broken === undefined) {
        const { message } = reason as Error;
        this.#log(`a bootstrap of a stream of group ${group} breaks off: ${message}`);
      }
      session.breakOff("what it needs can't be read");
      return { broken: session.broken ?? "" };
    }
  }

  async #fetchPiece(
    group: number,
    session: Session,
    piece: ColdMessages,
    into: Uint8Array,
  ): Promise<Uint32Array> {
    const { cold } = piece;
    const ends = await this.#endsOf(group, session, cold);
    const start = cold.at + cold.rowBytes + piece.from - cold.rangeFrom;
    await this.#read(group, session, cold, start, into);
    return endsWithin(piece, ends);
  }

  /** Ends of the messages of a range, which the stretches that lie in it need one after another. */
  async #endsOf(group: number, session: Session, cold: ColdPiece): Promise<Uint32Array> {
    const { number, at, rowBytes, rangeFrom, rangeTo } = cold;
    const seen = session.row;
    if (seen?.number === number && seen.at === at) return seen.ends;
    const row = new Uint8Array(rowBytes);
    await this.#read(group, session, cold, at, row);
    const ends = decodeRow(row, rangeTo - rangeFrom);
    if (ends === undefined) throw new Error(`the row of a range of object ${number} is no row`);
    session.row = { number, at, ends };
    return ends;
  }

  /** Fills `into` from an object; asks again where the store is not there for the moment. */
  async #read(
    group: number,
    session: Session,
    { number, term, objectBytes, at, length }: ColdPiece,
    start: number,
    into: Uint8Array,
  ): Promise<void> {
    const tier = this.#tier;
    if (tier === undefined) throw new Error("there are objects, and no store");
    const object = tier.object(group, { number, term, length: objectBytes });
    for (let tries = 0;; tries++) {
      try {
        return await fill(tier, object, start, into, at + length);
      } catch (reason) {
        const pauseMs = PAUSES_MS[tries];
        const passes = reason instanceof ColdError && reason.kind === "unavailable";
        if (!passes || pauseMs === undefined || session.broken !== undefined) throw reason;
        await new Promise<void>((resolve) => this.#clock.setTimer(pauseMs, resolve));
      }
    }
  }
}

async function fill(
  { reader }: ColdTier,
  object: ColdObject,
  start: number,
  into: Uint8Array,
  until: number,
): Promise<void> {
  let at = 0;
  for await (const part of reader.read(object, start, into.length, { until })) {
    into.set(part, at);
    at += part.length;
  }
}

/** Copies what is in memory, and says whether that was not all. */
function copyHot(plan: MessagePlan, into: Uint8Array, ends: Uint32Array[]): boolean {
  let isCold = false;
  for (const [i, piece] of plan.pieces.entries()) {
    if ("cold" in piece) {
      isCold = true;
      continue;
    }
    let at = piece.from - plan.from;
    for (const { slab, start, end } of piece.slices) {
      into.set(slab.bytes.subarray(start, end), at);
      at += end - start;
    }
    ends[i] = piece.ends;
  }
  return isCold;
}

/** Ends of all pieces, counted from the beginning of the stretch. */
function joined({ pieces, from }: MessagePlan, ends: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(ends.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    const shift = piece.from - from;
    for (const end of ends[i] ?? []) all[at++] = end + shift;
  }
  return all;
}
