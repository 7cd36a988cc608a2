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
  const { log, tracker } = core;
  if (log.first > log.released) return;
  if (isAlone(core)) log.drop(log.released, 0);
  else log.drop(core.role === "leader" ? tracker.othersMatch : 0, bytesMax);
}
