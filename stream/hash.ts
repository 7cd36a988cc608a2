/**
 * A hash over all that a group replicates.
 *
 * @module
 */

import { encodeCbor } from "./cbor_library.ts";
import { freeze } from "./frozen.ts";
import { type Item, streamItems, tableItems } from "./items.ts";
import type { Tables } from "./tables.ts";

/** Two lanes of FNV-1a with different starts and primes: 64 bits, against accidents alone. */
class Hash {
  #a = 0x811c9dc5;
  #b = 0x9747b28c;

  /** Mixes bytes in. */
  add(bytes: Uint8Array): void {
    let a = this.#a, b = this.#b;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number; // i < length
      a = Math.imul(a ^ byte, 0x01000193);
      b = Math.imul(b ^ byte, 0x85ebca6b) ^ (b >>> 13);
    }
    this.#a = a;
    this.#b = b;
  }

  /** 16 hex digits. */
  digest(): string {
    return hex(this.#a) + hex(this.#b);
  }
}

/** See `GroupState.stateHash`. */
export function hashTables(tables: Tables): string {
  const hash = new Hash();
  const add = (item: Item) => hash.add(item instanceof Uint8Array ? item : encodeCbor(item));
  for (const item of tableItems(tables)) add(item);
  for (const stream of tables.streams.values()) {
    for (const item of streamItems(freeze(stream))) add(item);
  }
  return hash.digest();
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, "0");
}
