import type { MemberId } from "../raft/mod.ts";

/** What a shard is opened with; it travels to the worker that runs it. */
export interface ShardSetup {
  /** Which of the shards this is, from 0. */
  readonly index: number;
  readonly shardCount: number;
  readonly groupCount: number;
  /** Journals of the node; fixed with the data. */
  readonly journalCount: number;
  /** Short id of the formation, part of every incarnation. */
  readonly formation: string;
  /** This node, as its groups' only voter. */
  readonly member: MemberId;
  /** Where journals and RaftSnapshots lie; undefined keeps nothing. */
  readonly directory: string | undefined;
  /** Sync before acknowledging. */
  readonly fsync: boolean;
  /** Bytes of streams in memory, of this shard. */
  readonly hotBytesMax: number;
  /** The directory was in use before: journals that are not there are missing, not new. */
  readonly hasStarted: boolean;
  /** Size of a journal's segments; the journal's own where left out. */
  readonly segmentBytes?: number;
  /** Log after which a RaftSnapshot is taken; the documented one where left out. */
  readonly snapshotLogBytesMin?: number;
  /** The leader, too, applies what went through the codec. */
  readonly decodeOwn: boolean;
}
