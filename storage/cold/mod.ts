/**
 * Objects outside the cluster's memory: where history lies that is no longer hot (SPEC section 9).
 *
 * How to use it, whoever flushes:
 *
 * ```ts
 * const object = { formation, group, number, term, bytes }; // a new number for new bytes
 * await putObject(store, object, pieces); // whole and durable, or repeat it
 * // ... commit a reference: number, term and bytes once, offset and length for each range
 * ```
 *
 * whoever reads, one reader for all objects of a store:
 *
 * ```ts
 * for await (const piece of reader.read(object, offset, length, { signal })) send(piece);
 * ```
 *
 * and whoever collects garbage, within its own group:
 *
 * ```ts
 * for await (const key of store.list(groupPrefix({ formation, group }))) consider(key);
 * await store.delete(key); // once the group has condemned it
 * ```
 *
 * - Bytes of a key never change. A put that failed may have happened; who repeats it puts the same.
 * - Nothing here tries again, waits for better times or logs: a {@linkcode ColdError} says what
 *   happened, and whoever called knows what that means.
 * - Where each node keeps its own copies, a damaged or missing one is put anew from a peer's:
 *   `store.put(key, size, checkedParts(peer, object, parts))`.
 * - `s3.ts` is not here: it brings the SDK along, and is imported where it is asked for.
 *
 * @module
 */

export { ColdError, type ColdErrorKind, type ColdErrorOptions } from "./error.ts";
export { FsColdStore, type FsColdStoreOptions, prepareColdFolder } from "./fs.ts";
export {
  type ColdObjectName,
  type ColdScope,
  formationPrefix,
  groupPrefix,
  objectKey,
  objectNameOf,
} from "./keys.ts";
export { MemoryColdStore } from "./memory.ts";
export { type ColdObject, storedBytes } from "./object.ts";
export { type ColdBackend, type ColdIo, openColdStore } from "./open.ts";
export { checkedParts, checkObject, storedParts } from "./object_reading.ts";
export { objectParts, putObject } from "./object_writing.ts";
export { storedRange } from "./object_range.ts";
export {
  ColdReader,
  type ColdReaderOptions,
  type ColdReaderUsage,
  type ColdReadOptions,
} from "./reader.ts";
export { unlessAborted } from "./run.ts";
export type { ByteParts, ColdStore } from "./store.ts";
