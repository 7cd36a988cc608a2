/**
 * Messages that carry the time at which they were sent, and the reader that finds it again.
 *
 * A stamp is `@` and 15 digits: microseconds on this process's monotonic clock, which is why the
 * writer and the readers of a scenario live in one process. A message is one stamp and filler, and
 * holds no other `@`. So deliveries are counted and timed in whatever framing a server chooses:
 * plain, chunked, or server-sent events.
 *
 * @module
 */

const AT = 0x40;
const ZERO = 0x30;
const DIGITS = 15;

/** Microseconds since this process began. */
export function nowMicros(): number {
  return performance.now() * 1000;
}

/** A message of exactly `bytes` bytes of ASCII text, stamped with `micros`. */
export function stamped(micros: number, bytes: number): string {
  return ("@" + Math.floor(micros).toString().padStart(DIGITS, "0")).padEnd(bytes, "x");
}

/** Latencies in microseconds, up to a fixed number of them. */
export class Latencies {
  readonly #values: Float64Array;
  #count = 0;

  constructor(max: number) {
    this.#values = new Float64Array(max);
  }

  /** How many were recorded, those beyond the maximum included. */
  get count(): number {
    return this.#count;
  }

  /** Records one. */
  add(micros: number): void {
    if (this.#count < this.#values.length) this.#values[this.#count] = micros;
    this.#count++;
  }

  /** Forgets all. */
  clear(): void {
    this.#count = 0;
  }

  /** The value below which `share` (0 to 1) of all lie, in milliseconds; NaN when there are none. */
  percentileMs(share: number): number {
    const sorted = this.#values.slice(0, Math.min(this.#count, this.#values.length)).sort();
    return (sorted[Math.floor((sorted.length - 1) * share)] ?? NaN) / 1000;
  }
}

/** Finds the stamps in one connection's bytes, also those cut in two by a packet's end. */
export class StampScanner {
  #digits = DIGITS;
  #micros = 0;

  /**
   * Records a latency for every stamp that `bytes[from, to)` completes.
   *
   * @param bytes has room for a byte at `to`, which holds the search's end meanwhile: `indexOf`
   * knows no end of its own, and a packet is far shorter than the buffer
   */
  scan(bytes: Uint8Array, from: number, to: number, into: Latencies): void {
    const behind = bytes[to] ?? 0;
    bytes[to] = AT;
    this.#scan(bytes, from, to, into);
    bytes[to] = behind;
  }

  #scan(bytes: Uint8Array, from: number, to: number, into: Latencies): void {
    let at = from;
    for (;;) {
      while (this.#digits < DIGITS && at < to) {
        this.#micros = this.#micros * 10 + (bytes[at++] ?? ZERO) - ZERO;
        if (++this.#digits === DIGITS) into.add(nowMicros() - this.#micros);
      }
      at = bytes.indexOf(AT, at);
      if (at >= to) return;
      at++;
      this.#digits = 0;
      this.#micros = 0;
    }
  }
}
