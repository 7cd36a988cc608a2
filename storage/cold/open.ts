/**
 * Opens the store that the configuration names.
 *
 * @module
 */

import type { Clock, Disk, Random } from "../../io/mod.ts";
import { FsColdStore } from "./fs.ts";
import { MemoryColdStore } from "./memory.ts";
import type { S3ColdStoreOptions } from "./s3.ts";
import type { ColdStore } from "./store.ts";

/** Where objects go; plain data, which travels to workers. */
export type ColdBackend =
  | { readonly kind: "memory" }
  /** `root`: absolute path of the folder. */
  | { readonly kind: "fs"; readonly root: string }
  | { readonly kind: "s3" } & Omit<S3ColdStoreOptions, "clock">;

/** The world that a store is opened in. */
export interface ColdIo {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: Random;
}

/**
 * Opens a store; asks nothing of it yet.
 * @throws RangeError when the options can't be those of a store
 */
export async function openColdStore(backend: ColdBackend, io: ColdIo): Promise<ColdStore> {
  switch (backend.kind) {
    case "memory":
      return new MemoryColdStore();
    case "fs":
      return new FsColdStore({ ...io, root: backend.root });
    case "s3": {
      const { openS3ColdStore } = await import("./s3.ts");
      return await openS3ColdStore({ ...backend, clock: io.clock });
    }
  }
}
