import type { Core } from "./core.ts";
import type { Payload } from "./types.ts";

/** When a leader last heard from a majority, itself included. */
export function quorumMs<P extends Payload>(core: Core<P>): number {
  core.tracker.self.activeMs = core.nowMs;
  return core.tracker.activeMs;
}

/** Leads, and a majority was heard from within an election timeout. */
export function hasQuorum<P extends Payload>(core: Core<P>): boolean {
  return core.role === "leader" && core.nowMs - quorumMs(core) < core.config.electionTimeoutMs;
}

/** When this group last had a leader, as far as this member knows. */
export function lastContactMs<P extends Payload>(core: Core<P>): number {
  return core.role === "leader" ? quorumMs(core) : Math.max(core.heardMs, core.ledMs);
}
