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
    state: new GroupState({ group: id, formation: setup.formation }),
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
  const state = await GroupState.import(found.chunks, {
    group: id,
    formation: setup.formation,
    allocate: newSlab,
  });
  const membership = decode(found.meta) as Membership;
  return { id, state, mark: { index: found.index, term: found.term, membership } };
}

/** A mark as it stands in a RaftSnapshot's file. */
export function storedMark({ index, term, membership }: SnapshotMark): RaftSnapshotMark {
  return { index, term, meta: encode(membership) };
}

/** Leaves out of what the journal found what the RaftSnapshot holds already. */
export function behind(
  mark: SnapshotMark,
  stored: StoredGroup | undefined,
): StoredGroup | undefined {
  if (stored === undefined) return undefined;
  return { ...stored, entries: stored.entries.filter(({ index }) => index > mark.index) };
}
