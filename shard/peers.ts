import type { PeerPlane } from "../peer/mod.ts";
import type { MemberId } from "../raft/mod.ts";
import { memberOf } from "../storage/member.ts";

/** The part of a {@linkcode PeerPlane} that a shard needs. */
export type Peers =
  & Pick<PeerPlane, "send" | "call" | "peer">
  & Partial<Pick<PeerPlane, "draining">>;

/** The member that answers under a node's id at present; undefined while it is not connected. */
export function presentMember(peers: Peers, nodeId: number): MemberId | undefined {
  const peer = peers.peer(nodeId);
  return peer === undefined ? undefined : memberOf(peer);
}
