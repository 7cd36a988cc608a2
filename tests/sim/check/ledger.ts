/**
 * What is known of the bytes of every incarnation. An acknowledged append puts its bytes at the
 * offset that the answer named; whatever anybody reads puts them where they were read. No two may
 * ever disagree, and at the end every byte must be a request's, each at most once.
 *
 * @module
 */

import { Violation } from "../violation.ts";
import type { Write, Writes } from "./writes.ts";

/** One life of a stream. */
class Life {
  bytes = new Uint8Array(0);
  known = new Uint8Array(0);
  /** Bytes from its source; undefined where no answer said how it was made. */
  inherited: number | undefined;
  source: string | undefined;
  created = false;

  constructor(readonly key: string, readonly incarnation: string) {}

  put(from: number, bytes: Uint8Array, who: string): void {
    this.#grow(from + bytes.length);
    for (let at = 0; at < bytes.length; at++) {
      const position = from + at;
      if (this.known[position] === 1 && this.bytes[position] !== bytes[at]) {
        throw new Violation(
          "ledger",
          `${this.key} (${this.incarnation}): byte ${position} is another one in ${who}: ` +
            `...${text(bytes, at)} where there was ...${text(this.bytes, position)}`,
        );
      }
      this.known[position] = 1;
      this.bytes[position] = bytes[at] as number; // at < length
    }
  }

  /** Do both say the same of the first `length` bytes, as far as they know them? */
  agrees(other: Life, length: number): boolean {
    for (let at = 0; at < length; at++) {
      if (this.known[at] === 1 && other.known[at] === 1 && this.bytes[at] !== other.bytes[at]) {
        return false;
      }
    }
    return true;
  }

  #grow(length: number): void {
    if (length <= this.bytes.length) return;
    const bytes = new Uint8Array(2 * length);
    const known = new Uint8Array(2 * length);
    bytes.set(this.bytes);
    known.set(this.known);
    this.bytes = bytes;
    this.known = known;
  }
}

/** All incarnations of a run. */
export class Ledger {
  readonly #writes: Writes;
  readonly #lives = new Map<string, Life>();
  readonly #maybeMade = new Set<string>();
  /** By key: sources of forks of which nobody knows whether they were made, and where they cut. */
  readonly #maybeForks = new Map<string, { source: string; cut: number | undefined }[]>();

  /** @param writes those that may have been sent */
  constructor(writes: Writes) {
    this.#writes = writes;
  }

  /** An answer said that a create made this incarnation. */
  created(key: string, incarnation: string): void {
    const life = this.#of(key, incarnation);
    if (life.created) {
      throw new Violation("ledger", `${key} was created as ${incarnation}, which was used before`);
    }
    life.created = true;
    life.inherited = 0;
  }

  /**
   * A fork is asked for: it may be seen before the answer, or though there never is one.
   * @param cut bytes it would inherit, where the request alone tells
   */
  maybeForked(key: string, source: string, cut: number | undefined): void {
    const known = this.#maybeForks.get(key) ?? [];
    known.push({ source, cut });
    this.#maybeForks.set(key, known);
  }

  /** A create was never answered: there may be an incarnation that nobody has heard of. */
  maybeMade(key: string): void {
    this.#maybeMade.add(key);
  }

  /** An incarnation took its first bytes over from a source. */
  inherited(key: string, incarnation: string, source: string, bytes: number): void {
    const life = this.#of(key, incarnation);
    life.source = source;
    life.inherited = bytes;
  }

  /** An answer said that the write's last byte lies before `end`. */
  acknowledged(write: Write, incarnation: string, end: number): void {
    const start = end - write.bytes.length;
    if (start < 0) throw new Violation("ledger", `write ${write.id} ends at ${end}`);
    this.#of(write.key, incarnation).put(start, write.bytes, `write ${write.id}`);
    const before = write.acknowledged.get(incarnation);
    if (before !== undefined && before !== start) {
      throw new Violation("ledger", `write ${write.id} was appended at ${before} and at ${start}`);
    }
    write.acknowledged.set(incarnation, start);
  }

  /** Somebody read these bytes there. */
  read(key: string, incarnation: string, from: number, bytes: Uint8Array, who: string): void {
    this.#of(key, incarnation).put(from, bytes, who);
  }

  /** All bytes of an incarnation up to its tail have been read: traces each to its request. */
  whole(key: string, incarnation: string, tail: number): void {
    const life = this.#of(key, incarnation);
    let at = life.inherited ?? this.#findOrigin(life, tail);
    if (life.source !== undefined) this.#checkSource(life);
    const seen = new Set<number>();
    while (at < tail) {
      const write = this.#writes.find(life.bytes, at);
      if (write === undefined || write.key !== key) {
        throw this.#wrong(life, `nobody wrote what begins at ${at}: ${text(life.bytes, at)}`);
      }
      if (seen.has(write.id)) throw this.#wrong(life, `write ${write.id} is there twice`);
      seen.add(write.id);
      const said = write.acknowledged.get(incarnation);
      if (said !== undefined && said !== at) {
        throw this.#wrong(life, `write ${write.id} is at ${at}, not at ${said}`);
      }
      if (said === undefined && !write.maybe) {
        throw this.#wrong(life, `write ${write.id} was refused, and is there`);
      }
      life.put(at, write.bytes, `write ${write.id}`);
      at += write.bytes.length;
    }
    if (at !== tail) throw this.#wrong(life, `the last write ends at ${at}, the stream at ${tail}`);
  }

  /**
   * Nobody was told how it was made: does it begin as a plain stream does, or as some fork would?
   * Answers how many bytes it took over.
   */
  #findOrigin(life: Life, tail: number): number {
    let own = 0;
    while (own < tail && this.#writes.find(life.bytes, own)?.key !== life.key) own++;
    if (own === 0) return 0;
    for (const { source, cut = own } of this.#maybeForks.get(life.key) ?? []) {
      const fits = cut === tail || this.#writes.find(life.bytes, cut)?.key === life.key;
      if (fits && this.#hasSource(life, source, cut)) return cut;
    }
    throw this.#wrong(life, `nobody wrote its beginning: ${text(life.bytes, 0)}`);
  }

  /** A fork's beginning is that of some incarnation of its source. */
  #checkSource(fork: Life): void {
    if (this.#hasSource(fork, fork.source ?? "", fork.inherited ?? 0)) return;
    throw this.#wrong(fork, `its first ${fork.inherited} bytes are not those of ${fork.source}`);
  }

  #hasSource(fork: Life, source: string, length: number): boolean {
    if (length === 0 || this.#maybeMade.has(source)) return true;
    for (const life of this.#lives.values()) {
      if (life.key === source && life.agrees(fork, length)) return true;
    }
    return false;
  }

  #of(key: string, incarnation: string): Life {
    let life = this.#lives.get(incarnation);
    if (life === undefined) this.#lives.set(incarnation, life = new Life(key, incarnation));
    if (life.key !== key) {
      throw new Violation("ledger", `${key} and ${life.key} are both ${incarnation}`);
    }
    return life;
  }

  #wrong(life: Life, detail: string): Violation {
    return new Violation("ledger", `${life.key} (${life.incarnation}): ${detail}`);
  }
}

function text(bytes: Uint8Array, at: number): string {
  return JSON.stringify(String.fromCharCode(...bytes.subarray(at, at + 24)));
}
