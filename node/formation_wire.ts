/**
 * What nodes say to each other while a cluster forms, as CBOR. It comes over a socket: everything is
 * checked before it is believed.
 *
 * @module
 */

import { nodeOf } from "../storage/member.ts";
import { decodeCbor, encodeCbor } from "../stream/cbor_library.ts";

/** A question or an answer; 64 members are a few KiB. */
export const FORMATION_BYTES_MAX = 64 << 10;
/** Members of a formation and nodes of a listing; more is something else. */
const NODES_MAX = 64;

/** A formation as it goes from node to node. */
export interface FormationWord {
  readonly id: string;
  /** The groups' first membership. */
  readonly members: readonly string[];
}

/** `formation` undefined asks what the node holds; else it offers one. */
export interface FormationQuestion {
  readonly formation: FormationWord | undefined;
}

/** What a node holds, after it did what it was asked to. */
export interface FormationReport {
  /** The node and its store. */
  readonly member: string;
  /** Undefined: it holds nothing. */
  readonly formation: FormationWord | undefined;
  /** Ids of the nodes that it was started with, rising. */
  readonly listed: readonly number[];
  /** It was started with `--raft-init-membership`. */
  readonly mayForm: boolean;
}

/** Bytes of a question, the caller's to keep. */
export function encodeQuestion({ formation }: FormationQuestion): Uint8Array {
  return encodeCbor([formation?.id ?? "", formation?.members ?? []]).slice();
}

/** The question that bytes hold; undefined where they hold none. */
export function decodeQuestion(bytes: Uint8Array): FormationQuestion | undefined {
  const values = decodeArray(bytes, 2);
  const formation = values && readWord(values[0], values[1]);
  return formation && { formation: formation.id === "" ? undefined : formation };
}

/** Bytes of a report, the caller's to keep. */
export function encodeReport({ member, formation, listed, mayForm }: FormationReport): Uint8Array {
  return encodeCbor([member, formation?.id ?? "", formation?.members ?? [], listed, mayForm])
    .slice();
}

/** The report that bytes hold; undefined where they hold none, or another node's than `nodeId`'s. */
export function decodeReport(bytes: Uint8Array, nodeId: number): FormationReport | undefined {
  const values = decodeArray(bytes, 5);
  if (values === undefined) return undefined;
  const [member, id, members, listed, mayForm] = values;
  const formation = readWord(id, members);
  const isWhole = isMember(member) && nodeOf(member) === nodeId && formation !== undefined &&
    isIds(listed) && typeof mayForm === "boolean";
  if (!isWhole) return undefined;
  return { member, formation: formation.id === "" ? undefined : formation, listed, mayForm };
}

function decodeArray(bytes: Uint8Array, length: number): readonly unknown[] | undefined {
  if (bytes.length > FORMATION_BYTES_MAX) return undefined;
  try {
    const values = decodeCbor(bytes);
    return Array.isArray(values) && values.length === length ? values : undefined;
  } catch {
    return undefined;
  }
}

/** A formation; with an empty id and no members it stands for none. */
function readWord(id: unknown, members: unknown): FormationWord | undefined {
  if (typeof id !== "string" || !/^[0-9A-Za-z_-]{0,64}$/.test(id)) return undefined;
  if (!Array.isArray(members) || members.length > NODES_MAX) return undefined;
  if (!members.every(isMember) || (id === "") !== (members.length === 0)) return undefined;
  const nodes = members.map(nodeOf);
  // Every node once, in the order that all of them know the members in.
  const isRising = nodes.every((node, at) => at === 0 || (nodes[at - 1] ?? 0) < node);
  return isRising ? { id, members } : undefined;
}

function isMember(value: unknown): value is string {
  return typeof value === "string" && /^[1-9][0-9]{0,15}\.[0-9A-Za-z_-]{1,64}$/.test(value) &&
    Number.isSafeInteger(nodeOf(value));
}

function isIds(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= NODES_MAX &&
    value.every((id) => Number.isSafeInteger(id) && id > 0);
}
