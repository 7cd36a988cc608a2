import { decode } from "cbor-x";
import type { Entry, MemberId, Membership } from "../raft/mod.ts";
import { type Slab, type Slice, sliceOf } from "../stream/mod.ts";
import { CommandPayload } from "./payload.ts";
import { ENTRY_KINDS, MESSAGE_TYPES, NUMBER_BYTES_MAX, type RaftMessage } from "./wire.ts";

/** One group's message inside a batch, not read yet: a view of its own would cost as much. */
export interface WireItem extends Slice {
  readonly group: number;
}

/** A message that stands alone in `bytes`. */
export function wholeItem(group: number, bytes: Uint8Array): WireItem {
  return { group, ...sliceOf(bytes) };
}

/** Takes a batch apart. @throws Error when it is malformed */
export function splitBatch(bytes: Uint8Array): WireItem[] {
  const whole = sliceOf(bytes);
  const { slab } = whole;
  const reader = new WireReader(whole);
  const items: WireItem[] = [];
  while (!reader.done) {
    const group = reader.number();
    const length = reader.fixed();
    const start = reader.skip(length);
    items.push({ group, slab, start, end: start + length });
  }
  return items;
}

/** Reads one message. Entries are slices of the batch. @throws Error when it is malformed */
export function readMessage(item: WireItem, from: MemberId, to: MemberId): RaftMessage {
  const reader = new WireReader(item);
  const type = MESSAGE_TYPES[reader.byte()];
  const term = reader.number();
  const message = readFields(reader, type, from, to, term);
  if (message === undefined || !reader.done) throw malformed();
  return message;
}

/** Each message in one literal: spreading what they share takes as long as all the rest. */
function readFields(
  reader: WireReader,
  type: typeof MESSAGE_TYPES[number] | undefined,
  from: MemberId,
  to: MemberId,
  term: number,
): RaftMessage | undefined {
  switch (type) {
    case "pre_vote":
      return { type, from, to, term, lastIndex: reader.number(), lastTerm: reader.number() };
    case "vote": {
      const [lastIndex, lastTerm] = [reader.number(), reader.number()];
      return { type, from, to, term, lastIndex, lastTerm, transfer: reader.byte() === 1 };
    }
    case "pre_vote_response":
    case "vote_response":
      return { type, from, to, term, granted: reader.byte() === 1 };
    case "append":
      return readAppend(reader, from, to, term);
    case "append_ack":
      return { type, from, to, term, match: reader.number() };
    case "append_reject": {
      const [rejected, hintIndex] = [reader.number(), reader.number()];
      return { type, from, to, term, rejected, hintIndex, hintTerm: reader.number() };
    }
    case "commit":
      return { type, from, to, term, commit: reader.number() };
    case "heartbeat": {
      const [round, sentMs] = [reader.number(), reader.number()];
      return { type, from, to, term, round, sentMs, commit: reader.number() };
    }
    case "heartbeat_response": {
      const [round, sentMs] = [reader.number(), reader.number()];
      return { type, from, to, term, round, sentMs, full: reader.byte() === 1 };
    }
    case "snapshot": {
      const [index, markTerm] = [reader.number(), reader.number()];
      const mark = { index, term: markTerm, membership: reader.membership() };
      return { type, from, to, term, mark };
    }
    case "timeout_now":
      return { type, from, to, term };
    case "read_index":
      return { type, from, to, term, id: reader.number() };
    case "read_index_response":
      return { type, from, to, term, id: reader.number(), index: reader.number() };
    case undefined:
      return undefined;
  }
}

function readAppend(
  reader: WireReader,
  from: MemberId,
  to: MemberId,
  term: number,
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
  readonly #slab: Slab;
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor({ slab, start, end }: Slice) {
    this.#slab = slab;
    this.#bytes = slab.bytes;
    this.#at = start;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at === this.#end;
  }

  byte(): number {
    if (this.#at >= this.#end) throw malformed();
    return this.#bytes[this.#at++] as number; // in bounds
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

  /** Goes on behind what begins here, and answers where that is. */
  skip(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw malformed();
    this.#at += length;
    return start;
  }

  membership(): Membership {
    const length = this.number();
    const start = this.skip(length);
    return membershipOf(decode(this.#bytes.subarray(start, start + length)));
  }

  entry(index: number): Entry<CommandPayload> {
    const term = this.number();
    switch (this.byte()) {
      case ENTRY_KINDS.COMMAND: {
        const length = this.number();
        const start = this.skip(length);
        const space = { slab: this.#slab, start, end: start + length };
        return { index, term, kind: "command", payload: CommandPayload.received(space) };
      }
      case ENTRY_KINDS.NOOP:
        return { index, term, kind: "noop" };
      case ENTRY_KINDS.MEMBERSHIP:
        return { index, term, kind: "membership", membership: this.membership() };
      default:
        throw malformed();
    }
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
