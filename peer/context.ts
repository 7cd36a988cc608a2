import type { Clock, LogLine, Network, Random } from "../io/mod.ts";
import type { Complaints } from "./complaints.ts";
import type { PeerAddress, PeerInfo, PeerSelf } from "./types.ts";

/** What the parts of one plane share. */
export interface PlaneContext {
  /** Replaced when the cluster forms. */
  self: PeerSelf;
  /** This node is being drained; peers hear of it with the next ping. */
  draining: boolean;
  /** The other nodes. */
  readonly peers: ReadonlyMap<number, PeerAddress>;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly secret: Uint8Array | undefined;
  readonly log: LogLine;
  readonly complaints: Complaints;
  /** Ids of the nodes that this one is connected to now. */
  readonly reached: () => number[];
  /** A peer has just shown who it is, on whichever connection. */
  readonly onSeen: (info: PeerInfo) => void;
}
