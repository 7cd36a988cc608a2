/**
 * Raft messages as they go between nodes.
 *
 * A message is `[type][term]` and the type's fields, numbers as base-128, low bits first. Sender and
 * receiver are not in it: the link knows both. Times are cut to whole milliseconds, downwards, so
 * that a lease can only end earlier than it would have.
 *
 * @module
 */

import { decode, encode } from "cbor-x";
import type { Entry, MemberId, Membership, Message } from "../raft/mod.ts";
import { CommandPayload } from "./payload.ts";

/** Any message of a group's core. */
export type RaftMessage = Message<CommandPayload>;

/** Numbers of the message types; part of the format. */
const TYPES = [
  "pre_vote",
  "pre_vote_response",
  "vote",
  "vote_response",
  "append",
  "append_ack",
  "append_reject",
  "commit",
  "heartbeat",
  "heartbeat_response",
  "snapshot",
  "timeout_now",
  "read_index",
  "read_index_response",
] as const satisfies readonly RaftMessage["type"][];

const TYPE_NUMBERS = new Map(TYPES.map((type, number) => [type, number]));

const ENTRY_COMMAND = 0, ENTRY_NOOP = 1, ENTRY_MEMBERSHIP = 2;

const FIRST_BYTES = 64 * 1024;
/** A buffer that grew beyond this is not kept. */
const KEPT_BYTES_MAX = 1024 * 1024;
/** Bytes of the longest number. */
const NUMBER_BYTES_MAX = 8;

/** Collects messages of many groups into one buffer. */
export class WireWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #at = 0;

  /** Bytes collected. */
  get length(): number {
    return this.#at;
  }

  /** What was collected; valid until the next call of anything. Begins anew. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#at);
    this.#at = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = new Uint8Array(FIRST_BYTES);
    return taken;
  }

  /** Adds a message of a group: `[group][length][message]`. */
  add(group: number, message: RaftMessage): void {
    this.#reserve(4 * NUMBER_BYTES_MAX);
    this.#number(group);
    // The length stands in four bytes, as it is only known afterwards.
    const lengthAt = this.#at;
    this.#at += 4;
    this.#message(message);
    const length = this.#at - lengthAt - 4;
    const bytes = this.#bytes;
    bytes[lengthAt] = length >>> 24;
    bytes[lengthAt + 1] = length >>> 16;
    bytes[lengthAt + 2] = length >>> 8;
    bytes[lengthAt + 3] = length;
  }

  #message(message: RaftMessage): void {
    this.#reserve(8 * NUMBER_BYTES_MAX);
    this.#byte(TYPE_NUMBERS.get(message.type) as number); // every type has one
    this.#number(message.term);
    switch (message.type) {
      case "pre_vote":
        this.#number(message.lastIndex);
        return this.#number(message.lastTerm);
      case "vote":
        this.#number(message.lastIndex);
        this.#number(message.lastTerm);
        return this.#byte(message.transfer ? 1 : 0);
      case "pre_vote_response":
      case "vote_response":
        return this.#byte(message.granted ? 1 : 0);
      case "append":
        return this.#append(message);
      case "append_ack":
        return this.#number(message.match);
      case "append_reject":
        this.#number(message.rejected);
        this.#number(message.hintIndex);
        return this.#number(message.hintTerm);
      case "commit":
        return this.#number(message.commit);
      case "heartbeat":
        this.#number(message.round);
        this.#number(Math.max(0, Math.floor(message.sentMs)));
        return this.#number(message.commit);
      case "heartbeat_response":
        this.#number(message.round);
        this.#number(message.sentMs);
        return this.#byte(message.full ? 1 : 0);
      case "snapshot":
        this.#number(message.mark.index);
        this.#number(message.mark.term);
        return this.#blob(encode(message.mark.membership));
      case "timeout_now":
        return;
      case "read_index":
        return this.#number(message.id);
      case "read_index_response":
        this.#number(message.id);
        return this.#number(message.index);
    }
  }

  #append(message: Extract<RaftMessage, { type: "append" }>): void {
    const { entries } = message;
    this.#number(message.prevIndex);
    this.#number(message.prevTerm);
    this.#number(message.commit);
    this.#number(entries.length);
    for (const entry of entries) {
      this.#reserve(2 * NUMBER_BYTES_MAX);
      this.#number(entry.term);
      if (entry.kind === "command") {
        this.#byte(ENTRY_COMMAND);
        const { slab, start, end } = entry.payload.space;
        this.#number(end - start);
        this.#reserve(end - start);
        this.#bytes.set(slab.bytes.subarray(start, end), this.#at);
        this.#at += end - start;
      } else if (entry.kind === "noop") {
        this.#byte(ENTRY_NOOP);
      } else {
        this.#byte(ENTRY_MEMBERSHIP);
        this.#blob(encode(entry.membership));
      }
    }
  }

  #byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  #number(value: number): void {
    const bytes = this.#bytes;
    let rest = value;
    while (rest >= 0x80) {
      bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    bytes[this.#at++] = rest;
  }

  #blob(blob: Uint8Array): void {
    this.#reserve(NUMBER_BYTES_MAX + blob.length);
    this.#number(blob.length);
    this.#bytes.set(blob, this.#at);
    this.#at += blob.length;
  }

  #reserve(length: number): void {
    const needed = this.#at + length;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}

/** One group's message inside a batch, not read yet. */
export interface WireItem {
  readonly group: number;
  readonly bytes: Uint8Array;
}

/** Takes a batch apart. The items are views of `bytes`. @throws Error when it is malformed */
export function splitBatch(bytes: Uint8Array): WireItem[] {
  const reader = new WireReader(bytes);
  const items: WireItem[] = [];
  while (!reader.done) {
    const group = reader.number();
    items.push({ group, bytes: reader.bytes(reader.fixed()) });
  }
  return items;
}

/** Reads one message. Entries are views of `bytes`. @throws Error when it is malformed */
export function readMessage(bytes: Uint8Array, from: MemberId, to: MemberId): RaftMessage {
  const reader = new WireReader(bytes);
  const type = TYPES[reader.byte()];
  const term = reader.number();
  const message = readFields(reader, type, { from, to, term });
  if (message === undefined || !reader.done) throw malformed();
  return message;
}

function readFields(
  reader: WireReader,
  type: typeof TYPES[number] | undefined,
  envelope: { from: MemberId; to: MemberId; term: number },
): RaftMessage | undefined {
  switch (type) {
    case "pre_vote":
      return { type, ...envelope, lastIndex: reader.number(), lastTerm: reader.number() };
    case "vote": {
      const [lastIndex, lastTerm] = [reader.number(), reader.number()];
      return { type, ...envelope, lastIndex, lastTerm, transfer: reader.byte() === 1 };
    }
    case "pre_vote_response":
    case "vote_response":
      return { type, ...envelope, granted: reader.byte() === 1 };
    case "append":
      return readAppend(reader, envelope);
    case "append_ack":
      return { type, ...envelope, match: reader.number() };
    case "append_reject": {
      const [rejected, hintIndex] = [reader.number(), reader.number()];
      return { type, ...envelope, rejected, hintIndex, hintTerm: reader.number() };
    }
    case "commit":
      return { type, ...envelope, commit: reader.number() };
    case "heartbeat": {
      const [round, sentMs] = [reader.number(), reader.number()];
      return { type, ...envelope, round, sentMs, commit: reader.number() };
    }
    case "heartbeat_response": {
      const [round, sentMs] = [reader.number(), reader.number()];
      return { type, ...envelope, round, sentMs, full: reader.byte() === 1 };
    }
    case "snapshot": {
      const [index, term] = [reader.number(), reader.number()];
      return { type, ...envelope, mark: { index, term, membership: reader.membership() } };
    }
    case "timeout_now":
      return { type, ...envelope };
    case "read_index":
      return { type, ...envelope, id: reader.number() };
    case "read_index_response":
      return { type, ...envelope, id: reader.number(), index: reader.number() };
    case undefined:
      return undefined;
  }
}

function readAppend(
  reader: WireReader,
  { from, to, term }: { from: MemberId; to: MemberId; term: number },
): RaftMessage {
  const prevIndex = reader.number();
  const prevTerm = reader.number();
  const commit = reader.number();
  const count = reader.number();
  const entries: Entry<CommandPayload>[] = [];
  for (let index = prevIndex + 1; index <= prevIndex + count; index++) {
    entries.push(reader.entry(index));
  }
  return { type: "append", from, to, term, prevIndex, prevTerm, entries, commit };
}

class WireReader {
  #at = 0;
  readonly #bytes: Uint8Array;
  /** Shared by all entries of the batch. */
  readonly #slab: { readonly bytes: Uint8Array; live: number };

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#slab = { bytes, live: 0 };
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw malformed();
    return byte;
  }

  number(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < NUMBER_BYTES_MAX; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) throw malformed();
        return value;
      }
      scale *= 0x80;
    }
    throw malformed();
  }

  /** A length of four bytes. */
  fixed(): number {
    return ((this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte()) >>> 0;
  }

  bytes(length: number): Uint8Array {
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }

  membership(): Membership {
    return membershipOf(decode(this.bytes(this.number())));
  }

  entry(index: number): Entry<CommandPayload> {
    const term = this.number();
    switch (this.byte()) {
      case ENTRY_COMMAND: {
        const length = this.number();
        const start = this.#skip(length);
        const space = { slab: this.#slab, start, end: start + length };
        return { index, term, kind: "command", payload: CommandPayload.received(space) };
      }
      case ENTRY_NOOP:
        return { index, term, kind: "noop" };
      case ENTRY_MEMBERSHIP:
        return { index, term, kind: "membership", membership: this.membership() };
      default:
        throw malformed();
    }
  }

  #skip(length: number): number {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw malformed();
    this.#at += length;
    return start;
  }
}

/** What came as a membership, if it is one. */
function membershipOf(value: unknown): Membership {
  const { voters, outgoing, learners } = (value ?? {}) as Record<string, unknown>;
  if (!isMembers(voters) || !isMembers(outgoing) || !isMembers(learners)) throw malformed();
  return { voters, outgoing, learners };
}

function isMembers(value: unknown): value is MemberId[] {
  return Array.isArray(value) && value.every((id) => typeof id === "string");
}

function malformed(): Error {
  return new Error("malformed Raft message");
}
