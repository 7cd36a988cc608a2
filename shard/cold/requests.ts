/**
 * What nodes ask each other about objects: calls of the kind `COLD`.
 *
 * A request is one byte that says which, the group (4 bytes) and numbers (8 bytes each), all
 * big-endian. The answer to a `part` is its bytes, those to the others {@linkcode YES}; nothing at
 * all is a no.
 *
 * @module
 */

import type { ObjectName } from "../../stream/mod.ts";

/** Most bytes of a part. */
export const PART_BYTES_MAX = 1 << 20;
/** The answer to a question that holds. */
export const YES: Uint8Array = Uint8Array.of(1);
/** The answer that refuses, whatever was asked. */
export const NO: Uint8Array = new Uint8Array(0);

/** A part of an object as it lies in the receiver's store. */
export interface PartRequest extends ObjectName {
  readonly ask: "part";
  readonly group: number;
  /** In what lies in the store. */
  readonly offset: number;
  /** Of the part. */
  readonly partBytes: number;
}

/** Does the receiver's replica have every object that it should, as of this index? */
export interface WholeRequest {
  readonly ask: "whole";
  readonly group: number;
  readonly index: number;
}

/** Fetch this object, which nothing refers to yet, from the sender; answered once it is durable. */
export interface TakeRequest extends ObjectName {
  readonly ask: "take";
  readonly group: number;
}

/** Is it certain that the receiver has no whole copy of this object, nor will it get one by itself? */
export interface LostRequest extends ObjectName {
  readonly ask: "lost";
  readonly group: number;
}

/** What one node asks another. */
export type ColdRequest = PartRequest | WholeRequest | TakeRequest | LostRequest;

const HEAD_BYTES = 5;
const NUMBER_BYTES = 8;
/** Which byte stands for which request, and how many numbers follow. */
const FORMS = { part: [1, 5], whole: [2, 1], take: [3, 3], lost: [4, 3] } as const;

/** A request as it is sent. */
export function encodeRequest(request: ColdRequest): Uint8Array {
  const [kind, count] = FORMS[request.ask];
  const bytes = new Uint8Array(HEAD_BYTES + count * NUMBER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, request.group);
  numbersOf(request).forEach((number, i) => {
    view.setBigUint64(HEAD_BYTES + i * NUMBER_BYTES, BigInt(number));
  });
  return bytes;
}

/** The reverse of {@linkcode encodeRequest}. @throws Error when it is malformed */
export function decodeRequest(bytes: Uint8Array): ColdRequest {
  const ask = askOf(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const group = view.getUint32(1);
  const at = (i: number) => safe(view.getBigUint64(HEAD_BYTES + i * NUMBER_BYTES));
  if (ask === "whole") return { ask, group, index: at(0) };
  const object = { group, number: at(0), term: at(1), length: at(2) };
  if (ask !== "part") return { ask, ...object };
  const [offset, partBytes] = [at(3), at(4)];
  if (partBytes === 0 || partBytes > PART_BYTES_MAX) throw malformed();
  return { ask, ...object, offset, partBytes };
}

/** The group that a request is about; -1 where it is none. */
export function groupOfRequest(bytes: Uint8Array): number {
  if (bytes.length < HEAD_BYTES) return -1;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
}

function askOf(bytes: Uint8Array): ColdRequest["ask"] {
  for (const ask of ["part", "whole", "take", "lost"] as const) {
    const [kind, count] = FORMS[ask];
    if (bytes[0] === kind && bytes.length === HEAD_BYTES + count * NUMBER_BYTES) return ask;
  }
  throw malformed();
}

function numbersOf(request: ColdRequest): number[] {
  if (request.ask === "whole") return [request.index];
  const { number, term, length } = request;
  if (request.ask !== "part") return [number, term, length];
  return [number, term, length, request.offset, request.partBytes];
}

function safe(number: bigint): number {
  if (number > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed();
  return Number(number);
}

function malformed(): Error {
  return new Error("a malformed request for objects");
}
