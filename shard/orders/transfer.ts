import type { Group } from "../../group/mod.ts";
import { nodeOf } from "../../storage/member.ts";
import { isFit } from "../caretaker.ts";
import type { Pacing } from "./pacing.ts";
import type { OrderAnswer } from "./types.ts";

/** A transfer is given up after an election timeout; by then this node knows who leads. */
const TRANSFER_MS_MAX = 2_000;
const LOOK_MS = 2;

/**
 * Hands a group over to the voter on a node, and waits until that leads. It is tried once, and only
 * where the voter could lead at once: the group takes no commands meanwhile.
 */
export async function transfer(
  group: Group,
  node: number,
  pacing: Pacing,
): Promise<OrderAnswer<"transfer">> {
  const untilMs = pacing.nowMs() + TRANSFER_MS_MAX;
  let isAsked = false;
  while (!pacing.isOver()) {
    const status = group.status();
    const { leader, membership, transferringTo } = status;
    const target = membership.voters.find((member) => nodeOf(member) === node);
    if (target === undefined) return { refused: "not_a_voter" };
    if (leader === target) return { leader: target };
    if (!group.leads && (!isAsked || leader !== undefined)) {
      return isAsked ? { refused: "transfer_failed" } : { refused: "not_leader", leader };
    }
    if (group.leads && transferringTo === undefined) {
      if (isAsked || !isFit(target, status)) return { refused: "transfer_failed" };
      isAsked = group.transfer(target) === undefined;
    }
    if (pacing.nowMs() >= untilMs) return { refused: "transfer_failed" };
    await pacing.pause(LOOK_MS);
  }
  return { refused: "shutting_down" };
}
