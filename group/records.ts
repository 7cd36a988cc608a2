import { decode, encode } from "cbor-x";
import type { Entry, Membership } from "../raft/mod.ts";
import type { RecordLog, RecordSpace, StoredEntry, StoredGroup } from "../storage/types.ts";
import { CommandPayload } from "./payload.ts";

/** Writes an entry that the core made by itself into the log's current batch. */
export function placeEntry(log: RecordLog, group: number, entry: Entry<CommandPayload>): void {
  const bytes = entry.kind === "membership" ? encode(entry.membership) : NOTHING;
  const space = log.reserve(bytes.length);
  space.slab.bytes.set(bytes, space.start);
  log.sealEntry(space, group, entry.index, entry.term, entry.kind);
}

const NOTHING = new Uint8Array(0);

/** Entries as the core wants them, from what the journal found. */
export function restoreEntries(stored: StoredGroup | undefined): Entry<CommandPayload>[] {
  return toEntries(stored?.entries ?? []);
}

/** Entries as the core wants them. */
export function toEntries(stored: readonly StoredEntry[]): Entry<CommandPayload>[] {
  return stored.map((entry) => {
    const { index, term, kind, payload } = entry;
    if (kind === "command") return { index, term, kind, payload: new CommandPayload(payload) };
    if (kind === "noop") return { index, term, kind };
    return { index, term, kind, membership: membershipOf(payload) };
  });
}

function membershipOf(space: RecordSpace): Membership {
  return decode(space.slab.bytes.subarray(space.start, space.end)) as Membership;
}
