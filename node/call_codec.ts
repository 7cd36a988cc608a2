/**
 * What nodes say to each other when one forwards to another: commands and what comes of them,
 * questions and their answers. All that is decoded came over a socket and is checked.
 *
 * A SUBMIT call is the group's number in 4 bytes, big-endian, and the command as it stands in the
 * log. The answer to an append has a form of its own, a byte, flags and CBOR items in a fixed order;
 * every other answer is a CBOR map, whose first byte is another one.
 *
 * @module
 */

import { decode as decodeCbor, encode as encodeCbor } from "cbor-x";
import type { Answer, Unavailable } from "../group/mod.ts";
import type { Survey, SurveyAnswers } from "../shard/mod.ts";
import { CborReader, CborWriter } from "../stream/cbor.ts";
import { KIND_NUMBERS } from "../stream/command_fields.ts";
import {
  bodyOf,
  type Command,
  COMMAND_VERSION,
  decode,
  encodeHeader,
  type StreamFacts,
} from "../stream/mod.ts";
import { isOneItem } from "./cbor_check.ts";
import { isAnswer, isAppend, isCommand, isSurvey, isSurveyAnswer } from "./call_shapes.ts";

/** A message of another node that is none. */
export class MalformedCall extends Error {
  /** @param what what it should have been */
  constructor(what: string) {
    super(`malformed ${what} of another node`);
    this.name = "MalformedCall";
  }
}

/** A command and the group that it is for. */
export interface Submit {
  readonly group: number;
  readonly command: Command;
}

/** A question and the group that it is for. */
export interface Question {
  readonly group: number;
  readonly survey: Survey;
}

const GROUP_BYTES = 4;
/** Of the log's encoding of a command: the length of its header. */
const LENGTH_BYTES = 2;
/** The first byte of a CBOR array of fewer than 16 items. */
const SHORT_ARRAY = 0x80, ARRAY_HEAD_MASK = 0xf0;

const APPENDED = 1, REPEATED = 2;
const JSON_STREAM = 1, CLOSED = 2, TTL = 4, EXPIRES = 8, PRODUCER = 16;
const FLAGS_MAX = 31;
/** Characters of both texts of an answer up to which it surely fits the scratch. */
const SHORT_TEXTS = 1_024;

const groupBytes = new Uint8Array(GROUP_BYTES);
const writer = new CborWriter(new Uint8Array(4_096));
const reader = new CborReader();

/** The parts of a SUBMIT call; valid until the next call of a function here or of a log's codec. */
export function encodeSubmit(group: number, command: Command): Uint8Array[] {
  putGroup(group);
  const header = encodeHeader(command, 0);
  const data = bodyOf(command)?.data;
  if (data === undefined) return [groupBytes, header];
  return [groupBytes, header, data.slab.bytes.subarray(data.start, data.end)];
}

/**
 * Reads a SUBMIT call. The command's body is a view of `bytes`.
 *
 * @throws MalformedCall
 */
export function decodeSubmit(bytes: Uint8Array, groupCount: number): Submit {
  const group = readGroup(bytes, groupCount);
  const command = readCommand(bytes);
  const sound = command.type === "append" ? isAppend(command) : isCommand(command);
  if (!sound) throw new MalformedCall("command");
  return { group, command };
}

/** The answer to a SUBMIT call; valid until the next call of this. */
export function encodeAnswer(answer: Answer): Uint8Array {
  if ("ok" in answer && (answer.ok === "appended" || answer.ok === "repeated")) {
    const { facts, producer } = answer;
    const form = answer.ok === "appended" ? APPENDED : REPEATED;
    if (isShort(facts)) return writeAppended(form, facts, producer);
  }
  return encodeCbor(answer);
}

/** Reads the answer to a SUBMIT call. @throws MalformedCall */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const form = bytes[0];
  if (form === APPENDED || form === REPEATED) return readAppended(form, bytes);
  const value = readCbor(bytes, 0, "answer");
  if (!isAnswer(value)) throw new MalformedCall("answer");
  return value;
}

/** The parts of a SURVEY call; valid until the next call of a function here. */
export function encodeSurvey(group: number, survey: Survey): Uint8Array[] {
  putGroup(group);
  return [groupBytes, encodeCbor(survey)];
}

/** Reads a SURVEY call. @throws MalformedCall */
export function decodeSurvey(bytes: Uint8Array, groupCount: number): Question {
  const group = readGroup(bytes, groupCount);
  const survey = readCbor(bytes, GROUP_BYTES, "question");
  if (!isSurvey(survey)) throw new MalformedCall("question");
  return { group, survey };
}

/** The answer to a SURVEY call. */
export function encodeSurveyAnswer(
  answer: SurveyAnswers[Survey["about"]] | Unavailable,
): Uint8Array {
  return encodeCbor(answer);
}

/** Reads the answer to a SURVEY call about `about`. @throws MalformedCall */
export function decodeSurveyAnswer<A extends Survey["about"]>(
  about: A,
  bytes: Uint8Array,
): SurveyAnswers[A] | Unavailable {
  const value = readCbor(bytes, 0, "survey");
  if (!isSurveyAnswer(about, value)) throw new MalformedCall("survey");
  return value as SurveyAnswers[A] | Unavailable;
}

function putGroup(group: number): void {
  for (let i = 0; i < GROUP_BYTES; i++) groupBytes[i] = group >>> (8 * (GROUP_BYTES - 1 - i));
}

function readGroup(bytes: Uint8Array, groupCount: number): number {
  let group = 0;
  for (let i = 0; i < GROUP_BYTES; i++) group = group * 256 + (bytes[i] ?? 0xff);
  if (group >= groupCount) throw new MalformedCall("group");
  return group;
}

function readCommand(bytes: Uint8Array): Command {
  const from = GROUP_BYTES + LENGTH_BYTES;
  const to = from + (bytes[GROUP_BYTES] ?? 0) * 256 + (bytes[GROUP_BYTES + 1] ?? 0);
  // An append's header is read item by item; what goes through the library is looked at first.
  const isShortAppend = ((bytes[from] ?? 0) & ARRAY_HEAD_MASK) === SHORT_ARRAY &&
    bytes[from + 1] === COMMAND_VERSION && bytes[from + 2] === KIND_NUMBERS.append;
  if (!isShortAppend && !isOneItem(bytes, from, to)) throw new MalformedCall("command");
  try {
    return decode({ bytes, live: 0 }, GROUP_BYTES, bytes.length).command;
  } catch (reason) {
    throw new MalformedCall(`command (${(reason as Error).message})`);
  }
}

function readCbor(bytes: Uint8Array, from: number, what: string): unknown {
  if (!isOneItem(bytes, from, bytes.length)) throw new MalformedCall(what);
  try {
    return decodeCbor(bytes.subarray(from));
  } catch {
    throw new MalformedCall(what);
  }
}

/** Does the answer fit the form for appends? Numbers below 0 do not. */
function isShort(facts: StreamFacts): boolean {
  return facts.incarnation.length + facts.contentType.length < SHORT_TEXTS &&
    (facts.expiresAtMs === undefined || facts.expiresAtMs >= 0);
}

function writeAppended(
  form: number,
  facts: StreamFacts,
  producer: { readonly epoch: number; readonly seq: number } | undefined,
): Uint8Array {
  const { ttlSeconds, expiresAtMs } = facts;
  const { bytes } = writer;
  bytes[0] = form;
  bytes[1] = (facts.json ? JSON_STREAM : 0) | (facts.closed ? CLOSED : 0) |
    (ttlSeconds === undefined ? 0 : TTL) | (expiresAtMs === undefined ? 0 : EXPIRES) |
    (producer === undefined ? 0 : PRODUCER);
  writer.at = 2;
  writer.text(facts.incarnation);
  writer.text(facts.contentType);
  writer.number(facts.tail);
  writer.number(facts.earliest);
  writer.number(facts.createdAtMs);
  writer.number(facts.lastWriteAtMs);
  if (ttlSeconds !== undefined) writer.number(ttlSeconds);
  if (expiresAtMs !== undefined) writer.number(expiresAtMs);
  if (producer !== undefined) {
    writer.number(producer.epoch);
    writer.number(producer.seq);
  }
  return bytes.subarray(0, writer.at);
}

function readAppended(form: number, bytes: Uint8Array): Answer {
  const flags = bytes[1] ?? 0xff;
  reader.seek(bytes, 2);
  const incarnation = reader.text();
  const contentType = reader.text();
  const tail = reader.number();
  const earliest = reader.number();
  const createdAtMs = reader.number();
  const lastWriteAtMs = reader.number();
  const ttlSeconds = (flags & TTL) === 0 ? undefined : reader.number();
  const expiresAtMs = (flags & EXPIRES) === 0 ? undefined : reader.number();
  const named = (flags & PRODUCER) !== 0;
  const epoch = named ? reader.number() : 0;
  const seq = named ? reader.number() : 0;
  const sound = flags <= FLAGS_MAX && reader.at === bytes.length && isWhole(tail) &&
    isWhole(earliest) && isWhole(createdAtMs) && isWhole(lastWriteAtMs) &&
    isWhole(ttlSeconds ?? 0) && isWhole(expiresAtMs ?? 0) && isWhole(epoch) && isWhole(seq);
  if (!sound || incarnation === undefined || contentType === undefined) {
    throw new MalformedCall("answer");
  }
  const facts: StreamFacts = {
    incarnation,
    contentType,
    json: (flags & JSON_STREAM) !== 0,
    tail,
    earliest,
    closed: (flags & CLOSED) !== 0,
    ttlSeconds,
    expiresAtMs,
    createdAtMs,
    lastWriteAtMs,
  };
  const ok = form === APPENDED ? "appended" : "repeated";
  return named ? { ok, facts, producer: { epoch, seq } } : { ok, facts };
}

function isWhole(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
