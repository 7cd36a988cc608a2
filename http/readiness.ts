import { nodeOf } from "../storage/member.ts";
import { type Reply, respond, respondError } from "./answer.ts";
import type { NodeFacts } from "./context.ts";

/**
 * GET /readyz (SPEC section 11): 200 once this node votes in every group, has caught up with a leader
 * of each since its start, and as long as it reaches a majority and is not about to end; else 503
 * with one reason. A group without a leader is named, and is no reason by itself: nobody else would
 * serve it better.
 */
export function readiness(facts: NodeFacts): Reply {
  const message = obstacleOf(facts);
  if (message !== undefined) return respondError("not_ready", {}, { message });
  const leaderless = facts.groups.filter(({ leader }) => leader === undefined);
  const ids = leaderless.map(({ id }) => id).join(", ");
  const text = ids === "" ? "ok\n" : `ok; without a leader: group ${ids}\n`;
  return respond(200, { "content-type": "text/plain", "cache-control": "no-store" }, text);
}

/** Why the node is not ready; undefined when it is. */
export function obstacleOf({ stopping, groups, nodeId, hears }: NodeFacts): string | undefined {
  if (stopping) return "this node is about to end";
  for (const { id, votes } of groups) {
    if (!votes) return `this node is no voter of group ${id} yet`;
  }
  for (const { id, voters } of groups) {
    let reached = 0;
    for (const voter of voters) {
      if (nodeOf(voter) === nodeId || hears(voter)) reached++;
    }
    if (2 * reached <= voters.length) {
      return `this node is cut off from a majority of the voters of group ${id}`;
    }
  }
  for (const { id, caughtUp, ready, leader, coldLacking } of groups) {
    if (leader === undefined ? caughtUp : ready) continue;
    if (coldLacking > 0) return `this node lacks ${coldLacking} objects of group ${id} yet`;
    return leader === undefined
      ? `group ${id} has no leader yet`
      : `this node has not caught up with group ${id} yet`;
  }
}
