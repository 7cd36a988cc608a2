import type { Core } from "./core.ts";
import { isSoleVoter } from "./membership.ts";
import type { Payload } from "./types.ts";

/** Is there nobody who could lack an entry? */
function isAlone<P extends Payload>(core: Core<P>): boolean {
  const { membership } = core;
  // Members that left are served on until they know.
  return isSoleVoter(membership, core.id) && membership.learners.length === 0 &&
    core.tracker.others.length === 0;
}

/**
 * Drops released entries from memory, except the newest `bytesMax` bytes that somebody may lack. A
 * follower keeps them too: it may lead next, and who is down then has to be fed by it.
 */
export function dropReleased<P extends Payload>(core: Core<P>, bytesMax: number): void {
  const { log } = core;
  if (log.first > log.released) return;
  if (isAlone(core)) log.drop(log.released, 0);
  else if (core.role === "leader") dropLed(core, bytesMax);
  else log.drop(0, Math.min(bytesMax, core.config.followingBytesMax));
}

/** A leader keeps more for whom it sends a RaftSnapshot, and who catches up after one. */
function dropLed<P extends Payload>({ log, tracker, config, nowMs }: Core<P>, bytesMax: number) {
  let keptAfter = Infinity;
  for (const progress of tracker.others) {
    if (progress.keepsAfter === Infinity) continue;
    if (nowMs - progress.activeMs > config.electionTimeoutMs) progress.keepsAfter = Infinity;
    else keptAfter = Math.min(keptAfter, Math.max(progress.keepsAfter, progress.match));
  }
  const kept = log.drop(tracker.othersMatch, bytesMax, keptAfter, config.catchUpBytesMax);
  if (kept || keptAfter === Infinity) return;
  for (const progress of tracker.others) {
    // Who has the RaftSnapshot needs no more than everybody else.
    if (progress.match >= progress.keepsAfter) progress.keepsAfter = Infinity;
  }
}
