/**
 * Commands as the payload of a log entry.
 *
 * A payload is `[header length, 2 bytes, big-endian][header][message lengths][body]`. The header
 * is a CBOR array: version, kind, stamp, then the command's fields in a fixed order; what is absent
 * is `null`, or left out at the end. Message lengths stand outside because there may be millions:
 * each as a base-128 number, low bits first; the header says how many bytes they take, 0 where the
 * body is one message. The body is last, so that it is copied once, into the slab it stays in.
 * Commands of the cold tier have rows instead, see `cold_fields.ts`.
 *
 * A command has the lowest version that can say what it says, so that nodes of another program
 * take part as long as nothing newer is asked for.
 *
 * @module
 */

import { CborReader, CborWriter, numberBytes, textBytes } from "./cbor.ts";
import { decodeCbor, encodeCbor } from "./cbor_library.ts";
import { type ColdCommand, coldRowsOf, isColdCommand } from "./cold_fields.ts";
import { type Fields, fieldsOf, fromFields, KIND_NUMBERS } from "./command_fields.ts";
import { lengthsBytes, readLengths, writeLengths } from "./lengths.ts";
import type { AppendStream, Body, Command, Slab } from "./types.ts";

/** Version of the layout of commands. */
export const COMMAND_VERSION = 1;

/** Keys that one `touch` or `expire` may name, so that its header stays within 2 bytes of length. */
export const KEYS_PER_COMMAND_MAX = 60;

/** Longest header, in bytes. */
export const HEADER_BYTES_MAX = 0xffff;

/** A decoded entry. */
export interface DecodedCommand {
  readonly command: Command;
  readonly stampMs: number;
}

const PREFIX_BYTES = 2;

/** Characters of an append's texts up to which its header surely fits the scratch. */
const SHORT_TEXTS = 16 * 1024;

const CLOSED = 1;

const scratch = new Uint8Array(4 + HEADER_BYTES_MAX);
const scratchWriter = new CborWriter(scratch);
/** For where headers were written last: mostly the slab that the next one goes to as well. */
let placeWriter = scratchWriter;
const reader = new CborReader();

/**
 * All of the payload but the body's bytes, which follow it. Valid until the next call.
 *
 * @throws RangeError when the header would be too long
 */
export function encodeHeader(command: Command, stampMs: number): Uint8Array {
  if (isColdCommand(command)) return withRows(command, stampMs);
  const lengths = lengthsOf(command);
  const extra = lengths === undefined ? 0 : lengthsBytes(lengths);
  let end = PREFIX_BYTES;
  if (command.type === "append" && isShort(command)) {
    scratchWriter.at = PREFIX_BYTES;
    writeAppend(scratchWriter, command, stampMs, extra);
    end = scratchWriter.at;
  } else {
    end += writeAny(command, stampMs, extra);
  }
  writePrefix(scratch, 0, end);
  if (lengths === undefined) return scratch.subarray(0, end);
  const all = new Uint8Array(end + extra);
  all.set(scratch.subarray(0, end));
  writeLengths(lengths, all, end);
  return all;
}

function withRows(command: ColdCommand, stampMs: number): Uint8Array {
  const rows = encodeCbor(coldRowsOf(command)).slice();
  const end = PREFIX_BYTES + writeAny(command, stampMs, 0);
  writePrefix(scratch, 0, end);
  const all = new Uint8Array(end + rows.length);
  all.set(scratch.subarray(0, end));
  all.set(rows, end);
  return all;
}

/**
 * How long {@linkcode encodeHeader}'s answer is; for {@linkcode writeHeader}.
 *
 * @throws RangeError when the header would be too long
 */
export function headerLength(command: Command, stampMs: number): number {
  if (command.type !== "append" || !isShort(command)) return encodeHeader(command, stampMs).length;
  const lengths = lengthsOf(command);
  const extra = lengths === undefined ? 0 : lengthsBytes(lengths);
  return PREFIX_BYTES + appendBytes(command, stampMs, extra) + extra;
}

/** Writes what {@linkcode encodeHeader} answers to where it stays: an append's without a copy. */
export function writeHeader(
  command: Command,
  stampMs: number,
  bytes: Uint8Array,
  at: number,
): void {
  if (command.type !== "append" || !isShort(command)) {
    return bytes.set(encodeHeader(command, stampMs), at);
  }
  const lengths = lengthsOf(command);
  if (placeWriter.bytes !== bytes) placeWriter = new CborWriter(bytes);
  const out = placeWriter;
  out.at = at + PREFIX_BYTES;
  writeAppend(out, command, stampMs, lengths === undefined ? 0 : lengthsBytes(lengths));
  writePrefix(bytes, at, out.at);
  if (lengths !== undefined) writeLengths(lengths, bytes, out.at);
}

/** The length of a header that begins at `at` and ends at `end`. */
function writePrefix(bytes: Uint8Array, at: number, end: number): void {
  const length = end - at - PREFIX_BYTES;
  bytes[at] = length >>> 8;
  bytes[at + 1] = length;
}

/** Lengths of messages, where there are several. */
function lengthsOf(command: Command): Body["lengths"] {
  const lengths = bodyOf(command)?.lengths;
  return lengths !== undefined && lengths.length > 1 ? lengths : undefined;
}

/** The bytes that follow the header in the payload; undefined where there are none. */
export function bodyOf(command: Command): Body | undefined {
  const { type } = command;
  if (type !== "append" && type !== "create" && type !== "stage") return undefined;
  const { body } = command;
  return body === undefined || body.data.start === body.data.end ? undefined : body;
}

/**
 * Reads the payload in `slab` from `start` to `end`; a body is a slice of that slab, not retained.
 *
 * @throws Error when version, kind or layout are unknown
 */
export function decode(slab: Slab, start: number, end: number): DecodedCommand {
  const { bytes } = slab;
  const from = start + PREFIX_BYTES;
  const to = from + (bytes[start] ?? 0) * 256 + (bytes[start + 1] ?? 0);
  if (from > end || to > end) throw malformed("header");
  reader.seek(bytes, from);
  const fields = reader.array();
  const version = reader.number();
  if (!(fields >= 3) || version !== COMMAND_VERSION) {
    throw new Error(`command of version ${version}; this program reads ${COMMAND_VERSION}`);
  }
  if (reader.number() === KIND_NUMBERS.append) return readAppend(fields, slab, to, end);
  return readAny(slab, from, to, end);
}

/** Fields of an append, version, kind and stamp included; the last ones may be left out. */
function fieldCount(command: AppendStream, extra: number): number {
  if (command.incarnation !== undefined) return 13;
  if (command.ifMatch !== undefined) return 12;
  if (command.streamSeq !== undefined) return 11;
  if (command.producer !== undefined) return 10;
  return extra > 0 ? 7 : 6;
}

function writeAppend(
  out: CborWriter,
  command: AppendStream,
  stampMs: number,
  extra: number,
): void {
  const { producer, streamSeq, ifMatch, incarnation } = command;
  const count = fieldCount(command, extra);
  out.array(count);
  out.number(COMMAND_VERSION);
  out.number(KIND_NUMBERS.append);
  out.number(stampMs);
  out.text(command.key);
  writeOptionalText(out, command.contentType);
  out.number(command.closed ? CLOSED : 0);
  if (count > 6) out.number(extra);
  if (count > 7) {
    writeOptionalText(out, producer?.id);
    out.number(producer === undefined ? 0 : producer.epoch);
    out.number(producer === undefined ? 0 : producer.seq);
  }
  if (count > 10) writeOptionalText(out, streamSeq);
  if (count > 11) {
    if (ifMatch === undefined) out.none();
    else out.number(ifMatch);
  }
  if (count > 12) writeOptionalText(out, incarnation);
}

/** What {@linkcode writeAppend} takes. */
function appendBytes(command: AppendStream, stampMs: number, extra: number): number {
  const { producer, streamSeq, ifMatch, incarnation } = command;
  const count = fieldCount(command, extra);
  // The array's head, version, kind and flags take a byte each.
  let bytes = 4 + numberBytes(stampMs) + textBytes(command.key) +
    optionalTextBytes(command.contentType);
  if (count > 6) bytes += numberBytes(extra);
  if (count > 7) {
    bytes += optionalTextBytes(producer?.id);
    bytes += producer === undefined ? 2 : numberBytes(producer.epoch) + numberBytes(producer.seq);
  }
  if (count > 10) bytes += optionalTextBytes(streamSeq);
  if (count > 11) bytes += ifMatch === undefined ? 1 : numberBytes(ifMatch);
  if (count > 12) bytes += optionalTextBytes(incarnation);
  return bytes;
}

function readAppend(fields: number, slab: Slab, to: number, end: number): DecodedCommand {
  const stampMs = reader.number();
  const key = reader.text();
  const contentType = reader.text();
  const flags = reader.number();
  const extra = fields > 6 ? reader.number() : 0;
  const id = fields > 7 ? reader.text() : undefined;
  const epoch = fields > 7 ? reader.number() : 0;
  const seq = fields > 7 ? reader.number() : 0;
  const streamSeq = fields > 10 ? reader.text() : undefined;
  const ifMatch = fields > 11 ? reader.optionalNumber() : undefined;
  const incarnation = fields > 12 ? reader.text() : undefined;
  const whole = reader.at === to && key !== undefined &&
    !Number.isNaN(stampMs + flags + extra + epoch + seq + (ifMatch ?? 0));
  if (!whole) throw malformed("append");
  const command: AppendStream = {
    type: "append",
    key,
    contentType,
    body: readBody(slab, to, extra, end),
    closed: (flags & CLOSED) !== 0,
    producer: id === undefined ? undefined : { id, epoch, seq },
    streamSeq,
    ifMatch,
    incarnation,
  };
  return { command, stampMs };
}

function writeAny(command: Command, stampMs: number, extra: number): number {
  const fields = [
    COMMAND_VERSION,
    KIND_NUMBERS[command.type],
    stampMs,
    ...fieldsOf(command, extra),
  ];
  while (fields[fields.length - 1] === null) fields.pop();
  const header = encodeCbor(fields);
  if (header.length > HEADER_BYTES_MAX) {
    throw new RangeError(`command header of ${header.length} bytes; at most ${HEADER_BYTES_MAX}`);
  }
  scratch.set(header, PREFIX_BYTES);
  return header.length;
}

function readAny(slab: Slab, from: number, to: number, end: number): DecodedCommand {
  const header: unknown = decodeCbor(slab.bytes.subarray(from, to));
  if (!Array.isArray(header) || typeof header[2] !== "number") throw malformed("header");
  const [, kind, stampMs, ...fields] = header as [number, number, number, ...Fields];
  const body = (extra: number) => readBody(slab, to, extra, end);
  const command = fromFields(kind, fields, body, () => readRows(slab, to, end));
  if (command === undefined) throw new Error(`command of unknown kind ${kind}`);
  return { command, stampMs };
}

function readRows(slab: Slab, from: number, end: number): unknown[] {
  const rows: unknown = decodeCbor(slab.bytes.subarray(from, end));
  if (!Array.isArray(rows)) throw malformed("rows");
  return rows;
}

function readBody(slab: Slab, from: number, extra: number, end: number): Body | undefined {
  const start = from + extra;
  if (start > end || (start === end && extra > 0)) throw malformed("message lengths");
  if (start === end) return undefined;
  const data = { slab, start, end };
  if (extra === 0) return { data };
  const lengths = readLengths(slab.bytes, from, start, end - start);
  if (lengths === undefined) throw malformed("message lengths");
  return { data, lengths };
}

function writeOptionalText(out: CborWriter, text: string | undefined): void {
  if (text === undefined) out.none();
  else out.text(text);
}

function optionalTextBytes(text: string | undefined): number {
  return text === undefined ? 1 : textBytes(text);
}

function isShort(command: AppendStream): boolean {
  const { key, contentType, producer, streamSeq, incarnation } = command;
  const texts = key.length + (contentType?.length ?? 0) + (producer?.id.length ?? 0) +
    (streamSeq?.length ?? 0) + (incarnation?.length ?? 0);
  return texts < SHORT_TEXTS;
}

function malformed(what: string): Error {
  return new Error(`malformed command: ${what}`);
}
