import type { SnapshotMark } from "../raft/mod.ts";
import { GroupState } from "../stream/mod.ts";
import type { ShardSetup } from "./setup.ts";

/** A group's state as it lies behind its log. */
export interface Replica {
  readonly id: number;
  readonly state: GroupState;
  readonly mark: SnapshotMark;
  /** Size of the RaftSnapshot that it came from; 0 where there is none. */
  readonly snapshotBytes: number;
}

/** A group that begins with nothing. */
export function newReplica(id: number, setup: ShardSetup): Replica {
  return {
    id,
    state: new GroupState({ group: id, formation: setup.formation }),
    mark: {
      index: 0,
      term: 0,
      membership: { voters: [setup.member], outgoing: [], learners: [] },
    },
    snapshotBytes: 0,
  };
}
