import type { Core } from "./core.ts";
import type { MemberId, Payload } from "./types.ts";

/** Begins to hand over to a voter (dissertation §3.10): no proposals, no lease from here on. */
export function beginTransfer<P extends Payload>(core: Core<P>, to: MemberId): void {
  core.transfer = { to, dueMs: core.nowMs + core.config.electionTimeoutMs, asked: false };
  core.leaseUntilMs = -Infinity;
  core.replicationWanted = true;
  askToTakeOver(core);
}

/** Once the target holds the whole log it is asked to campaign. */
export function askToTakeOver<P extends Payload>(core: Core<P>): void {
  const { transfer } = core;
  if (transfer === undefined || transfer.asked) return;
  if (core.tracker.get(transfer.to)?.match !== core.log.last) return;
  transfer.asked = true;
  // The request may arrive at any later time of this term, and its votes pass every lease.
  core.leaseVoid = true;
  core.send({ type: "timeout_now", from: core.id, to: transfer.to, term: core.term });
}

/** The voter other than this member that holds most of the log, and was heard from lately. */
export function mostCaughtUpVoter<P extends Payload>(core: Core<P>): MemberId | undefined {
  let best: MemberId | undefined;
  let bestMatch = -1;
  for (const id of core.membership.voters) {
    const progress = core.tracker.get(id);
    if (id === core.id || progress === undefined || progress.match <= bestMatch) continue;
    if (core.nowMs - progress.activeMs > core.config.electionTimeoutMs) continue;
    best = id;
    bestMatch = progress.match;
  }
  return best;
}
