import type { Answer, ReadAnswer, Unavailable } from "../group/mod.ts";
import { type Clock, pause } from "../io/mod.ts";
import type { ColdTier } from "../shard/mod.ts";
import { type GroupAccess, groupOf } from "../shard/mod.ts";
import { ColdError, putObject } from "../storage/cold/mod.ts";
import {
  type ObjectName,
  type PublishSnapshot,
  type Refusal,
  sliceOf,
  type StreamFacts,
  type StreamKey,
  type StreamSnapshot,
} from "../stream/mod.ts";
import { isMoved, type Moved } from "./moved.ts";
import { insist, submitUntilKnown } from "./patience.ts";

/**
 * Most bytes of a piece that is staged: appends wait behind it for as long as it takes to write.
 * With what the log puts before it eight fit into a slab of a MiB.
 */
export const STAGED_BYTES_MAX: number = 127 * 1024;
/**
 * Appends have the log, and the disk below it, for themselves so many times as long as the last
 * piece took: it was slow where the disk is, or where there is much else to do. Within bounds, for
 * somebody waits for the end of it.
 */
const STAGE_PAUSES = 3;
const STAGE_PAUSE_MS = { least: 8, most: 20 };
/** From here on more room is left: what is large comes seldom, and what it costs others adds up. */
const LARGE_BYTES = 8 << 20;
const LARGE_STAGE_PAUSE_MS = { least: 32, most: 40 };
/** Objects that are begun for one snapshot, should others get their numbers first. */
const OBJECTS_MAX = 4;
/** Uploads of one object, and the pause after the first that failed; it doubles. */
const UPLOADS_MAX = 4;
const UPLOAD_AGAIN_MS = 200;

/** No object has this name: a publish with it is decided as any other, and can't take place. */
const NO_OBJECT: ObjectName = { number: 0, term: 0, length: 0 };

const NOT_FOUND = { refused: "stream_not_found" } as const;
const NO_LEADER: Unavailable = { unavailable: "no_leader" };
const STORE_UNAVAILABLE: Unavailable = { unavailable: "cold_unavailable" };

/** A StreamSnapshot as its publisher has it. */
export interface Publication {
  readonly key: StreamKey;
  readonly incarnation: string | undefined;
  readonly offset: number;
  readonly contentType: string;
  /** All bytes, in order; none is changed any more. */
  readonly pieces: readonly Uint8Array[];
  readonly length: number;
  /** Of the bytes, by which the same snapshot is known again. */
  readonly digest: string;
}

/** A stream, and the snapshot that it begins with. */
export interface FoundSnapshot {
  readonly facts: StreamFacts;
  readonly snapshot: StreamSnapshot | undefined;
  /** The group that holds both. */
  readonly group: number;
}

type Refused = { readonly refused: Refusal; readonly facts?: StreamFacts };

/**
 * StreamSnapshots (SPEC section 5): the bytes first, then the command that refers to them.
 *
 * On a store that all nodes share the bytes are uploaded from here. Elsewhere they go through the
 * group's log, in pieces between which other commands find their place, so that a majority holds
 * them durably before anything refers to them. An object that nobody refers to in the end is
 * condemned, and swept like any other.
 */
export class StreamSnapshots {
  readonly #access: GroupAccess;
  readonly #clock: Clock;
  readonly #tier: ColdTier | undefined;

  /** @param tier this shard's cold store; undefined where there is none */
  constructor(access: GroupAccess, clock: Clock, tier: ColdTier | undefined) {
    this.#access = access;
    this.#clock = clock;
    this.#tier = tier;
  }

  /** The snapshot that a stream begins with, as strongly as any read. */
  async find(
    key: StreamKey,
    incarnation: string | undefined,
    touch: boolean,
  ): Promise<FoundSnapshot | Refused | Unavailable> {
    const request = { key, from: "now", maxBytes: 0, incarnation, touch } as const;
    let group = groupOf(key, this.#access.groupCount);
    let answer: ReadAnswer = await this.#access.read(group, request);
    if ("ok" in answer) {
      if (!answer.linked) return NOT_FOUND;
      group = answer.target;
      answer = await this.#access.read(group, request);
      if ("ok" in answer) return NOT_FOUND;
    }
    if (!("plan" in answer)) return answer;
    const { facts, snapshot } = answer.plan;
    return { facts, snapshot, group };
  }

  /** Bytes of a snapshot that was found, a MiB at most. */
  read(
    { group }: FoundSnapshot,
    { number, term, length }: StreamSnapshot,
    offset: number,
    bytes: number,
  ): Promise<Uint8Array | Unavailable> {
    return this.#access.fetch(group, { number, term, length }, offset, bytes);
  }

  /** PUT of a snapshot. */
  async publish(publication: Publication): Promise<Exclude<Answer, Moved>> {
    // Decided once before anything is replicated, and again when it is.
    const { group, answer } = await this.#rehearse(publication);
    if (!isCondemned(answer)) return answer;
    for (let objects = 0; objects < OBJECTS_MAX; objects++) {
      const name = await this.#access.survey<"object">(group, { about: "object" });
      if ("unavailable" in name) return name;
      const object = { number: name.number, term: name.term, length: publication.length };
      const placed = await this.#place(group, object, publication.pieces);
      if (placed === "condemned") continue;
      const command = publishOf(publication, object);
      const answer = placed === "placed"
        ? await submitUntilKnown(this.#access, this.#clock, group, command)
        : placed;
      if (isCondemned(answer)) continue;
      if (!takesObject(answer)) this.#giveUp(group, object);
      return isMoved(answer) ? NOT_FOUND : answer;
    }
    return NO_LEADER;
  }

  /**
   * What was staged of an object is of no use to anybody, and leaves memory at once. Where it was
   * published after all it stays, as this takes nothing from what is referred to. Nobody waits for
   * this: a sweeper finds what it leaves.
   */
  #giveUp(group: number, { number, length }: ObjectName): void {
    if (length === 0) return;
    void this.#access.submit(group, { type: "condemn", below: 0, numbers: [number] });
  }

  /** What would become of it: `condemned` where nothing but an object is wanting. */
  async #rehearse(
    publication: Publication,
  ): Promise<{ readonly group: number; readonly answer: Exclude<Answer, Moved> }> {
    const command = publishOf(publication, NO_OBJECT);
    let group = groupOf(publication.key, this.#access.groupCount);
    let answer = await submitUntilKnown(this.#access, this.#clock, group, command);
    if (isMoved(answer)) {
      group = answer.target;
      answer = await submitUntilKnown(this.#access, this.#clock, group, command);
    }
    if (isMoved(answer)) return { group, answer: NOT_FOUND };
    return { group, answer: nothingApplied(answer) };
  }

  /** Puts the bytes where the publication needs them. There is nothing to put for none at all. */
  async #place(
    group: number,
    object: ObjectName,
    pieces: readonly Uint8Array[],
  ): Promise<"placed" | "condemned" | Unavailable> {
    if (object.length === 0) return "placed";
    const tier = this.#tier;
    if (tier?.store.isShared) return await this.#upload(tier, group, object, pieces);
    return await this.#stage(group, object, pieces);
  }

  async #upload(
    tier: ColdTier,
    group: number,
    object: ObjectName,
    pieces: readonly Uint8Array[],
  ): Promise<"placed" | Unavailable> {
    for (let uploads = 1;; uploads++) {
      try {
        await putObject(tier.store, tier.object(group, object), pieces);
        return "placed";
      } catch (error) {
        if (!(error instanceof ColdError)) throw error;
        if (error.kind !== "unavailable" || uploads === UPLOADS_MAX) return STORE_UNAVAILABLE;
        await pause(this.#clock, UPLOAD_AGAIN_MS * 2 ** (uploads - 1));
      }
    }
  }

  /** Puts the bytes into the group's log, piece by piece. */
  async #stage(
    group: number,
    object: ObjectName,
    pieces: readonly Uint8Array[],
  ): Promise<"placed" | "condemned" | Unavailable> {
    for (const { at, bytes } of piecesOf(pieces)) {
      const beganMs = this.#clock.monotonicMs();
      const answer = await insist(
        this.#clock,
        () =>
          this.#access.submit(group, { type: "stage", object, at, body: { data: sliceOf(bytes) } }),
        passes,
      );
      if (isCondemned(answer)) return "condemned";
      if (!isDone(answer)) return "unavailable" in answer ? nothingApplied(answer) : NO_LEADER;
      const tookMs = this.#clock.monotonicMs() - beganMs;
      const { least, most } = at < LARGE_BYTES ? STAGE_PAUSE_MS : LARGE_STAGE_PAUSE_MS;
      await pause(this.#clock, Math.min(Math.max(STAGE_PAUSES * tookMs, least), most));
    }
    return "placed";
  }
}

/** A stretch of the bytes, and where it begins. */
interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** The bytes in pieces to be staged. */
function piecesOf(pieces: readonly Uint8Array[]): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const piece of pieces) {
    for (let from = 0; from < piece.length; from += STAGED_BYTES_MAX) {
      const bytes = piece.subarray(from, from + STAGED_BYTES_MAX);
      found.push({ at, bytes });
      at += bytes.length;
    }
  }
  return found;
}

function publishOf(publication: Publication, object: ObjectName): PublishSnapshot {
  const { key, incarnation, offset, contentType, digest } = publication;
  return { type: "publish", key, incarnation, offset, contentType, object, digest };
}

/** Nothing that can be seen was asked for yet, so nothing has become of it. */
function nothingApplied<A extends Answer>(answer: A): A | Unavailable {
  const isUnknown = "unavailable" in answer && answer.unavailable === "outcome_unknown";
  return isUnknown ? NO_LEADER : answer;
}

function isDone(answer: Answer): boolean {
  return "ok" in answer && answer.ok === "done";
}

function isCondemned(answer: Answer): boolean {
  return "ok" in answer && answer.ok === "condemned";
}

/** Does the stream refer to the object from now on? One published before may be this or another one. */
function takesObject(answer: Answer): boolean {
  return "ok" in answer && answer.ok === "published" && !answer.repeated;
}

/** Is it worth waiting for another answer? */
function passes(answer: Answer): boolean {
  return "unavailable" in answer &&
    (answer.unavailable === "outcome_unknown" || answer.unavailable === "overloaded");
}
