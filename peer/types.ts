import type { Clock, LogLine, Network, NetworkAddress, Random } from "../io/mod.ts";

/** What a message is: one byte, to which the owner of the plane gives its meaning. */
export type PeerKind = number;

/** `control` goes ahead of `bulk`; within a lane the order is kept. */
export type PeerLane = "control" | "bulk";

/** Command versions that a node understands, both inclusive. */
export interface CommandVersions {
  /** The oldest. */
  readonly min: number;
  /** The newest. */
  readonly max: number;
}

/** What a node says of itself in the handshake. */
export interface PeerSelf {
  /** Of the node, in its cluster. */
  readonly nodeId: number;
  /** Of the data directory, or of this start in memory mode. */
  readonly storeId: string;
  /** Empty while the cluster has not formed; then see {@linkcode PeerPlane.formed}. */
  readonly formationId: string;
  /** Name of the cluster. */
  readonly clusterId: string;
  /** Raft groups of the cluster. */
  readonly groupCount: number;
  /** What it can apply. */
  readonly commandVersions: CommandVersions;
  /** Where it keeps objects: the same for all nodes that may share references to them. */
  readonly coldStore: string;
}

/** A peer, as a good handshake and what came after it said. The object follows what changes. */
export interface PeerInfo {
  /** Of the peer. */
  readonly nodeId: number;
  /** Of its data directory, or of its start in memory mode. */
  readonly storeId: string;
  /** Empty while the peer has none. */
  readonly formationId: string;
  /** What it can apply. */
  readonly commandVersions: CommandVersions;
  /** What the peer's wall clock is ahead of ours, in ms, off by the way that its word took. */
  readonly wallOffsetMs: number;
  /** Ids of the nodes that the peer was connected to, as it said a second ago or so. */
  readonly reaches: readonly number[];
  /** Whether it was being drained then: it wants no leadership. */
  readonly draining: boolean;
}

/** Where a peer's plane listens. */
export interface PeerAddress extends NetworkAddress {
  /** Whose plane it is. */
  readonly nodeId: number;
}

/** What a peer sent. */
export interface PeerMessage {
  /** Who sent it: the sender's node and store are those of the handshake, whatever the bytes say. */
  readonly from: PeerInfo;
  /** What the sender says that it is. */
  readonly kind: PeerKind;
  /** Never changes. Short ones share memory: what is kept for long should be copied. */
  readonly bytes: Uint8Array;
}

/** Why a call has no answer. */
export interface CallFailed {
  /** `not_sent`: surely nothing of it reached the peer. `unanswered`: nobody knows. */
  readonly failed: "not_sent" | "unanswered";
}

/** How a {@linkcode PeerPlane} is made. */
export interface PeerPlaneOptions {
  /** What this node says of itself. */
  readonly self: PeerSelf;
  /** The nodes of the cluster; this one may be among them. Others are turned away. */
  readonly peers: readonly PeerAddress[];
  /** The world outside. */
  readonly io: { readonly network: Network; readonly clock: Clock; readonly random: Random };
  /** What both ends must prove to know; undefined: everybody who finds the port is believed. */
  readonly secret?: Uint8Array;
  /** Takes lines for the operator. */
  readonly log: LogLine;
  /** Takes a message. What it throws breaks the connection that the message came on. */
  readonly onMessage: (message: PeerMessage) => void;
  /** Takes a call; `respond` is to be called once, now or later, and is harmless afterwards. */
  readonly onCall: (message: PeerMessage, respond: (bytes: Uint8Array) => void) => void;
  /** A peer came, went, or changed its store or formation. */
  readonly onPeer?: (nodeId: number) => void;
}
