/**
 * Randomness that follows a seed.
 *
 * @module
 */

import type { Random } from "../../io/mod.ts";

/**
 * The generator xoshiro128** 1.1 (Blackman and Vigna), its state filled from the seed by
 * SplitMix32. The same seed gives the same numbers on every machine.
 */
export class SimRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param seed any integer; its low 32 bits count */
  constructor(readonly seed: number) {
    let state = seed >>> 0;
    const mixed = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let word = state;
      word = Math.imul(word ^ (word >>> 16), 0x21f0aaad);
      word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
      return (word ^ (word >>> 15)) >>> 0;
    };
    this.#a = mixed();
    this.#b = mixed();
    this.#c = mixed();
    this.#d = mixed();
  }

  next(): number {
    return this.#word() / 2 ** 32;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at++) bytes[at] = this.#word() >>> 24;
    return bytes;
  }

  /** A whole number in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  /** True once in `1 / probability` calls. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A generator of its own, so that one more draw in one part leaves the others' as they were. */
  fork(): SimRandom {
    return new SimRandom(this.#word());
  }

  #word(): number {
    const scrambled = Math.imul(rotated(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotated(this.#d, 11);
    return scrambled;
  }
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
