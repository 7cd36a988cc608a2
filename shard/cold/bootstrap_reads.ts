import type {
  BootstrapBroken,
  BootstrapStretch,
  Eventually,
  StretchPlan,
} from "../../group/mod.ts";
import type { Clock } from "../../io/mod.ts";
import { ColdError } from "../../storage/cold/mod.ts";
import { type ColdMessages, endsWithin, type MessagePlan } from "../../stream/mod.ts";
import type { LogLine } from "../log_line.ts";
import type { ColdCounters } from "./counters.ts";
import type { ColdReads } from "./reads.ts";

/** Ranges of a stretch that are fetched side by side. */
const PIECES_AT_ONCE = 8;
/** Pauses before a store that is not there for the moment is asked again. */
const PAUSES_MS = [100, 400];

type Session = StretchPlan["session"];

/** Puts stretches of bootstraps together, from memory and from objects. */
export class BootstrapReads {
  readonly #reads: ColdReads | undefined;
  readonly #clock: Clock;
  readonly #counters: ColdCounters;
  readonly #log: LogLine;

  /** @param reads what is in objects; undefined where there are none */
  constructor(
    reads: ColdReads | undefined,
    clock: Clock,
    counters: ColdCounters,
    log: LogLine,
  ) {
    this.#reads = reads;
    this.#clock = clock;
    this.#counters = counters;
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
        this.#counters.readFailures++;
        this.#log(`a bootstrap of a stream of group ${group} breaks off: ${message}`, "warn");
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
    const reads = this.#reads;
    if (reads === undefined) throw new Error("there are objects, and no store");
    const { number, term, objectBytes: length, at, rowBytes, rangeFrom } = piece.cold;
    const start = at + rowBytes + piece.from - rangeFrom;
    const ends = await this.#insist(session, () => reads.endsOf(group, piece.cold));
    await this.#insist(
      session,
      () => reads.fill(group, { number, term, length }, start, into, at + piece.cold.length),
    );
    return endsWithin(piece, ends);
  }

  /** Asks again where the store is not there for the moment. */
  async #insist<T>(session: Session, read: () => Promise<T>): Promise<T> {
    for (let tries = 0;; tries++) {
      try {
        return await read();
      } catch (reason) {
        const pauseMs = PAUSES_MS[tries];
        const passes = reason instanceof ColdError && reason.kind === "unavailable";
        if (!passes || pauseMs === undefined || session.broken !== undefined) throw reason;
        await new Promise<void>((resolve) => this.#clock.setTimer(pauseMs, resolve));
      }
    }
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
