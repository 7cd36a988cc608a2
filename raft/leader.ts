import { advanceCommit } from "./commit.ts";
import type { Core } from "./core.ts";
import type { AppendAck, AppendReject, HeartbeatResponse } from "./messages.ts";
import { heartbeatsConfirmed } from "./read_index.ts";
import { probeLoss } from "./replication.ts";
import { askToTakeOver } from "./transfer.ts";
import type { Progress } from "./tracker/progress.ts";
import type { Payload } from "./types.ts";

function progressOf<P extends Payload>(core: Core<P>, from: string): Progress | undefined {
  if (core.role !== "leader") return undefined;
  const progress = core.tracker.get(from);
  if (progress !== undefined) progress.activeMs = core.nowMs;
  return progress;
}

/** A follower holds more of the log. */
export function onAppendAck<P extends Payload>(core: Core<P>, message: AppendAck): void {
  const progress = progressOf(core, message.from);
  if (progress === undefined || !progress.acknowledged(message.match)) return;
  core.replicationWanted = true;
  advanceCommit(core);
  askToTakeOver(core);
}

/** A follower's log differs: go back to where the two may agree, by whole terms. */
export function onAppendReject<P extends Payload>(core: Core<P>, message: AppendReject): void {
  const progress = progressOf(core, message.from);
  if (progress === undefined) return;
  const hint = core.log.lastAtOrBelowTerm(message.hintIndex, message.hintTerm);
  if (progress.refused(message.rejected, hint)) core.replicationWanted = true;
}

/** A follower lives, and still follows in this term. */
export function onHeartbeatResponse<P extends Payload>(
  core: Core<P>,
  message: HeartbeatResponse,
): void {
  const progress = progressOf(core, message.from);
  if (progress === undefined) return;
  if (message.round > progress.ackedRound) {
    progress.ackedRound = message.round;
    if (message.sentMs > progress.ackedSentMs) progress.ackedSentMs = message.sentMs;
    heartbeatsConfirmed(core);
  }
  if (message.full && !progress.full && progress.state !== "snapshot") progress.becomeProbe();
  progress.full = message.full;
  if (message.round > 0) recoverLostAppends(core, progress);
}

/** Appends and their answers get lost; an answered heartbeat is the chance to notice. */
function recoverLostAppends<P extends Payload>(core: Core<P>, progress: Progress): void {
  const stuck = progress.match === progress.matchAtHeartbeat;
  progress.matchAtHeartbeat = progress.match;
  if (progress.state === "probe") {
    progress.probing = false;
  } else if (progress.state === "replicate" && stuck && progress.inflights.entries > 0) {
    probeLoss(core, progress);
  }
  core.replicationWanted = true;
}
