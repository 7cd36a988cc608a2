import type { PeerAddress, PeerSelf } from "../peer/mod.ts";
import type { MemberId } from "../raft/mod.ts";

/** What a shard must know of the cluster. */
export interface ClusterSetup {
  readonly self: PeerSelf;
  /** Where the nodes' peer planes listen, this one's own included. */
  readonly peers: readonly PeerAddress[];
  /** Where this node's peer plane listens. */
  readonly listen: { readonly hostname: string; readonly port: number };
  /** All shards of the node listen on that port. */
  readonly shared: boolean;
  /** What peers must prove to know; undefined believes everybody. */
  readonly secret: Uint8Array | undefined;
  /** What to answer a peer that asks how the cluster formed. */
  readonly formationReport: Uint8Array;
  /** Whether reads may rely on the leader's lease. */
  readonly readLease: boolean;
}

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
  /** This node, as a member of its groups. */
  readonly member: MemberId;
  /** Who votes in a group that begins with nothing; empty on a node that came later. */
  readonly voters: readonly MemberId[];
  /** The other nodes, where this one is part of a cluster. */
  readonly cluster: ClusterSetup | undefined;
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
