import {
  type AdminError,
  type ColdFlushed,
  type ErrorCode,
  ERRORS,
  type GroupMembers,
  type LeaderTransferred,
  type LogPurged,
  type RaftSnapshotTaken,
  RETRY_AFTER,
} from "../../protocol/mod.ts";
import type { GroupOrder, OrderAnswer, OrderRefused } from "../../shard/mod.ts";
import { nodeOf } from "../../storage/member.ts";
import { type HeaderMap, type Reply, respondError, respondJson } from "../answer.ts";

/** Codes whose message names the nodes that an order failed for. */
const ABOUT_NODES: readonly ErrorCode[] = ["invalid_node", "node_absent", "not_caught_up"];

const UNKNOWN = "the change is in the log, and it is not known whether it is committed";

/** What an order came to, in the shapes of the contract. */
export function renderOrder(
  group: number,
  { order }: GroupOrder,
  answer: OrderAnswer,
): Reply {
  if ("refused" in answer) return renderRefusal(answer);
  return respondJson(200, resultOf(group, order, answer));
}

function resultOf(group: number, order: GroupOrder["order"], answer: OrderAnswer) {
  if ("index" in answer) {
    return { group, index: answer.index } satisfies RaftSnapshotTaken;
  }
  if ("firstIndex" in answer) {
    return { group, first_index: answer.firstIndex } satisfies LogPurged;
  }
  if ("flushedBytes" in answer) {
    return { group, flushed_bytes: answer.flushedBytes } satisfies ColdFlushed;
  }
  if ("leader" in answer && answer.leader !== undefined) {
    return { group, leader_id: nodeOf(answer.leader) } satisfies LeaderTransferred;
  }
  if ("voters" in answer) {
    const { voters, learners } = answer;
    return { group, voters: idsOf(voters), learners: idsOf(learners) } satisfies GroupMembers;
  }
  throw new Error(`invariant: ${order} is answered`);
}

/** Why an order was not carried out. */
export function renderRefusal({ refused, leader, nodes }: OrderRefused): Reply {
  const { message, status } = ERRORS[refused];
  if (refused === "not_leader") {
    const leader_id = leader === undefined ? null : nodeOf(leader);
    return respondJson(
      status,
      { error: { code: refused, message, leader_id } } satisfies AdminError,
    );
  }
  // Whatever was applied of an order, the same one again does no harm.
  const headers: HeaderMap = status === 503 ? { [RETRY_AFTER]: "1" } : {};
  if (refused === "outcome_unknown") return respondError(refused, headers, { message: UNKNOWN });
  if (nodes === undefined || !ABOUT_NODES.includes(refused)) return respondError(refused, headers);
  const named = `${message} (node ${nodes.join(", ")})`;
  return respondError(refused, headers, { message: named });
}

function idsOf(members: readonly string[]): number[] {
  return members.map(nodeOf).sort((a, b) => a - b);
}
