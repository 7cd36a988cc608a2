/**
 * Raft entries in general: which record kind stands for which kind of entry.
 *
 * @module
 */

import type { StoredEntryKind } from "../../types.ts";
import { COMMAND_KIND } from "./command.ts";
import { MEMBERSHIP_KIND } from "./membership.ts";
import { NOOP_KIND } from "./noop.ts";

/**
 * Flag: this entry was copied from an older segment. It stands where it stood, and does not
 * replace the entries after it, as an entry that is new does.
 */
export const ENTRY_COPIED = 1;

/** The record kind of an entry. */
export function entryKindId(kind: StoredEntryKind): number {
  if (kind === "command") return COMMAND_KIND;
  return kind === "noop" ? NOOP_KIND : MEMBERSHIP_KIND;
}

/** The entry that a record kind stands for; undefined for records that are no entries. */
export function entryKindOf(id: number): StoredEntryKind | undefined {
  if (id === COMMAND_KIND) return "command";
  if (id === NOOP_KIND) return "noop";
  return id === MEMBERSHIP_KIND ? "membership" : undefined;
}
