/**
 * Whose data a directory holds (SPEC section 8, Identity), and how its last run ended.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { type Disk, DiskError, type DiskLock } from "../io/mod.ts";
import { replaceFile } from "./replace_file.ts";

/** Version of the whole data directory; a program refuses any other. */
export const DATA_FORMAT_VERSION = 1;

/** Name of the identity file. */
export const IDENTITY_FILE = "identity.json";
/** A folder that one process at a time may use. */
export interface LockedFolder {
  /** What it is called in a message. */
  readonly what: string;
  /** Name of the lock's file in it. */
  readonly lock: string;
}

/** A data directory, as {@linkcode lockDirectory} takes it. */
export const DATA_DIRECTORY: LockedFolder = { what: "data directory", lock: "lock" };
/** The folder of a cold store; no key of an object can begin with a dot. */
export const COLD_FOLDER: LockedFolder = { what: "folder of cold objects", lock: ".lock" };

/** An identity is a few hundred bytes; more is something else. */
const FILE_BYTES_MAX = 64 << 10;

/** How a cluster formed (SPEC section 8, Formation), as every node of it keeps it. */
export interface FormationRecord {
  /** Random, of the cluster. */
  readonly id: string;
  /** The groups' first membership, by rising node id; a node that is not in it joined later. */
  readonly members: readonly string[];
  /** On the node that formed the cluster: members that have not confirmed so. Else empty. */
  readonly unconfirmed: readonly string[];
}

/** Kinds of cold stores that a directory's data may refer to objects of. */
export type ObjectsIn = "s3" | "fs" | "memory";

/** The content of the identity file. */
export interface Identity {
  /** Random, of the data directory itself. */
  readonly storeId: string;
  /** Missing until the cluster has formed. */
  readonly formation?: FormationRecord;
  readonly clusterId: string;
  readonly nodeId: number;
  /** Raft groups of the cluster. */
  readonly groupCount: number;
  /** Journals in the directory; shards share them out. */
  readonly journalCount: number;
  /** Where the objects lie that the data refers to; missing while it refers to none. */
  readonly objectsIn?: ObjectsIn;
  /** How the last run made its writes durable. */
  readonly fsync: "always" | "never";
  /** Did the last run end in order? False while one is under way. */
  readonly clean: boolean;
  /** Of the operating system that the last run ran on. */
  readonly bootId: string;
  /** Did a start ever come to its end? Until then not all files need to be there. */
  readonly hasStarted: boolean;
}

/** What a start expects of the directory; what is left out is not checked. */
export interface ExpectedIdentity
  extends Partial<Pick<Identity, "clusterId" | "nodeId" | "groupCount">> {
  /** Where objects will be looked for. */
  readonly objectsIn?: ObjectsIn | "none";
}

/** A data directory that belongs to something else than what is being started. */
export class IdentityMismatch extends Error {
  /** Says where. @param path the identity file; @param detail names both values */
  constructor(readonly path: string, detail: string) {
    super(`${path}: ${detail}`);
    this.name = "IdentityMismatch";
  }
}

/**
 * Keeps other processes off a data directory, or a folder like it, which is made where it is missing.
 * @throws DiskError `locked`, saying so in words, when another process is there
 */
export async function lockDirectory(
  disk: Disk,
  directory: string,
  { what, lock }: LockedFolder = DATA_DIRECTORY,
): Promise<DiskLock> {
  await disk.makeDirectory(directory);
  try {
    return await disk.lock(`${directory}/${lock}`);
  } catch (error) {
    if (!(error instanceof DiskError) || error.code !== "locked") throw error;
    const detail = `another process runs on this ${what}; stop it, or name another one`;
    throw new DiskError("locked", directory, detail);
  }
}

/**
 * Reads the identity of a data directory; undefined where it has none.
 * @throws IdentityMismatch when the file is of another format version, or no identity at all
 */
export async function readIdentity(disk: Disk, directory: string): Promise<Identity | undefined> {
  const path = `${directory}/${IDENTITY_FILE}`;
  let text: string;
  try {
    text = await readText(disk, path);
  } catch (error) {
    if (error instanceof DiskError && error.code === "not_found") return undefined;
    throw error;
  }
  return identityFrom(path, text);
}

/** Replaces the identity, durably, and wholly or not at all. */
export function writeIdentity(disk: Disk, directory: string, identity: Identity): Promise<void> {
  const members = { format: DATA_FORMAT_VERSION, ...identity };
  const text = JSON.stringify({ ...members, sum: sumOf(members) }, null, 2) + "\n";
  return replaceFile(disk, directory, IDENTITY_FILE, new TextEncoder().encode(text));
}

/**
 * Compares what was found with what a start asks for.
 * @throws IdentityMismatch naming both values of the first difference
 */
export function checkIdentity(
  directory: string,
  found: Identity,
  expected: ExpectedIdentity,
): void {
  const path = `${directory}/${IDENTITY_FILE}`;
  const names = {
    clusterId: "cluster id",
    nodeId: "node id",
    groupCount: "group count",
  } as const;
  for (const [key, name] of Object.entries(names) as [keyof typeof names, string][]) {
    const [is, wanted] = [found[key], expected[key]];
    if (wanted === undefined || is === wanted) continue;
    throw new IdentityMismatch(path, `has ${name} ${is}, but this node was started with ${wanted}`);
  }
  const [is, wanted] = [found.objectsIn, expected.objectsIn];
  if (wanted === undefined || is === undefined || is === wanted) return;
  throw new IdentityMismatch(
    path,
    `refers to objects of cold backend ${is}, but this node was started with ${wanted}`,
  );
}

/**
 * Are acknowledged writes perhaps missing, so that the node must come back as one without its
 * data (SPEC section 8)? So it is after a run that synced nothing, did not end in order, and whose
 * operating system is gone.
 */
export function mayHaveLostWrites(found: Identity, bootId: string): boolean {
  return found.fsync === "never" && !found.clean && found.bootId !== bootId;
}

async function readText(disk: Disk, path: string): Promise<string> {
  const file = await disk.open(path, { create: false });
  try {
    const bytes = new Uint8Array(Math.min(await file.size(), FILE_BYTES_MAX));
    await file.read(bytes, 0);
    return new TextDecoder().decode(bytes);
  } finally {
    file.close();
  }
}

/** CRC-32 of all members but this one, in their order, as hex: a changed id must not pass for one. */
function sumOf(members: Readonly<Record<string, unknown>>): string {
  return crc32(JSON.stringify(members)).toString(16).padStart(8, "0");
}

function identityFrom(path: string, text: string): Identity {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text);
  } catch {
    throw new IdentityMismatch(path, "is damaged: not JSON");
  }
  const { format, storeId, clusterId, nodeId, groupCount, journalCount } = value;
  if (format !== DATA_FORMAT_VERSION) {
    const detail = `has data format ${format}, but this program reads ${DATA_FORMAT_VERSION}`;
    throw new IdentityMismatch(path, detail);
  }
  const { sum, ...members } = value;
  if (sum !== sumOf(members)) {
    throw new IdentityMismatch(path, "is damaged: its checksum is wrong");
  }
  // Files from before there was that word are of nodes that have.
  const { fsync, clean, bootId, hasStarted = true } = value;
  const formation = formationFrom(value);
  const { objectsIn } = value;
  const isWhole = typeof storeId === "string" && typeof clusterId === "string" &&
    formation !== "damaged" && isObjectsIn(objectsIn) &&
    [nodeId, groupCount, journalCount].every(Number.isSafeInteger) &&
    (fsync === "always" || fsync === "never") && typeof clean === "boolean" &&
    typeof bootId === "string" && typeof hasStarted === "boolean";
  if (!isWhole) {
    throw new IdentityMismatch(path, "is damaged: a member is missing or of a wrong type");
  }
  return {
    storeId,
    ...(formation !== undefined && { formation }),
    clusterId,
    nodeId: nodeId as number, // as are the next two: checked above
    groupCount: groupCount as number,
    journalCount: journalCount as number,
    ...(objectsIn !== undefined && { objectsIn }),
    fsync,
    clean,
    bootId,
    hasStarted,
  };
}

function formationFrom(value: Record<string, unknown>): FormationRecord | undefined | "damaged" {
  const { formation, formationId, nodeId, storeId } = value;
  if (formation === undefined) {
    if (formationId === undefined) return undefined;
    // As single nodes wrote it before there were clusters.
    return typeof formationId === "string"
      ? { id: formationId, members: [`${nodeId}.${storeId}`], unconfirmed: [] }
      : "damaged";
  }
  if (typeof formation !== "object" || formation === null) return "damaged";
  const { id, members, unconfirmed }: { [K in keyof FormationRecord]?: unknown } = formation;
  if (typeof id !== "string" || !isTexts(members) || !isTexts(unconfirmed)) return "damaged";
  return { id, members, unconfirmed };
}

function isObjectsIn(value: unknown): value is ObjectsIn | undefined {
  return value === undefined || value === "s3" || value === "fs" || value === "memory";
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
