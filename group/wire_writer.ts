import { encode } from "cbor-x";
import { ENTRY_KINDS, MESSAGE_TYPES, NUMBER_BYTES_MAX, type RaftMessage } from "./wire.ts";

const TYPE_NUMBERS = new Map(MESSAGE_TYPES.map((type, number) => [type, number]));

const FIRST_BYTES = 64 * 1024;
/** A buffer that grew beyond this is not kept. */
const KEPT_BYTES_MAX = 1024 * 1024;

/** Payloads from here on are not copied into the buffer: who sends it copies it anyway. */
const LARGE_BYTES = 64 * 1024;

/** A payload that belongs into the buffer at a place. */
interface Insert {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Collects messages of many groups into one buffer. */
export class WireWriter {
  #bytes = new Uint8Array(FIRST_BYTES);
  #at = 0;
  #inserts: Insert[] = [];
  #insertedBytes = 0;

  /** Bytes collected. */
  get length(): number {
    return this.#at + this.#insertedBytes;
  }

  /** What was collected, in parts; valid until the next call of anything. Begins anew. */
  take(): Uint8Array[] {
    const parts: Uint8Array[] = [];
    let from = 0;
    for (const { at, bytes } of this.#inserts) {
      parts.push(this.#bytes.subarray(from, at), bytes);
      from = at;
    }
    parts.push(this.#bytes.subarray(from, this.#at));
    this.#at = 0;
    this.#inserts = [];
    this.#insertedBytes = 0;
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = new Uint8Array(FIRST_BYTES);
    return parts;
  }

  /** Adds a message of a group: `[group][length][message]`. */
  add(group: number, message: RaftMessage): void {
    this.#reserve(4 * NUMBER_BYTES_MAX);
    this.#number(group);
    // The length stands in four bytes, as it is only known afterwards.
    const lengthAt = this.#at;
    this.#at += 4;
    const before = this.length;
    this.#message(message);
    const length = this.length - before;
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
        this.#byte(ENTRY_KINDS.COMMAND);
        const { slab, start, end } = entry.payload.space;
        this.#number(end - start);
        this.#payload(slab.bytes.subarray(start, end));
      } else if (entry.kind === "noop") {
        this.#byte(ENTRY_KINDS.NOOP);
      } else {
        this.#byte(ENTRY_KINDS.MEMBERSHIP);
        this.#blob(encode(entry.membership));
      }
    }
  }

  #payload(payload: Uint8Array): void {
    if (payload.length >= LARGE_BYTES) {
      this.#inserts.push({ at: this.#at, bytes: payload });
      this.#insertedBytes += payload.length;
      return;
    }
    this.#reserve(payload.length);
    this.#bytes.set(payload, this.#at);
    this.#at += payload.length;
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
