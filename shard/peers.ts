import type { MemberId } from "../raft/mod.ts";
import type { PeerPlane } from "../peer/mod.ts";

/** The part of a {@linkcode PeerPlane} that a shard needs. */
export type Peers = Pick<PeerPlane, "send" | "call" | "peer">;

/** Id of a node's store as a member of its groups. */
export function memberOf(nodeId: number, storeId: string): MemberId {
  return `${nodeId}.${storeId}`;
}

/** The node that a member is on. */
export function nodeOf(member: MemberId): number {
  return Number(member.slice(0, member.indexOf(".")));
}

/** The member that answers under a node's id at present; undefined while it is not connected. */
export function presentMember(peers: Peers, nodeId: number): MemberId | undefined {
  const peer = peers.peer(nodeId);
  return peer === undefined ? undefined : memberOf(peer.nodeId, peer.storeId);
}
