import type { TokenEntry } from "./auth_file.ts";
import type { Credentials } from "./credentials.ts";
import { BucketPatterns } from "./patterns.ts";

/** Words of a SHA-256. */
const WORDS = 8;

/** Tokens that are known by their hashes. */
export class StaticTokens {
  /** All hashes in a row, four bytes a word. */
  readonly #hashes: Int32Array;
  /** That of the token that is looked for. */
  readonly #shown = new Int32Array(WORDS);
  readonly #credentials: readonly Credentials[];

  constructor(entries: readonly TokenEntry[]) {
    this.#hashes = new Int32Array(entries.length * WORDS);
    entries.forEach(({ sha256 }, at) => {
      writeWords(this.#hashes, at * WORDS, String.fromCharCode(...sha256));
    });
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
   * The token with this hash, given as 32 characters of a byte each. Looks at every word of every hash, whatever is found on the way: how
   * long it takes says nothing of how much was right.
   */
  find(sha256: string): Credentials | undefined {
    const shown = this.#shown;
    const hashes = this.#hashes;
    writeWords(shown, 0, sha256);
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

function writeWords(into: Int32Array, at: number, bytes: string): void {
  for (let word = 0; word < WORDS; word++) {
    const from = 4 * word;
    into[at + word] = bytes.charCodeAt(from) | bytes.charCodeAt(from + 1) << 8 |
      bytes.charCodeAt(from + 2) << 16 | bytes.charCodeAt(from + 3) << 24;
  }
}
