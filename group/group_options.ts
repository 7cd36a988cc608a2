import type { Clock, Random } from "../io/mod.ts";
import type { MemberId, Raft, SnapshotMark } from "../raft/mod.ts";
import type { ReadableLog, StoredGroup } from "../storage/types.ts";
import type { GroupState } from "../stream/mod.ts";
import type { BootstrapBounds } from "./bootstraps.ts";
import type { Group } from "./group.ts";
import type { CommandPayload } from "./payload.ts";
import type { RaftMessage } from "./wire.ts";

/** What a group is made of. */
export interface GroupOptions {
  readonly id: number;
  readonly member: MemberId;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: ReadableLog;
  readonly state: GroupState;
  readonly snapshot: SnapshotMark;
  readonly stored: StoredGroup | undefined;
  /** Called when the group has something for the next turn. */
  readonly onDirty: (group: Group) => void;
  /** The monotonic clock as read once for all groups' commands of a turn, in ms. */
  readonly turnNowMs: () => number;
  /** Sends a message to another replica; a group with a single voter never does. */
  readonly send: (group: Group, message: RaftMessage) => void;
  /** What the log holds can't be read back: the node must end. */
  readonly onFatal: (reason: Error) => void;
  /** The leader, too, applies what went through the codec. */
  readonly decodeOwn: boolean;
  /** Whether reads may rely on the leader's lease. */
  readonly readLease: boolean;
  /** Bounds of bootstraps; of its own where left out. */
  readonly bootstraps?: BootstrapBounds;
  /** Size of a RaftSnapshot's chunks; an export's own where left out. */
  readonly snapshotPieceBytes?: number | undefined;
  /** Bytes of entries that may stay in memory for other replicas' sake. */
  readonly retainedBytesMax: number;
  /** How many of them stay where the replica follows. */
  readonly followingBytesMax: number;
  /** The same, of what follows a RaftSnapshot on its way. */
  readonly catchUpBytesMax: number;
}

/** What of a group's consensus core others may have at hand; nothing of it sends or writes. */
export type GroupCore = Pick<
  Raft<CommandPayload>,
  "purge" | "beReluctant" | "caughtUp" | "installing" | "markAt"
>;
