/**
 * What one stream must hold, to the byte. It has one writer, who tells the model before a request
 * that changes the stream is sent, and after it was answered: live readers may see it in between.
 *
 * @module
 */

import { messageOf, snapshotOf } from "./content.ts";

/** A message by name, and where it lies. */
export interface Message {
  /** Life that it was first written in: another one than the stream's own where a fork inherits it. */
  readonly life: string;
  readonly n: number;
  readonly from: number;
  /** End, a separator included. */
  readonly to: number;
}

/** See the module's page. */
export class StreamModel {
  readonly path: string;
  /** Of this life of the path, found nowhere else. */
  readonly life: string;
  readonly json: boolean;
  /** As the server named it. */
  incarnation = "";
  /** All messages of the life, trimmed ones included: readers may still have to be compared. */
  readonly messages: Message[];
  /** End of what is acknowledged. */
  tail: number;
  /** Begin of what may be read. */
  earliest: number;
  /** The earliest offset that there may be: a publish may be under way. */
  earliestMax: number;
  /** Text of the published snapshot, which stands for all before `earliest`. */
  snapshot: string | undefined;
  /** Somebody has sent, or is about to send, a delete. */
  isEnding = false;
  /** A fork was made of it: its path stays taken after a delete for as long as the fork lives. */
  isForked = false;
  /** How many forks lead to it: each stays with the server for as long as one behind it lives. */
  readonly depth: number;
  /** Messages of this life that were acknowledged; the next one's number. */
  written = 0;
  #pending: Message | undefined;

  constructor(path: string, life: string, json: boolean, source?: StreamModel, offset = 0) {
    this.path = path;
    this.life = life;
    this.json = json;
    this.messages = source?.messages.filter(({ to }) => to <= offset) ?? [];
    this.depth = source === undefined ? 0 : source.depth + 1;
    this.tail = offset;
    this.earliest = source?.earliest ?? 0;
    this.earliestMax = this.earliest;
    this.snapshot = source?.snapshot;
  }

  /** A fork of this stream, which begins with what lies before `offset`, a message's end. */
  fork(path: string, life: string, offset: number): StreamModel {
    this.isForked = true;
    return new StreamModel(path, life, this.json, this, offset);
  }

  /** Text of the next message. Until {@linkcode acknowledge} it may be there or not. */
  append(): string {
    const text = messageOf(this.life, this.written, this.json);
    const to = this.tail + text.length + (this.json ? 1 : 0);
    this.#pending = { life: this.life, n: this.written, from: this.tail, to };
    return text;
  }

  /** What was appended is there. */
  acknowledge(): void {
    if (this.#pending === undefined) throw new Error(`${this.path}: nothing is pending`);
    this.messages.push(this.#pending);
    this.tail = this.#pending.to;
    this.written++;
    this.#pending = undefined;
  }

  /** Text of a snapshot for `offset`. Until {@linkcode published} it may be there or not. */
  publish(offset: number): string {
    this.earliestMax = offset;
    return snapshotOf(this.life, offset);
  }

  /** The snapshot is there, and what it stands for is gone. */
  published(offset: number): void {
    this.earliest = offset;
    this.snapshot = snapshotOf(this.life, offset);
  }

  /** Messages that may be read. */
  get readable(): readonly Message[] {
    return this.messages.slice(this.#indexAt(this.earliest));
  }

  /** Offsets at which a message begins or ends, that may be read from. */
  get boundaries(): readonly number[] {
    return [this.earliest, ...this.readable.map(({ to }) => to)];
  }

  /** What a message is. */
  textOf({ life, n }: Pick<Message, "life" | "n">): string {
    return messageOf(life, n, this.json);
  }

  /**
   * The body of a read that begins at one offset and ends at another; of JSON both are boundaries.
   * Undefined where nothing of the kind was ever written.
   */
  body(from: number, to: number): string | undefined {
    const known = this.#pending === undefined ? this.messages : [...this.messages, this.#pending];
    const end = known.at(-1)?.to ?? 0;
    if (from > to || to > end) return undefined;
    let index = this.#indexAt(from);
    const texts: string[] = [];
    for (let message = known[index]; message && message.from < to; message = known[++index]) {
      const text = this.textOf(message);
      if (this.json) {
        if (message.from < from || message.to > to) return undefined;
        texts.push(text);
      } else {
        texts.push(text.slice(Math.max(0, from - message.from), to - message.from));
      }
    }
    return this.json ? `[${texts.join(",")}]` : texts.join("");
  }

  /** Index of the first message that ends behind an offset. */
  #indexAt(offset: number): number {
    let [low, high] = [0, this.messages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.messages[middle] as Message).to <= offset) low = middle + 1; // it lies between the two
      else high = middle;
    }
    return low;
  }
}
