import type {
  BootstrapBroken,
  BootstrapStretch,
  Eventually,
  Group,
  StretchPlan,
} from "../../group/mod.ts";
import { type Clock, pause } from "../../io/mod.ts";
import { ColdError } from "../../storage/cold/mod.ts";
import { type ColdMessages, endsWithin, type MessagePlan } from "../../stream/mod.ts";
import type { LogLine } from "../log_line.ts";
import type { ColdReads } from "./reads.ts";

/** Ranges of a stretch that are fetched side by side. */
const PIECES_AT_ONCE = 8;
/** Pauses before a store that is not there for the moment is asked again. */
const PAUSES_MS = [100, 400];

type Session = StretchPlan["session"];

/** A stretch, of which what is in memory was copied. */
interface Begun extends StretchPlan {
  readonly bytes: Uint8Array;
  /** By piece; there for those in memory. */
  readonly ends: Uint32Array[];
}

/** Puts stretches of bootstraps together, from memory and from objects. */
export class BootstrapReads {
  readonly #reads: ColdReads | undefined;
  readonly #clock: Clock;
  readonly #log: LogLine;

  /** @param reads what is in objects; undefined where there are none */
  constructor(reads: ColdReads | undefined, clock: Clock, log: LogLine) {
    this.#reads = reads;
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * What a bootstrap hands out next, in memory of its own. One stretch is a cold read like others,
   * and over when it is here, however long the client takes for it.
   */
  next(group: Group, id: number): Eventually<BootstrapStretch | BootstrapBroken> {
    let coldBytes = 0;
    let waits = false;
    const next = this.#take(group, id, (plan) => {
      if (!plan.pieces.some((piece) => "cold" in piece)) return true;
      coldBytes = plan.to - plan.from;
      waits = !(this.#reads?.tryEnter(coldBytes) ?? true);
      // Who has to wait keeps nothing meanwhile, and plans anew.
      return !waits;
    });
    if ("broken" in next) return next;
    const begun = waits ? undefined : begin(next);
    if (begun !== undefined && coldBytes === 0) return stretchOf(begun);
    return this.#complete(group, id, next.session, coldBytes, begun);
  }

  #take(group: Group, id: number, admits?: (plan: MessagePlan) => boolean) {
    return group.bootstraps.next(id, group.state, this.#clock.monotonicMs(), admits);
  }

  async #complete(
    group: Group,
    id: number,
    session: Session,
    coldBytes: number,
    entered: Begun | undefined,
  ): Promise<BootstrapStretch | BootstrapBroken> {
    const reads = this.#reads;
    if (reads === undefined) throw new Error("there are objects, and no store");
    const found = await reads.during(coldBytes, entered !== undefined, async (signal) => {
      let begun = entered;
      if (begun === undefined) {
        const next = this.#take(group, id);
        if ("broken" in next) return next;
        begun = begin(next);
      }
      await this.#fetch(reads, group.id, begun, signal);
      return stretchOf(begun);
    });
    if (!("unavailable" in found)) return found;
    const reason = found.unavailable;
    if (session.broken === undefined && reason !== "stopping") {
      this.#log(`a bootstrap of a stream of group ${group.id} breaks off: ${reason}`, "warn");
    }
    session.breakOff("what it needs can't be read");
    return { broken: session.broken ?? "" };
  }

  /** Fills in what is in objects. */
  async #fetch(reads: ColdReads, group: number, begun: Begun, signal: AbortSignal): Promise<void> {
    const { plan, session, bytes, ends } = begun;
    const queue = plan.pieces.entries();
    const worker = async () => {
      for (const [at, piece] of queue) {
        if (!("cold" in piece)) continue;
        const into = bytes.subarray(piece.from - plan.from, piece.to - plan.from);
        const fetch = () => fetchPiece(reads, group, piece, into, signal);
        ends[at] = await this.#insist(session, signal, fetch);
      }
    };
    await Promise.all(Array.from({ length: PIECES_AT_ONCE }, worker));
  }

  /** Asks again where the store is not there for the moment. */
  async #insist<T>(session: Session, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
    for (let tries = 0;; tries++) {
      try {
        return await read();
      } catch (reason) {
        const pauseMs = PAUSES_MS[tries];
        const passes = reason instanceof ColdError && reason.kind === "unavailable";
        if (!passes || pauseMs === undefined || session.broken !== undefined) throw reason;
        await pause(this.#clock, pauseMs, signal);
        signal.throwIfAborted();
      }
    }
  }
}

/** Fills in a piece; answers where its messages end. @throws ColdError */
async function fetchPiece(
  reads: ColdReads,
  group: number,
  piece: ColdMessages,
  into: Uint8Array,
  signal: AbortSignal,
): Promise<Uint32Array> {
  const { number, term, objectBytes: length, at, rowBytes, rangeFrom } = piece.cold;
  const start = at + rowBytes + piece.from - rangeFrom;
  const ends = await reads.endsOf(group, piece.cold, signal);
  const until = at + piece.cold.length;
  await reads.fill(group, { number, term, length }, start, into, { signal, until });
  return endsWithin(piece, ends);
}

/** Copies what is in memory: the plan holds until something is applied. */
function begin(next: StretchPlan): Begun {
  const { plan } = next;
  const bytes = new Uint8Array(plan.to - plan.from);
  const ends: Uint32Array[] = [];
  for (const [i, piece] of plan.pieces.entries()) {
    if ("cold" in piece) continue;
    let at = piece.from - plan.from;
    for (const { slab, start, end } of piece.slices) {
      bytes.set(slab.bytes.subarray(start, end), at);
      at += end - start;
    }
    ends[i] = piece.ends;
  }
  return { ...next, bytes, ends };
}

/** What is handed out, once all is there: ends are counted from the beginning of the stretch. */
function stretchOf({ plan: { pieces, from }, bytes, ends, isLast }: Begun): BootstrapStretch {
  const all = new Uint32Array(ends.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const [i, piece] of pieces.entries()) {
    const shift = piece.from - from;
    for (const end of ends[i] ?? []) all[at++] = end + shift;
  }
  return { bytes, ends: all, isLast };
}
