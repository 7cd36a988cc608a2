import type { TokenEntry } from "./auth_file.ts";
import type { Credentials } from "./credentials.ts";
import { BucketPatterns } from "./patterns.ts";

/** Words of a SHA-256. */
const WORDS = 8;

/** Tokens that are known by their hashes. */
export class StaticTokens {
  /** All hashes in a row. */
  readonly #hashes: Uint32Array;
  readonly #credentials: readonly Credentials[];

  constructor(entries: readonly TokenEntry[]) {
    const bytes = new Uint8Array(entries.length * WORDS * 4);
    entries.forEach(({ sha256 }, at) => bytes.set(sha256, at * WORDS * 4));
    this.#hashes = new Uint32Array(bytes.buffer);
    this.#credentials = entries.map(({ name, scopes, buckets, expiresAtMs }) => ({
      name,
      scopes,
      buckets: [new BucketPatterns(buckets)],
      expiresAtMs,
    }));
  }

  /** How many there are. */
  get count(): number {
    return this.#credentials.length;
  }

  /**
   * The token with this hash. Looks at every word of every hash, whatever is found on the way: how
   * long it takes says nothing of how much was right.
   */
  find(sha256: Uint8Array): Credentials | undefined {
    const shown = new Uint32Array(sha256.slice().buffer);
    const hashes = this.#hashes;
    let found = -1;
    for (let token = 0; token < this.#credentials.length; token++) {
      let difference = 0;
      for (let word = 0; word < WORDS; word++) {
        // Both are there: shown has 8 words, the hashes 8 for each token.
        difference |= (hashes[token * WORDS + word] as number) ^ (shown[word] as number);
      }
      // Without a branch: all ones where nothing differs, else 0.
      const isSame = ~((difference | -difference) >> 31);
      found = (found & ~isSame) | (token & isSame);
    }
    return this.#credentials[found];
  }
}
