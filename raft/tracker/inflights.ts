/**
 * The appends that went to one follower and were not acknowledged: a ring of their last indexes.
 *
 * Invariant: last indexes ascend from `#start` on; `entries` and `bytes` are the sums over the ring.
 */
export class Inflights {
  #last: number[] = [];
  #entries: number[] = [];
  #bytes: number[] = [];
  #start = 0;
  /** Entries under way. */
  entries = 0;
  /** Bytes under way. */
  bytes = 0;

  readonly #entriesMax: number;
  readonly #bytesMax: number;

  constructor(entriesMax: number, bytesMax: number) {
    this.#entriesMax = entriesMax;
    this.#bytesMax = bytesMax;
  }

  /** No more may be sent. */
  get full(): boolean {
    return this.entries >= this.#entriesMax || this.bytes >= this.#bytesMax;
  }

  /** Entries that may still be sent; at least one unless {@linkcode full}. */
  get entriesLeft(): number {
    return this.#entriesMax - this.entries;
  }

  /** Bytes that may still be sent. */
  get bytesLeft(): number {
    return this.#bytesMax - this.bytes;
  }

  /** An append of `entries` entries ending at `last` went out. */
  add(last: number, entries: number, bytes: number): void {
    this.#last.push(last);
    this.#entries.push(entries);
    this.#bytes.push(bytes);
    this.entries += entries;
    this.bytes += bytes;
  }

  /** Everything up to `match` arrived. */
  free(match: number): void {
    while (this.#start < this.#last.length && (this.#last[this.#start] ?? Infinity) <= match) {
      this.entries -= this.#entries[this.#start] ?? 0;
      this.bytes -= this.#bytes[this.#start] ?? 0;
      this.#start++;
    }
    if (this.#start === this.#last.length) {
      this.clear();
    } else if (this.#start > 64 && this.#start * 2 > this.#last.length) {
      this.#last.splice(0, this.#start);
      this.#entries.splice(0, this.#start);
      this.#bytes.splice(0, this.#start);
      this.#start = 0;
    }
  }

  /** Nothing is under way any more. */
  clear(): void {
    this.#last.length = this.#entries.length = this.#bytes.length = 0;
    this.#start = this.entries = this.bytes = 0;
  }
}
