/**
 * Bodies that say who wrote them, so that every byte of a stream can be traced to one request.
 *
 * @module
 */

import type { Body } from "../../../stream/mod.ts";
import { sliceOf } from "../../../stream/mod.ts";
import type { SimRandom } from "../random.ts";

const encoder = new TextEncoder();

/** One body, however often a client had to send it. */
export interface Write {
  readonly id: number;
  readonly key: string;
  /** In stored form. */
  readonly bytes: Uint8Array;
  readonly json: boolean;
  /** Of each message: an append of JSON, or an append batch; undefined for one of bytes. */
  readonly lengths: readonly number[] | undefined;
  /** May it have been applied without an answer that says where? */
  maybe: boolean;
  /** By incarnation: the offset that an answer named. */
  readonly acknowledged: Map<string, number>;
}

/** A body for the state machine, in memory that nobody else uses. */
export function bodyOf(write: Write): Body {
  return { data: sliceOf(write.bytes.slice()), lengths: write.lengths };
}

/** Every so many writes of bytes are a batch of appends, which lands as a whole or not at all. */
const BATCH_EVERY = 4;

/** Lengths of the items that a body is cut into; undefined where it is a single append. */
function itemsOf(bytes: number, id: number): number[] | undefined {
  if (id % BATCH_EVERY !== 0) return undefined;
  const count = Math.min(2 + id % 7, bytes);
  const items = Array<number>(count).fill(Math.floor(bytes / count));
  items[count - 1] = bytes - (count - 1) * Math.floor(bytes / count);
  return items;
}

/** Makes writes, each with an id of its own. */
export class Writes {
  readonly #byId = new Map<number, Write>();

  /** A body of JSON messages, or of bytes. */
  draw(key: string, json: boolean, bytesMax: number, random: SimRandom): Write {
    const id = this.#byId.size + 1;
    const parts: Uint8Array[] = [];
    if (json) {
      const messages = 1 + random.below(random.chance(0.2) ? 12 : 3);
      const pad = "x".repeat(random.below(1 + bytesMax / messages));
      for (let at = 0; at < messages; at++) {
        parts.push(encoder.encode(`{"w":${id},"m":${at},"pad":"${pad}"},`));
      }
    } else {
      parts.push(encoder.encode(`#${id};${"abcdefgh".repeat(random.below(1 + bytesMax / 8))}`));
    }
    const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let end = 0;
    for (const part of parts) {
      bytes.set(part, end);
      end += part.length;
    }
    const write: Write = {
      id,
      key,
      bytes,
      json,
      lengths: json ? parts.map((part) => part.length) : itemsOf(bytes.length, id),
      maybe: false,
      acknowledged: new Map(),
    };
    this.#byId.set(id, write);
    return write;
  }

  /** The write whose body begins at `at`; undefined where none does. */
  find(bytes: Uint8Array, at: number): Write | undefined {
    const head = String.fromCharCode(...bytes.subarray(at, at + 24));
    const found = /^#(\d+);/.exec(head) ?? /^\{"w":(\d+),"m":0,/.exec(head);
    return found === null ? undefined : this.#byId.get(Number(found[1]));
  }
}
