import type { PeerAddress, PeerSelf } from "../peer/mod.ts";
import type { MemberId } from "../raft/mod.ts";
import type { ColdBackend } from "../storage/cold/mod.ts";

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

/** How often the cold tier is looked through; each part's own where left out. Tests have less time. */
export interface ColdTiming {
  readonly sweepMs?: number;
  readonly listMs?: number;
  readonly mergeMs?: number;
  /** Between two objects that are merged. */
  readonly mergePauseMs?: number;
  /** Longest that an object is under way before it is referred to. */
  readonly underWayMs?: number;
}

/** What a shard must know of the cold tier (SPEC section 9). */
export interface ColdSetup {
  readonly backend: ColdBackend;
  /** The formation's whole id: keys begin with it. */
  readonly formation: string;
  /** How often groups are looked at. */
  readonly flushIntervalMs: number;
  /** Hot bytes from which on a group is flushed; with fewer once they are old, or memory is short. */
  readonly flushMinHotBytes: number;
  /** Size of an object, which only a single message exceeds. */
  readonly flushMaxBytes: number;
  /** Flushes of this shard at a time. */
  readonly flushesMax: number;
  /** Bytes of a group in memory; beyond it what would add to them is `overloaded`. */
  readonly hotBytesPerGroupMax: number;
  /** How long an object outlives the last reference to it (`--bootstrap-max-age`). */
  readonly keepsMs: number;
  /** Bytes of objects that this shard keeps in memory for its readers. */
  readonly cacheBytesMax: number;
  readonly timing?: ColdTiming;
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
  /** Where older bytes go; undefined keeps all in memory. */
  readonly cold: ColdSetup | undefined;
  /** Where journals and RaftSnapshots lie; undefined keeps nothing. */
  readonly directory: string | undefined;
  /** Sync before acknowledging. */
  readonly fsync: boolean;
  /** Bytes of streams in memory, of this shard. */
  readonly hotBytesMax: number;
  /** How long writes may stand in line; the documented bound where left out. */
  readonly appendWaitMsMax?: number;
  /** The directory was in use before: journals that are not there are missing, not new. */
  readonly hasStarted: boolean;
  /** Size of a journal's segments; the journal's own where left out. */
  readonly segmentBytes?: number;
  /** Log after which a RaftSnapshot is taken; the documented one where left out. */
  readonly snapshotLogBytesMin?: number;
  /** Entries of a group that stay in memory for others, in bytes; the documented bound where left out. */
  readonly retainedBytesMax?: number;
  /** Size of a RaftSnapshot's chunks; an export's own where left out. */
  readonly snapshotPieceBytes?: number;
  /** The leader, too, applies what went through the codec. */
  readonly decodeOwn: boolean;
}
