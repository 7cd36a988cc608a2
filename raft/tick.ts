import { quorumMs } from "./contact.ts";
import type { Core } from "./core.ts";
import { heardLately, holdsBack, preCampaign } from "./election.ts";
import { resendForwardedReads } from "./read_index.ts";
import { dropReleased } from "./retention.ts";
import type { Payload } from "./types.ts";

/** Does what is due at the core's present time. */
export function tick<P extends Payload>(core: Core<P>): void {
  if (core.role === "leader") {
    tickLeader(core);
    return;
  }
  if (core.nowMs >= core.campaignDueMs) {
    if (core.promotable && !heardLately(core) && !holdsBack(core)) preCampaign(core);
    else core.resetElectionTimer();
  }
  if (core.nowMs >= core.reads.resendDueMs) resendForwardedReads(core);
}

function tickLeader<P extends Payload>(core: Core<P>): void {
  const { nowMs, tracker, config } = core;
  if (core.transfer !== undefined && nowMs >= core.transfer.dueMs) core.transfer = undefined;
  if (nowMs >= core.quorumDueMs) {
    // Check-quorum (dissertation §6.2): a leader that no majority hears must not keep clients.
    core.quorumDueMs = quorumMs(core) + config.electionTimeoutMs;
    if (nowMs >= core.quorumDueMs) {
      core.becomeFollower(core.term, undefined);
      return;
    }
  }
  if (nowMs >= core.heartbeatDueMs) {
    core.heartbeatWanted = tracker.others.length > 0;
    // Acknowledgements that came since may let entries of an idle group go.
    dropReleased(core, config.retainedBytesMax);
    core.heartbeatDueMs = nowMs + config.heartbeatIntervalMs;
  }
}

/** When {@linkcode tick} has something to do next. */
export function nextDueMs<P extends Payload>(core: Core<P>): number {
  if (core.role !== "leader") {
    return Math.min(core.promotable ? core.campaignDueMs : Infinity, core.reads.resendDueMs);
  }
  if (core.tracker.others.length === 0) return core.transfer?.dueMs ?? Infinity;
  return Math.min(core.heartbeatDueMs, core.quorumDueMs, core.transfer?.dueMs ?? Infinity);
}
