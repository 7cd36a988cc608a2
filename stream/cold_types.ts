/**
 * The words of the cold tier: what commands say of objects, and what a read finds in them.
 *
 * @module
 */

import type { ObjectName } from "./objects.ts";
import type { Body, Slice, StreamKey } from "./types.ts";

/** A stretch of one stream that goes into an object. */
export interface FlushedRange {
  readonly key: StreamKey;
  readonly incarnation: string;
  /** The first hot byte. */
  readonly from: number;
  /** An end of a message. */
  readonly to: number;
  /** Where in the object its packed form begins. */
  readonly at: number;
}

/**
 * References take the place of hot bytes. Ranges are applied in order, each that still is what the
 * stream's hot bytes begin with; others are left out. Nothing applies where the object's number was
 * used or condemned before.
 */
export interface FlushStreams {
  readonly type: "flush";
  readonly object: ObjectName;
  readonly ranges: readonly FlushedRange[];
}

/** A stretch of one stream that goes from objects into another one. */
export interface RepackedRange extends FlushedRange {
  /** Bytes of the row of lengths at its beginning. */
  readonly rowBytes: number;
}

/**
 * References take the place of others. Each range applies where ranges that lie in `sources` cover
 * it exactly; they become one. Nothing applies where the object's number was used or condemned.
 */
export interface RepackStreams {
  readonly type: "repack";
  readonly object: ObjectName;
  /** Numbers of the objects that the ranges still have to lie in. */
  readonly sources: readonly number[];
  readonly ranges: readonly RepackedRange[];
}

/** From now on no object may be referred to under these numbers; those that are stay. */
export interface CondemnObjects {
  readonly type: "condemn";
  /** All numbers below this one; 0 for none. */
  readonly below: number;
  readonly numbers: readonly number[];
}

/** Objects were deleted: drops the notes of those that are condemned and not referred to. */
export interface ForgetObjects {
  readonly type: "forget";
  readonly numbers: readonly number[];
}

/**
 * A piece of an object that is replicated before anything refers to it, where each node has a store
 * of its own. Pieces come in order; the first takes the number. The object is one to sweep until it
 * is published.
 */
export interface StageObject {
  readonly type: "stage";
  readonly object: ObjectName;
  /** Where in the object the piece begins. */
  readonly at: number;
  readonly body?: Body;
}

/** Publishes a StreamSnapshot, whose bytes are a whole object, and trims what it stands for. */
export interface PublishSnapshot {
  readonly type: "publish";
  readonly key: StreamKey;
  readonly incarnation?: string;
  /** The snapshot stands for all bytes before. */
  readonly offset: number;
  readonly contentType: string;
  /** New, or staged to its end. */
  readonly object: ObjectName;
  /** Of the bytes, by which the same snapshot is known again. */
  readonly digest: string;
  /** The incarnation of which it was looked up that the offset is an end of a message. */
  readonly provenIn?: string;
}

/** A published StreamSnapshot, and the object that it is all of. */
export interface StreamSnapshot extends ObjectName {
  readonly offset: number;
  readonly contentType: string;
  readonly digest: string;
}

/**
 * What a fork's proposer found in a cold range: its anchor is an end of a message where it must be,
 * and the sub-offset leads to `end`. Holds as long as the source's incarnation lives.
 */
export interface ForkProof {
  readonly incarnation: string;
  readonly anchor: number;
  readonly end: number;
}

/** A range of a stream in an object, and which part of it is meant. */
export interface ColdPiece {
  /** The object; group and formation are those of the state. */
  readonly number: number;
  readonly term: number;
  readonly objectBytes: number;
  /** Where in the object the range's packed form begins, and how long it is. */
  readonly at: number;
  readonly length: number;
  /** Bytes of the row of lengths; the byte at offset `o` lies at `at + rowBytes + o - rangeFrom`. */
  readonly rowBytes: number;
  /** The range. */
  readonly rangeFrom: number;
  readonly rangeTo: number;
  /** The part that is meant. */
  readonly from: number;
  readonly to: number;
}

/** What of a read lies in objects. */
export interface ColdRead {
  /** In order, without gaps, up to the plan's `next`. Valid as slices are. */
  readonly pieces: readonly (Slice | ColdPiece)[];
  /** A JSON stream's read begins within this range: it must prove to be at an end of a message. */
  readonly startsIn: ColdPiece | undefined;
  /**
   * The answer ends within this range, at the last end of a message that fits: `next` is the
   * latest that it can be.
   */
  readonly endsIn: ColdPiece | undefined;
  /** What the read asked for. */
  readonly maxBytes: number;
  /** May a message be cut between any two code points alone? */
  readonly textual: boolean;
}
