import type { DiskLock } from "../io/mod.ts";
import {
  checkIdentity,
  type Identity,
  lockDirectory,
  mayHaveLostWrites,
  readIdentity,
  writeIdentity,
} from "../storage/identity.ts";
import type { Config } from "./config/mod.ts";
import type { Io } from "./runtime.ts";

/** What a node keeps, or that it keeps nothing. */
export interface Store {
  /** Absolute path of the data directory; undefined in memory mode. */
  readonly directory: string | undefined;
  readonly journalCount: number;
  /** Short id of the formation, part of every incarnation. */
  readonly formation: string;
  /** This node and its store, as a member of its groups. */
  readonly member: string;
  /** The directory was in use before. */
  readonly hasStarted: boolean;
  /** Says that what belongs in the directory is there now. */
  started(): Promise<void>;
  /** Says that everything is durable, and gives the directory back. */
  close(): Promise<void>;
  /** Gives the directory back as it is. */
  release(): void;
}

/** What of the configuration decides about a store. */
export type StoreConfig = Pick<
  Config,
  "raftMemory" | "dataDir" | "cores" | "raftGroupCount" | "clusterId" | "fsync"
>;

/** A single node's id. */
export const NODE_ID = 1;
/** Bytes of a formation's and a store's random id. */
const ID_BYTES = 8;
/** Stands for the boot id while a first start is under way, whose files need not all be there. */
const NEVER_STARTED = "never started";
/** Letters of the formation id that stand in an incarnation. */
const FORMATION_LETTERS = 8;

/**
 * Opens the data directory, a new one if need be, or makes up an identity for a node that keeps
 * nothing.
 *
 * @throws when the directory is in use, another cluster's, or can't be trusted any more
 */
export async function openStore(config: StoreConfig, io: Io, osBootId: string): Promise<Store> {
  if (config.raftMemory) return memoryStore(config, io);
  const directory = config.dataDir;
  const lock = await lockDirectory(io.disk, directory);
  try {
    const found = await readIdentity(io.disk, directory);
    if (found !== undefined) check(directory, found, config, osBootId);
    const hasStarted = found !== undefined && found.bootId !== NEVER_STARTED;
    const identity = {
      ...(found ?? newIdentity(config, io)),
      fsync: config.fsync,
      clean: false,
      bootId: hasStarted ? osBootId : NEVER_STARTED,
    };
    await writeIdentity(io.disk, directory, identity);
    return diskStore(directory, { ...identity, bootId: osBootId }, hasStarted, io, lock);
  } catch (reason) {
    lock.release();
    throw reason;
  }
}

function memoryStore(config: StoreConfig, io: Io): Store {
  const { storeId, formationId, journalCount } = newIdentity(config, io);
  return {
    directory: undefined,
    journalCount,
    formation: formationId.slice(0, FORMATION_LETTERS),
    member: memberOf(storeId),
    hasStarted: false,
    started: () => Promise.resolve(),
    close: () => Promise.resolve(),
    release() {},
  };
}

function diskStore(
  directory: string,
  identity: Identity,
  hasStarted: boolean,
  io: Io,
  lock: DiskLock,
): Store {
  const { formationId = "", storeId, journalCount } = identity;
  return {
    directory,
    journalCount,
    formation: formationId.slice(0, FORMATION_LETTERS),
    member: memberOf(storeId),
    hasStarted,
    started: () => hasStarted ? Promise.resolve() : writeIdentity(io.disk, directory, identity),
    async close() {
      try {
        await writeIdentity(io.disk, directory, { ...identity, clean: true });
      } finally {
        lock.release();
      }
    },
    release: () => lock.release(),
  };
}

function newIdentity(config: StoreConfig, io: Io): Identity & { formationId: string } {
  return {
    storeId: hex(io.random.bytes(ID_BYTES)),
    formationId: hex(io.random.bytes(ID_BYTES)),
    clusterId: config.clusterId,
    nodeId: NODE_ID,
    groupCount: config.raftGroupCount,
    journalCount: Math.min(config.cores, config.raftGroupCount),
    fsync: config.fsync,
    clean: false,
    bootId: NEVER_STARTED,
  };
}

function check(directory: string, found: Identity, config: StoreConfig, osBootId: string): void {
  checkIdentity(directory, found, {
    clusterId: config.clusterId,
    nodeId: NODE_ID,
    groupCount: config.raftGroupCount,
  });
  // A first start that never ended acknowledged nothing.
  if (found.bootId === NEVER_STARTED || !mayHaveLostWrites(found, osBootId)) return;
  throw new Error(
    `${directory}: the last run synced nothing (--fsync never) and the machine went down under it: ` +
      "acknowledged writes may be missing; move the directory away to start empty",
  );
}

function memberOf(storeId: string): string {
  return `${NODE_ID}.${storeId}`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
