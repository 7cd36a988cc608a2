/**
 * Where objects lie, as an interface: `fs.ts`, `memory.ts` and `s3.ts` are its implementations, and
 * `contract_test.ts` is what they all do.
 *
 * An object is immutable: whoever puts a key again puts the same bytes. Callers thus repeat a put of
 * which they don't know what became of it, and use a new key for new bytes. No store tries anything
 * again by itself; every operation ends, with a {@linkcode ColdError} where the store is at fault.
 * One that is aborted rejects with the signal's reason.
 *
 * @module
 */

/** Bytes in pieces. */
export type ByteParts = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A place for objects. Keys and prefixes are of the form that `keys.ts` says. */
export interface ColdStore {
  /** For people to read, in messages: `s3://bucket/root`, `/data/cold`, `memory`. */
  readonly name: string;
  /** Do all nodes of a cluster see the same objects? Otherwise each node keeps its own copies. */
  readonly isShared: boolean;
  /**
   * Stores an object of `size` bytes; when this resolves it is whole and durable. When it rejects,
   * the object is there as a whole or not at all, and an older one of that key may still be there.
   * A part is taken before the next is asked for, and may be overwritten then.
   *
   * @throws ColdError `denied`, `no_bucket`, `unavailable`, `full`
   * @throws RangeError when `parts` are more or fewer bytes than `size`
   */
  put(key: string, size: number, parts: ByteParts, signal?: AbortSignal): Promise<void>;
  /**
   * The `length` bytes of an object from `start`, in memory of their own: all of them, or an error.
   *
   * @throws ColdError `not_found`, `denied`, `no_bucket`, `unavailable`; `corrupt` when the object
   *   ends before
   */
  get(key: string, start: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * Size of an object in bytes; undefined where there is none.
   * @throws ColdError `denied`, `no_bucket`, `unavailable`
   */
  size(key: string, signal?: AbortSignal): Promise<number | undefined>;
  /**
   * Removes an object; one that is not there is no error. On a disk, a power cut soon after may
   * bring it back.
   * @throws ColdError `denied`, `no_bucket`, `unavailable`
   */
  delete(key: string, signal?: AbortSignal): Promise<void>;
  /**
   * The keys that begin with `prefix`, as many as there are, in no particular order; each that was
   * there all the time exactly once.
   * @throws ColdError `denied`, `no_bucket`, `unavailable`
   */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<string>;
  /** Gives back what the store holds of the system; operations under way may fail. */
  close(): void;
}

/**
 * The parts of an object that shall have `size` bytes; stops between two when the signal says so.
 * @throws RangeError when they are more or fewer
 */
export async function* exactly(
  size: number,
  parts: ByteParts,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let left = size;
  for await (const part of parts) {
    signal?.throwIfAborted();
    left -= part.length;
    if (left < 0) throw new RangeError(`an object of ${size} bytes got ${-left} more or above`);
    yield part;
  }
  signal?.throwIfAborted();
  if (left > 0) throw new RangeError(`an object of ${size} bytes got ${left} fewer`);
}
