/** A read that waits for its turn. */
interface Waiter {
  readonly bytes: number;
  readonly go: () => void;
}

/**
 * Bounds the bytes of reads under way: who does not fit waits, in order. A read that is larger than
 * the bound goes alone.
 */
export class ReadSlots {
  readonly #bytesMax: number;
  readonly #waitersMax: number;
  readonly #waiting = new Set<Waiter>();
  #bytes = 0;

  constructor(bytesMax: number, waitersMax: number) {
    this.#bytesMax = bytesMax;
    this.#waitersMax = waitersMax;
  }

  /** Bytes of reads under way. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Reads that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** May nobody wait any more? */
  get isFull(): boolean {
    return this.#waiting.size >= this.#waitersMax;
  }

  /** Lets a read of so many bytes begin, unless it has to wait; {@linkcode ReadSlots.leave} ends it. */
  tryEnter(bytes: number): boolean {
    if (this.#waiting.size > 0 || !this.#fits(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  /** Waits until a read of so many bytes may begin. Rejects with the signal's reason. */
  enter(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.tryEnter(bytes)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
        this.#next();
      };
      const waiter: Waiter = {
        bytes,
        go() {
          signal.removeEventListener("abort", stop);
          resolve();
        },
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener("abort", stop, { once: true });
      this.#waiting.add(waiter);
    });
  }

  /** A read of so many bytes is over. */
  leave(bytes: number): void {
    this.#bytes -= bytes;
    this.#next();
  }

  #fits(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#bytesMax;
  }

  #next(): void {
    for (const waiter of this.#waiting) {
      if (!this.#fits(waiter.bytes)) return;
      this.#waiting.delete(waiter);
      this.#bytes += waiter.bytes;
      waiter.go();
    }
  }
}
