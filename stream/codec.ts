/**
 * Commands as the payload of a log entry.
 *
 * A payload is `[header length, 2 bytes, big-endian][header][message lengths][body]`. The header
 * is a CBOR array: version, kind, stamp, then the command's fields in a fixed order; what is absent
 * is `null`, or left out at the end. Message lengths stand outside because there may be millions:
 * each as a base-128 number, low bits first; the header says how many bytes they take, 0 where the
 * body is one message. The body is last, so that it is copied once, into the slab it stays in.
 *
 * @module
 */

import { CborReader, CborWriter } from "./cbor.ts";
import { decodeCbor, encodeCbor } from "./cbor_library.ts";
import { type Fields, fieldsOf, fromFields, KIND_NUMBERS } from "./command_fields.ts";
import { lengthsBytes, readLengths, writeLengths } from "./lengths.ts";
import type { AppendStream, Body, Command, Slab } from "./types.ts";

/** Version of the layout; a program refuses any other. */
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

const scratch = new CborWriter(new Uint8Array(4 + HEADER_BYTES_MAX));
const reader = new CborReader();

/**
 * All of the payload but the body's bytes, which follow it. Valid until the next call.
 *
 * @throws RangeError when the header would be too long
 */
export function encodeHeader(command: Command, stampMs: number): Uint8Array {
  const body = bodyOf(command);
  const lengths = body?.lengths !== undefined && body.lengths.length > 1 ? body.lengths : undefined;
  const extra = lengths === undefined ? 0 : lengthsBytes(lengths);
  const end = PREFIX_BYTES +
    (command.type === "append" && isShort(command)
      ? writeAppend(command, stampMs, extra)
      : writeAny(command, stampMs, extra));
  scratch.bytes[0] = (end - PREFIX_BYTES) >>> 8;
  scratch.bytes[1] = end - PREFIX_BYTES;
  if (lengths === undefined) return scratch.bytes.subarray(0, end);
  const all = new Uint8Array(end + extra);
  all.set(scratch.bytes.subarray(0, end));
  writeLengths(lengths, all, end);
  return all;
}

/** The bytes that follow the header in the payload; undefined where there are none. */
export function bodyOf(command: Command): Body | undefined {
  if (command.type !== "append" && command.type !== "create") return undefined;
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

/** Fields of an append behind version, kind and stamp, in order; the last ones may be left out. */
function writeAppend(command: AppendStream, stampMs: number, extra: number): number {
  const { producer, streamSeq, ifMatch, incarnation } = command;
  const count = incarnation !== undefined
    ? 13
    : ifMatch !== undefined
    ? 12
    : streamSeq !== undefined
    ? 11
    : producer !== undefined
    ? 10
    : extra > 0
    ? 7
    : 6;
  const out = scratch;
  out.at = PREFIX_BYTES;
  out.array(count);
  out.number(COMMAND_VERSION);
  out.number(KIND_NUMBERS.append);
  out.number(stampMs);
  out.text(command.key);
  writeOptionalText(command.contentType);
  out.number(command.closed ? CLOSED : 0);
  if (count > 6) out.number(extra);
  if (count > 7) {
    writeOptionalText(producer?.id);
    out.number(producer === undefined ? 0 : producer.epoch);
    out.number(producer === undefined ? 0 : producer.seq);
  }
  if (count > 10) writeOptionalText(streamSeq);
  if (count > 11) {
    if (ifMatch === undefined) out.none();
    else out.number(ifMatch);
  }
  if (count > 12) writeOptionalText(incarnation);
  return out.at - PREFIX_BYTES;
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
  scratch.bytes.set(header, PREFIX_BYTES);
  return header.length;
}

function readAny(slab: Slab, from: number, to: number, end: number): DecodedCommand {
  const header: unknown = decodeCbor(slab.bytes.subarray(from, to));
  if (!Array.isArray(header) || typeof header[2] !== "number") throw malformed("header");
  const [, kind, stampMs, ...fields] = header as [number, number, number, ...Fields];
  const command = fromFields(kind, fields, (extra) => readBody(slab, to, extra, end));
  if (command === undefined) throw new Error(`command of unknown kind ${kind}`);
  return { command, stampMs };
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

function writeOptionalText(text: string | undefined): void {
  if (text === undefined) scratch.none();
  else scratch.text(text);
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
