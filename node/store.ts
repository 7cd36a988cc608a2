import type { Disk, LogLine, Random } from "../io/mod.ts";
import {
  checkIdentity,
  type FormationRecord,
  type Identity,
  IDENTITY_FILE,
  IdentityMismatch,
  lockDirectory,
  mayHaveLostWrites,
  type ObjectsIn,
  readIdentity,
  writeIdentity,
} from "../storage/identity.ts";
import { memberOf } from "../storage/member.ts";
import { setAside } from "../storage/set_aside.ts";
import type { Config } from "./config/mod.ts";

/** What a node keeps, or that it keeps nothing. */
export interface Store {
  /** Absolute path of the data directory; undefined in memory mode. */
  readonly directory: string | undefined;
  readonly journalCount: number;
  readonly nodeId: number;
  /** Random, of the directory, or of this start in memory mode. */
  readonly storeId: string;
  /** This node and its store, as a member of its groups. */
  readonly member: string;
  /** How the cluster formed; undefined while this node is empty. */
  readonly record: FormationRecord | undefined;
  /** Short id of the formation, part of every incarnation; empty while there is none. */
  readonly formation: string;
  /** The groups' first membership; empty on a node that came to them later, or is empty. */
  readonly founders: readonly string[];
  /** The directory was in use before. */
  readonly hasStarted: boolean;
  /**
   * Keeps the formation, durably: the first one, or what is new about the one there is.
   * @throws Error when there is another, or the directory was given back; DiskError
   */
  adopt(record: FormationRecord): Promise<void>;
  /**
   * Says, durably, that from now on the data may refer to objects of this cold backend: no other
   * will do at a later start.
   */
  refersTo(objectsIn: ObjectsIn): Promise<void>;
  /** Says that what belongs in the directory is there now. */
  started(): Promise<void>;
  /** Says that everything is durable, and gives the directory back. */
  close(): Promise<void>;
  /** Gives the directory back as it is. */
  release(): void;
}

/** What of the configuration decides about a store; without a backend none is checked. */
export type StoreConfig =
  & Partial<Pick<Config, "coldBackend">>
  & Pick<
    Config,
    | "raftMemory"
    | "dataDir"
    | "cores"
    | "raftGroupCount"
    | "clusterId"
    | "fsync"
    | "nodeId"
    | "cluster"
  >;

/** What a store needs of the world. */
export interface StoreIo {
  readonly disk: Disk;
  readonly random: Random;
}

/** Bytes of a formation's and a store's random id. */
const ID_BYTES = 8;
/** Letters of the formation id that stand in an incarnation. */
const FORMATION_LETTERS = 8;

/**
 * Opens the data directory, a new one if need be, or makes up an identity for a node that keeps
 * nothing. A single node is its own cluster at once; a node of several is empty until it adopts a
 * formation.
 *
 * @param log takes lines for the operator
 * @throws when the directory is in use, another cluster's, or can't be trusted any more
 */
export async function openStore(
  config: StoreConfig,
  io: StoreIo,
  osBootId: string,
  log: LogLine = () => {},
): Promise<Store> {
  if (config.raftMemory) return memoryStore(config, io);
  const directory = config.dataDir;
  const lock = await lockDirectory(io.disk, directory);
  try {
    let found = await readIdentity(io.disk, directory);
    if (found !== undefined) check(directory, found, config);
    if (found !== undefined && hasLostWrites(found, config, osBootId)) {
      await giveUp(directory, found, config, io, log);
      found = undefined;
    }
    const identity = {
      ...formedAlone(found ?? newIdentity(config, io), config, io),
      // What a run under `never` left behind is synced by a clean end alone.
      fsync: found !== undefined && found.fsync === "never" && !found.clean
        ? "never"
        : config.fsync,
      clean: false,
      bootId: osBootId,
    };
    await writeIdentity(io.disk, directory, identity);
    return new OpenStore({
      directory,
      identity,
      write: (identity) => writeIdentity(io.disk, directory, identity),
      release: () => lock.release(),
    });
  } catch (reason) {
    lock.release();
    throw reason;
  }
}

/** A random id, as stores and formations have it. */
export function newId(io: Pick<StoreIo, "random">): string {
  const bytes = io.random.bytes(ID_BYTES);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What an {@linkcode OpenStore} is made of. */
interface StoreParts {
  readonly directory: string | undefined;
  readonly identity: Identity;
  /** Makes an identity durable. */
  readonly write: (identity: Identity) => Promise<void>;
  /** Gives the directory back. */
  readonly release: () => void;
}

class OpenStore implements Store {
  readonly directory: string | undefined;
  readonly hasStarted: boolean;
  readonly #parts: StoreParts;
  /** As it was last made durable. */
  #identity: Identity;
  /** Writes of the identity go one after the other. */
  #writing: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(parts: StoreParts) {
    this.directory = parts.directory;
    this.hasStarted = parts.identity.hasStarted;
    this.#parts = parts;
    this.#identity = parts.identity;
  }

  get journalCount(): number {
    return this.#identity.journalCount;
  }

  get nodeId(): number {
    return this.#identity.nodeId;
  }

  get storeId(): string {
    return this.#identity.storeId;
  }

  get member(): string {
    return memberOf(this.#identity);
  }

  get record(): FormationRecord | undefined {
    return this.#identity.formation;
  }

  get formation(): string {
    return this.record?.id.slice(0, FORMATION_LETTERS) ?? "";
  }

  get founders(): readonly string[] {
    return this.record?.members.includes(this.member) ? this.record.members : [];
  }

  adopt(formation: FormationRecord): Promise<void> {
    return this.#change((identity) => {
      if (identity.formation !== undefined && identity.formation.id !== formation.id) {
        throw new Error(`formation ${identity.formation.id} is there, and ${formation.id} came`);
      }
      return { ...identity, formation };
    });
  }

  refersTo(objectsIn: ObjectsIn): Promise<void> {
    if (this.#identity.objectsIn === objectsIn) return Promise.resolve();
    return this.#change((identity) => ({ ...identity, objectsIn }));
  }

  started(): Promise<void> {
    if (this.hasStarted) return Promise.resolve();
    return this.#change((identity) => ({ ...identity, hasStarted: true }));
  }

  async close(): Promise<void> {
    try {
      await this.#change((identity) => ({ ...identity, clean: true }));
    } finally {
      this.release();
    }
  }

  release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.release();
  }

  #change(make: (identity: Identity) => Identity): Promise<void> {
    const before = this.#writing;
    const change = async () => {
      // What became of the one before is its caller's business.
      await before.catch(() => {});
      if (this.#isOver) throw new Error("the data directory was given back");
      const identity = make(this.#identity);
      await this.#parts.write(identity);
      this.#identity = identity;
    };
    return this.#writing = change();
  }
}

function memoryStore(config: StoreConfig, io: StoreIo): Store {
  return new OpenStore({
    directory: undefined,
    identity: formedAlone(newIdentity(config, io), config, io),
    write: () => Promise.resolve(),
    release: () => {},
  });
}

function newIdentity(config: StoreConfig, io: StoreIo): Identity {
  return {
    storeId: newId(io),
    clusterId: config.clusterId,
    nodeId: config.nodeId,
    groupCount: config.raftGroupCount,
    journalCount: Math.min(config.cores, config.raftGroupCount),
    fsync: config.fsync,
    clean: false,
    bootId: "",
    hasStarted: false,
  };
}

/** A single node is its own cluster; others form theirs together. */
function formedAlone(identity: Identity, config: StoreConfig, io: StoreIo): Identity {
  if (config.cluster !== undefined || identity.formation !== undefined) return identity;
  const formation = { id: newId(io), members: [memberOf(identity)], unconfirmed: [] };
  return { ...identity, formation };
}

function check(directory: string, found: Identity, config: StoreConfig): void {
  checkIdentity(directory, found, {
    clusterId: config.clusterId,
    nodeId: config.nodeId,
    groupCount: config.raftGroupCount,
    objectsIn: config.coldBackend,
  });
  if (found.formation === undefined) return;
  const { members } = found.formation;
  const wasAlone = members.length === 1 && members[0] === memberOf(found);
  if (wasAlone === (config.cluster === undefined)) return;
  throw new IdentityMismatch(
    `${directory}/${IDENTITY_FILE}`,
    wasAlone
      ? "is a single node's, but this node was started with peers; start it without them, or name " +
        "another data directory"
      : "is a cluster's, but this node was started without peers; name them (--raft-peer), or name " +
        "another data directory",
  );
}

/**
 * May acknowledged writes be missing? A single node acknowledges nothing before its first start has
 * come to its end, one of several nothing before it belongs to a cluster.
 */
function hasLostWrites(found: Identity, config: StoreConfig, osBootId: string): boolean {
  const isNew = config.cluster === undefined ? !found.hasStarted : found.formation === undefined;
  return !isNew && mayHaveLostWrites(found, osBootId);
}

/**
 * A node of a cluster comes back as a new one: it must not vote as its old self, and others have
 * what it lost. A single node has nobody to ask.
 */
async function giveUp(
  directory: string,
  found: Identity,
  config: StoreConfig,
  io: StoreIo,
  log: LogLine,
): Promise<void> {
  const what = "the last run synced nothing (--fsync never) and the machine went down under it: " +
    "acknowledged writes may be missing";
  if (config.cluster === undefined) {
    throw new Error(`${directory}: ${what}; move the directory away to start empty`);
  }
  const into = `lost-${found.storeId}`;
  const snapshots = Array.from({ length: found.journalCount }, (_, at) => `snapshots/${at}`);
  await setAside(io.disk, directory, ["journal", ...snapshots], IDENTITY_FILE, into);
  log(`${directory}: ${what}; this node starts empty, and its files are in ${into}`, "warn");
}
