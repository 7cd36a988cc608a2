import { decode, encode } from "cbor-x";
import type { Membership, SnapshotMark } from "../raft/mod.ts";
import type { RaftSnapshotMark, RaftSnapshots } from "../storage/raft_snapshots/mod.ts";
import type { StoredGroup } from "../storage/types.ts";
import { GroupState, newSlab } from "../stream/mod.ts";
import type { ShardSetup } from "./setup.ts";

/** A group's state as it lies behind its log. */
export interface Replica {
  readonly id: number;
  readonly state: GroupState;
  readonly mark: SnapshotMark;
}

/** A group that begins with nothing. */
export function newReplica(id: number, setup: ShardSetup): Replica {
  const membership = { voters: setup.voters, outgoing: [], learners: [] };
  return {
    id,
    state: new GroupState({ group: id, formation: setup.formation, pinsFlushed: keepsOwn(setup) }),
    mark: { index: 0, term: 0, membership },
  };
}

/**
 * A group from its newest RaftSnapshot, or from nothing where it has none.
 *
 * @throws when the journal relies on a RaftSnapshot that is not there, or one is damaged
 */
export async function loadReplica(
  id: number,
  setup: ShardSetup,
  snapshots: RaftSnapshots,
  stored: StoredGroup | undefined,
): Promise<Replica> {
  const found = await snapshots.load(id);
  const needed = stored?.snapshotIndex ?? 0;
  if ((found?.index ?? 0) < needed) {
    throw new Error(
      `${snapshots.directory}: the RaftSnapshot of group ${id} at index ${needed} is missing`,
    );
  }
  if (found === undefined) return newReplica(id, setup);
  const state = await importState(id, setup, found.chunks);
  const membership = decode(found.meta) as Membership;
  return { id, state, mark: { index: found.index, term: found.term, membership } };
}

/** The state of a group from a RaftSnapshot's bytes. @throws when they are damaged */
export function importState(
  group: number,
  setup: Pick<ShardSetup, "formation" | "cold">,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<GroupState> {
  const { formation } = setup;
  return GroupState.import(chunks, {
    group,
    formation,
    allocate: newSlab,
    pinsFlushed: keepsOwn(setup),
  });
}

/**
 * Must this node see to it by itself that it keeps what objects hold? Not on a store that nodes
 * share; without any store StreamSnapshots stay in memory.
 */
function keepsOwn({ cold }: Pick<ShardSetup, "cold">): boolean {
  return cold?.backend.kind !== "s3";
}

/** A mark as it stands in a RaftSnapshot's file. */
export function storedMark({ index, term, membership }: SnapshotMark): RaftSnapshotMark {
  return { index, term, meta: encode(membership) };
}

/**
 * Does the journal's log lead through the mark of the group's newest RaftSnapshot? Where it does
 * not, none of its entries may be used, and the start must say so in the journal: put the mark with
 * `replacesLog`, before anything else of the group.
 *
 * RaftSnapshots become durable before their marks, so a crash in between leaves a mark that the
 * journal knows nothing of.
 *
 * - It was taken of this replica's own state: the journal holds the entry at the mark's index, with
 *   its term, for that entry was applied, thus durable. By Log Matching (paper section 5.3) what
 *   follows it in the journal follows it in the log that the RaftSnapshot was taken of.
 * - It came from a leader, and the same holds: then nothing tells it from the first case, and
 *   keeping what follows is right for the same reason (section 7 asks for it).
 * - It came from a leader, and the journal holds another entry there, or none. The RaftSnapshot's
 *   was committed, so another one is of a leader that was deposed before it could commit it, and so
 *   are those that follow: no majority was ever made with them. Where there is none, nothing can
 *   follow. To drop them takes back no promise; to keep them would build a log in which entries
 *   follow one that they never followed, and that could win an election with it.
 *
 * Votes and the term stay in any case.
 */
export function leadsThrough(mark: SnapshotMark, stored: StoredGroup | undefined): boolean {
  if (stored === undefined) return mark.index === 0;
  const { snapshotIndex, snapshotTerm, entries } = stored;
  if (snapshotIndex === mark.index) return snapshotTerm === mark.term;
  const first = entries[0]?.index ?? 0;
  return entries[mark.index - first]?.term === mark.term;
}

/**
 * What of the journal's findings lies behind the RaftSnapshot: the entries after it, or none where
 * the log does not lead through it; see {@linkcode leadsThrough}.
 */
export function behind(
  mark: SnapshotMark,
  stored: StoredGroup | undefined,
): StoredGroup | undefined {
  if (stored === undefined) return undefined;
  if (!leadsThrough(mark, stored)) return { ...stored, entries: [] };
  return { ...stored, entries: stored.entries.filter(({ index }) => index > mark.index) };
}
