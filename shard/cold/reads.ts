import type { Eventually, Group, ReadAnswer, ReadRequest, Unavailable } from "../../group/mod.ts";
import type { Clock } from "../../io/mod.ts";
import { ColdError, type ColdObject, objectKey } from "../../storage/cold/mod.ts";
import {
  type ColdPiece,
  type ObjectName,
  type ReadPlan,
  settleRead,
  sliceOf,
} from "../../stream/mod.ts";
import type { LogLine } from "../log_line.ts";
import type { ColdCounters } from "./counters.ts";
import { Complaints, isDamage, obstacleOf } from "./failures.ts";
import { fillFrom, type FillOptions, mend, mending, type Repair } from "./object_bytes.ts";
import { aheadOf, coldPieces, type ColdPlan, isCold, owned } from "./pieces.ts";
import { RangeRows } from "./range_rows.ts";
import { ReadSlots } from "./read_slots.ts";
import { pinnedStretch } from "./object_stretch.ts";
import type { ColdTier } from "./tier.ts";

/** Bytes of cold reads under way on a shard: 16 of the largest answers. One larger goes alone. */
const READ_BYTES_MAX = 64 << 20;
/** Cold reads that wait for their turn. Each is little more than its request. */
const READS_WAITING_MAX = 8_192;
/** A read that takes longer, its waiting included, is given up: few clients have such patience. */
const READ_PATIENCE_MS = 20_000;
/** Pieces of one answer that are fetched at a time; the store sees fewer, as neighbours share runs. */
const PIECES_AT_A_TIME = 8;
/** Of decoded rows of lengths: those of some hundred ranges of 200 B messages. */
const ROWS_BYTES_MAX = 4 << 20;
/** How often a read begins anew because an object was replaced meanwhile. */
const ATTEMPTS_MAX = 4;

const OVERLOADED: Unavailable = { unavailable: "overloaded" };
const STOPPING: Unavailable = { unavailable: "stopping" };

/** What reading cold bytes takes. */
export interface ColdReadsOptions {
  readonly tier: ColdTier;
  readonly clock: Clock;
  readonly counters: ColdCounters;
  /** Takes lines for the operator. */
  readonly log: LogLine;
  /** Left out where nobody else has the objects. */
  readonly repair?: Repair;
}

/**
 * Fetches what reads, proofs, snapshots and bootstraps need from objects. Failures are answers, but
 * within {@linkcode ColdReads.during}: what it does may throw them.
 */
export class ColdReads {
  readonly #tier: ColdTier;
  readonly #clock: Clock;
  readonly #counters: ColdCounters;
  readonly #repair: Repair | undefined;
  readonly #complaints: Complaints;
  readonly #slots = new ReadSlots(READ_BYTES_MAX, READS_WAITING_MAX);
  readonly #underWay = new Set<AbortController>();
  readonly #rows = new RangeRows(ROWS_BYTES_MAX);
  #closed = false;

  constructor({ tier, clock, counters, log, repair }: ColdReadsOptions) {
    this.#tier = tier;
    this.#clock = clock;
    this.#counters = counters;
    this.#repair = repair;
    this.#complaints = new Complaints(log);
  }

  /** Is nothing read any more? */
  get closed(): boolean {
    return this.#closed;
  }

  /** Ends what is under way: it is answered `stopping`. */
  close(): void {
    this.#closed = true;
    for (const aborting of this.#underWay) aborting.abort(STOPPING);
  }

  /**
   * A read's answer with all of its bytes in memory. To be called before anything more is applied.
   * An answer that needs no object is passed on as it is.
   */
  readonly complete = (
    group: Group,
    request: ReadRequest,
    answer: ReadAnswer,
  ): Eventually<ReadAnswer> => {
    if (!isCold(answer)) return answer;
    const bytes = answer.plan.next - answer.plan.from;
    // Who has to wait keeps nothing meanwhile, and plans anew.
    const plan = this.#slots.tryEnter(bytes) ? ownPlan(answer) : undefined;
    return this.during<ReadAnswer>(
      bytes,
      plan !== undefined,
      (signal) => this.#read(group, request, plan, signal),
    );
  };

  /** Ends of the messages of a range, counted from its beginning, for who proves something. */
  ends(group: Group, piece: ColdPiece, patienceMs: number): Promise<Uint32Array | Unavailable> {
    const { at, rowBytes } = piece;
    const read = async (signal: AbortSignal) => {
      // Whoever decides alike on every replica takes no notice of what is pinned here.
      const row = pinnedStretch(group.state.cold, nameIn(piece), at, rowBytes);
      if (row !== undefined) return this.#decode(group.id, piece, row);
      return await this.endsOf(group.id, piece, signal);
    };
    return this.during(rowBytes, false, read, patienceMs);
  }

  /** Bytes of an object; see `GroupAccess.fetch`. */
  fetch(
    group: Group,
    name: ObjectName,
    offset: number,
    length: number,
  ): Promise<Uint8Array | Unavailable> {
    const object = this.#tier.object(group.id, name);
    const fetch = (signal: AbortSignal) =>
      mending(this.#repair, object, async () => {
        const pinned = pinnedStretch(group.state.cold, name, offset, length);
        if (pinned !== undefined) return pinned;
        const bytes = new Uint8Array(length);
        await this.#fill(object, offset, bytes, { signal, until: offset + 2 * length });
        return bytes;
      }, signal);
    return this.during(length, false, fetch);
  }

  /**
   * Fills `into` with bytes of an object from `offset` on, after a repair if it takes one.
   *
   * @throws ColdError
   */
  fill(
    group: number,
    name: ObjectName,
    offset: number,
    into: Uint8Array,
    options: FillOptions,
  ): Promise<void> {
    const object = this.#tier.object(group, name);
    const fill = () => this.#fill(object, offset, into, options);
    return mending(this.#repair, object, fill, options.signal);
  }

  /** Ends of the messages of a range, counted from its beginning; likewise. */
  endsOf(group: number, piece: ColdPiece, signal?: AbortSignal): Promise<Uint32Array> {
    const object = this.#object(group, piece);
    return mending(this.#repair, object, () => this.#ends(group, piece, signal), signal);
  }

  /** Lets a read of so many bytes begin at once, with {@linkcode ColdReads.during}, where it may. */
  tryEnter(bytes: number): boolean {
    return this.#slots.tryEnter(bytes);
  }

  /**
   * Does work that reads so many bytes, within the bounds of all cold reads; failures become answers.
   *
   * @param entered whether it need not wait for its turn any more
   */
  async during<T>(
    bytes: number,
    entered: boolean,
    work: (signal: AbortSignal) => Promise<T>,
    patienceMs: number = READ_PATIENCE_MS,
  ): Promise<T | Unavailable> {
    if (!entered && this.#slots.isFull) return OVERLOADED;
    const aborting = new AbortController();
    const { signal } = aborting;
    this.#underWay.add(aborting);
    if (this.#closed) aborting.abort(STOPPING);
    const timer = this.#clock.setTimer(patienceMs, () => aborting.abort(this.#slow(patienceMs)));
    let isIn = entered;
    try {
      if (!isIn) await this.#slots.enter(bytes, signal);
      isIn = true;
      signal.throwIfAborted();
      return await work(signal);
    } catch (reason) {
      if (reason === STOPPING || this.#closed) return STOPPING;
      this.#counters.readFailures++;
      this.#complaints.about(reason, this.#clock.monotonicMs());
      return obstacleOf(reason);
    } finally {
      timer.cancel();
      this.#underWay.delete(aborting);
      if (isIn) this.#slots.leave(bytes);
    }
  }

  /**
   * Reads until all objects are whole. One that is not may have been replaced and deleted since the
   * plan was made: then a new plan does without it.
   */
  async #read(
    group: Group,
    request: ReadRequest,
    first: ColdPlan | undefined,
    signal: AbortSignal,
  ): Promise<ReadAnswer> {
    const again = { ...request, touch: false };
    const tried = new Set<string>();
    let plan = first;
    for (let attempt = 1;;) {
      if (plan === undefined) {
        const answer = await group.read(again, ownAnswer);
        if (!isCold(answer)) return answer;
        plan = answer.plan;
      }
      try {
        return await this.#fetchAll(group, plan, signal);
      } catch (reason) {
        if (!isDamage(reason)) throw reason;
        const answer = await group.read(again, ownAnswer);
        if (!isCold(answer)) return answer;
        plan = answer.plan;
        const { key } = reason;
        const damaged = coldPieces(plan.cold).map((piece) => this.#object(group.id, piece))
          .find((object) => objectKey(object) === key);
        if (damaged === undefined) {
          if (++attempt > ATTEMPTS_MAX) throw reason;
          continue;
        }
        // A node that has just come may lack all of them: each is worth one try.
        if (tried.has(key)) throw reason;
        await mend(this.#repair, damaged, reason, signal);
        tried.add(key);
      }
    }
  }

  async #fetchAll(group: Group, plan: ColdPlan, signal: AbortSignal): Promise<ReadAnswer> {
    const { startsIn, endsIn } = plan.cold;
    const starts = startsIn && this.#ends(group.id, startsIn, signal);
    const isSame = startsIn?.number === endsIn?.number && startsIn?.at === endsIn?.at;
    const ends = isSame ? starts : endsIn && this.#ends(group.id, endsIn, signal);
    const [startEnds, endEnds] = await Promise.all([starts, ends]);
    let settled = settleRead(plan, { startEnds, endEnds });
    while ("wanted" in settled) {
      const { piece, from, to } = settled.wanted;
      const bytes = new Uint8Array(to - from);
      const at = piece.at + piece.rowBytes + from - piece.rangeFrom;
      await this.#fill(this.#object(group.id, piece), at, bytes, { signal });
      settled = settleRead(plan, { startEnds, endEnds, bytes });
    }
    if ("refused" in settled) return settled;
    const { facts, from, next, upToDate, snapshot } = settled;
    const bytes = await this.#join(group, settled, signal);
    return { plan: { facts, from, next, upToDate, snapshot, slices: [sliceOf(bytes)] } };
  }

  /** All bytes of a settled plan in one piece of memory. */
  async #join(
    group: Group,
    { cold, from, next, facts }: ReadPlan,
    signal: AbortSignal,
  ): Promise<Uint8Array> {
    const bytes = new Uint8Array(next - from);
    const wanted: { readonly piece: ColdPiece; readonly at: number; readonly until?: number }[] =
      [];
    let at = 0;
    for (const piece of cold?.pieces ?? []) {
      if ("slab" in piece) {
        bytes.set(piece.slab.bytes.subarray(piece.start, piece.end), at);
        at += piece.end - piece.start;
      } else {
        const goesOn = piece.to === next && next < facts.tail;
        wanted.push({ piece, at, until: goesOn ? aheadOf(piece) : undefined });
        at += piece.to - piece.from;
      }
    }
    const queue = wanted.values();
    const worker = async () => {
      for (const { piece, at, until } of queue) {
        const { rangeFrom, rowBytes, from, to } = piece;
        const offset = piece.at + rowBytes + from - rangeFrom;
        const into = bytes.subarray(at, at + to - from);
        await this.#fill(this.#object(group.id, piece), offset, into, { signal, until });
      }
    };
    const workers = Math.min(PIECES_AT_A_TIME, wanted.length);
    await Promise.all(Array.from({ length: workers }, worker));
    return bytes;
  }

  async #ends(group: number, piece: ColdPiece, signal?: AbortSignal): Promise<Uint32Array> {
    const known = this.#rows.find(group, piece);
    if (known !== undefined) return known;
    const row = new Uint8Array(piece.rowBytes);
    await this.#fill(this.#object(group, piece), piece.at, row, { signal });
    return this.#decode(group, piece, row);
  }

  #decode(group: number, piece: ColdPiece, row: Uint8Array): Uint32Array {
    const ends = this.#rows.decode(group, piece, row);
    if (ends !== undefined) return ends;
    const { at, rangeFrom, rangeTo } = piece;
    const key = objectKey(this.#object(group, piece));
    const detail = `the lengths at byte ${at} are not those of ${rangeTo - rangeFrom} bytes`;
    throw new ColdError("corrupt", this.#tier.store.name, key, detail);
  }

  #fill(
    object: ColdObject,
    offset: number,
    into: Uint8Array,
    options: FillOptions,
  ): Promise<void> {
    return fillFrom(this.#tier.reader, object, offset, into, options);
  }

  #object(group: number, piece: ColdPiece): ColdObject {
    return this.#tier.object(group, nameIn(piece));
  }

  #slow(patienceMs: number): ColdError {
    const detail = `no answer within ${patienceMs} ms`;
    return new ColdError("unavailable", this.#tier.store.name, undefined, detail);
  }
}

function nameIn({ number, term, objectBytes }: ColdPiece): ObjectName {
  return { number, term, length: objectBytes };
}

function ownAnswer(_group: Group, _request: ReadRequest, answer: ReadAnswer): ReadAnswer {
  return owned(answer);
}

function ownPlan(answer: { readonly plan: ColdPlan }): ColdPlan | undefined {
  const copy = owned(answer);
  return isCold(copy) ? copy.plan : undefined;
}
