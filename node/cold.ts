/**
 * The cold tier of a node: what its shards are told of it, and what is done once a start, before
 * any of them opens.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { Clock, Disk, DiskLock, Random } from "../io/mod.ts";
import type { ColdSetup } from "../shard/mod.ts";
import {
  type ColdBackend,
  ColdError,
  type ColdStore,
  formationPrefix,
  openColdStore,
  prepareColdFolder,
} from "../storage/cold/mod.ts";
import { COLD_FOLDER, lockDirectory } from "../storage/identity.ts";
import type { Config } from "./config/mod.ts";
import type { Log } from "./log.ts";
import type { Store } from "./store.ts";

/** What of the configuration concerns the cold tier. */
export type NodeColdConfig = Pick<
  Config,
  | "cores"
  | "coldBackend"
  | "coldRoot"
  | "coldS3Bucket"
  | "coldS3Region"
  | "coldS3Endpoint"
  | "coldS3AccessKeyId"
  | "coldS3SecretAccessKey"
  | "coldS3SessionToken"
  | "coldFlushIntervalMs"
  | "coldFlushMinHotBytes"
  | "coldFlushMaxBytes"
  | "coldFlushMaxConcurrency"
  | "coldMaxHotBytesPerGroup"
  | "coldCacheBytes"
  | "bootstrapMaxAgeMs"
>;

/** The world that a node's cold tier is prepared in. */
export interface NodeColdIo {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: Random;
}

/** How long a start waits for a store that does not answer. */
const PROBE_MS_MAX = 5_000;

/** Where objects go; undefined for `none`. */
export function coldBackendOf(config: NodeColdConfig): ColdBackend | undefined {
  const { coldBackend, coldRoot } = config;
  switch (coldBackend) {
    case "none":
      return undefined;
    case "memory":
      return { kind: "memory" };
    case "fs":
      if (coldRoot === undefined) throw new Error("fs without a folder");
      return { kind: "fs", root: coldRoot };
    case "s3":
      if (config.coldS3Bucket === undefined) throw new Error("s3 without a bucket");
      return {
        kind: "s3",
        bucket: config.coldS3Bucket,
        root: coldRoot,
        region: config.coldS3Region,
        endpoint: config.coldS3Endpoint,
        accessKeyId: config.coldS3AccessKeyId,
        secretAccessKey: config.coldS3SecretAccessKey,
        sessionToken: config.coldS3SessionToken,
      };
  }
}

/**
 * What each shard of a node must know of the cold tier; undefined for `none`. What is bounded for
 * the whole node is shared out to the shards that have groups.
 *
 * @param store of a node that belongs to a formation
 */
export function coldSetupOf(
  config: NodeColdConfig,
  store: Pick<Store, "record" | "journalCount">,
): ColdSetup | undefined {
  const backend = coldBackendOf(config);
  if (backend === undefined) return undefined;
  if (store.record === undefined) throw new Error("a node without a formation has no objects");
  const shards = Math.min(config.cores, store.journalCount);
  return {
    backend,
    formation: store.record.id,
    flushIntervalMs: config.coldFlushIntervalMs,
    flushMinHotBytes: config.coldFlushMinHotBytes,
    flushMaxBytes: config.coldFlushMaxBytes,
    flushesMax: Math.max(1, Math.floor(config.coldFlushMaxConcurrency / shards)),
    hotBytesPerGroupMax: config.coldMaxHotBytesPerGroup,
    keepsMs: config.bootstrapMaxAgeMs,
    cacheBytesMax: Math.floor(config.coldCacheBytes / shards),
  };
}

/**
 * Sees to it that the shards may work: a folder is this node's alone and free of leftovers, a
 * bucket is there and lets this node in. A bucket that does not answer is worth a line: the node
 * serves what is hot without it.
 *
 * @returns what keeps other nodes off a folder
 * @throws ColdError when the bucket is not there or refuses this node; DiskError
 */
export async function prepareCold(
  config: NodeColdConfig,
  store: Pick<Store, "record" | "storeId" | "directory">,
  io: NodeColdIo,
  log: Log,
): Promise<DiskLock | undefined> {
  const backend = coldBackendOf(config);
  if (backend?.kind === "fs") return await prepareFolder(backend.root, store.directory, io, log);
  if (backend?.kind === "s3") {
    const cold = await openColdStore(backend, io);
    try {
      await probe(cold, store.record?.id ?? store.storeId, io.clock, log);
    } finally {
      cold.close();
    }
  }
  return undefined;
}

async function prepareFolder(
  root: string,
  directory: string | undefined,
  { disk }: NodeColdIo,
  log: Log,
): Promise<DiskLock> {
  if (directory !== undefined && `${directory}/`.startsWith(`${root}/`)) {
    throw new Error(
      `${root}: objects can't lie around the data directory; name a folder of its own`,
    );
  }
  const lock = await lockDirectory(disk, root, COLD_FOLDER);
  try {
    const leftovers = await prepareColdFolder(disk, root);
    if (leftovers > 0) {
      log("info", `${root}: swept ${leftovers} files that a crash left half-written`);
    }
    return lock;
  } catch (reason) {
    lock.release();
    throw reason;
  }
}

/**
 * A name of where objects lie by which nodes tell whether they look for them in the same place. Of a
 * bucket it is a hash, as it is told before the other end has proven who it is. The endpoint is left
 * out: nodes may reach one store by different addresses.
 */
export function coldStoreOf({ coldBackend, coldRoot, coldS3Bucket }: NodeColdConfig): string {
  if (coldBackend === "none") return "none";
  if (coldBackend !== "s3") return "own";
  const place = JSON.stringify([coldS3Bucket, foldersOf(coldRoot)]);
  return `shared-${createHash("sha256").update(place).digest("hex").slice(0, 16)}`;
}

/** Where objects lie, for people; undefined where there is nothing to find after the node. */
export function coldPlaceOf(
  { coldBackend, coldRoot, coldS3Bucket }: NodeColdConfig,
  { record }: Pick<Store, "record">,
): string | undefined {
  if (record === undefined || coldBackend === "none" || coldBackend === "memory") return undefined;
  const folders = [...foldersOf(coldRoot), record.id];
  return `${coldBackend === "s3" ? `s3://${coldS3Bucket}` : ""}/${folders.join("/")}/`;
}

function foldersOf(root: string | undefined): string[] {
  return (root ?? "").split("/").filter((folder) => folder !== "");
}

/** Asks the store one question that costs little. */
async function probe(cold: ColdStore, formation: string, clock: Clock, log: Log): Promise<void> {
  const late = new AbortController();
  const detail = `no answer within ${PROBE_MS_MAX} ms`;
  const timer = clock.setTimer(
    PROBE_MS_MAX,
    () => late.abort(new ColdError("unavailable", cold.name, undefined, detail)),
  );
  try {
    for await (const _key of cold.list(formationPrefix(formation), late.signal)) break;
  } catch (reason) {
    if (!(reason instanceof ColdError) || reason.kind !== "unavailable") throw reason;
    log("warn", `${reason.message}; going on without it: what is cold can't be read or written`);
  } finally {
    timer.cancel();
  }
}
