/**
 * A run of blocks: what one request fetches, and what the cache keeps or drops as one.
 *
 * @module
 */

import { BLOCK_BYTES, type ColdObject } from "./object.ts";

/** Blocks `first` to `last` of an object, on their way or there. */
export class Run {
  /** What the blocks hold, once they are there. */
  payloads: readonly Uint8Array[] | undefined = undefined;
  /** Has the request begun, which brings memory along? */
  takesMemory = false;
  /** Readers that wait for it. */
  waiting = 0;
  /** Was it asked for by nobody yet? Then it is fetched though nobody waits. */
  readonly isAhead: boolean;
  readonly #aborting = new AbortController();
  readonly #settled = Promise.withResolvers<readonly Uint8Array[]>();

  constructor(
    readonly object: ColdObject,
    readonly key: string,
    readonly first: number,
    readonly last: number,
    isAhead: boolean,
  ) {
    this.isAhead = isAhead;
    // Whoever waits hears of a failure; often nobody does.
    this.#settled.promise.catch(() => {});
  }

  /** Memory that it takes, at most. */
  get bytes(): number {
    return (this.last - this.first + 1) * BLOCK_BYTES;
  }

  /** What ends the request. */
  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  /** Resolves when the blocks are there; rejects when they could not be fetched. */
  get settled(): Promise<readonly Uint8Array[]> {
    return this.#settled.promise;
  }

  /** The blocks have come. */
  resolve(payloads: readonly Uint8Array[]): void {
    this.payloads = payloads;
    this.#settled.resolve(payloads);
  }

  /** They will not come. */
  reject(error: unknown): void {
    this.#settled.reject(error);
  }

  /** Nobody wants it any more. */
  abort(reason: unknown): void {
    this.#aborting.abort(reason);
    this.#settled.reject(reason);
  }
}

/** What `outcome` gives, unless the signal says first that it is not wanted any more. */
export function unlessAborted<T>(
  outcome: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return outcome;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    const over = () => signal.removeEventListener("abort", abort);
    outcome.then((value) => {
      over();
      resolve(value);
    }, (error) => {
      over();
      reject(error);
    });
  });
}
