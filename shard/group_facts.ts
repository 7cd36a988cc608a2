import type { Group } from "../group/mod.ts";
import type { GroupFacts } from "./access.ts";
import type { ColdWork } from "./cold/work.ts";

/** What operators may know of a replica. @param shard index of the shard that it lives on */
export function factsOf(group: Group, shard: number, cold: ColdWork | undefined): GroupFacts {
  const status = group.status();
  const { leader, term, lastIndex, commitIndex, appliedIndex, membership } = status;
  const { id, state, leads, hasRoom, overloads } = group;
  const isWhole = cold?.hasCaughtUp(group) ?? true;
  return {
    id,
    shard,
    member: group.member,
    leader,
    leads,
    voters: membership.voters,
    learners: membership.learners,
    term,
    lastIndex,
    commitIndex,
    appliedIndex,
    followers: status.others.map(({ id: member, match, silentMs }) => ({
      member,
      match,
      silentMs,
    })),
    ready: group.ready && isWhole,
    caughtUp: group.caughtUp && isWhole,
    coldLacking: cold?.lacking(id) ?? 0,
    votes: membership.voters.includes(group.member),
    hasRoom,
    proposals: leads ? lastIndex - commitIndex : 0,
    proposalBytes: status.uncommittedBytes,
    overloads,
    hotBytes: state.hotBytes,
    coldBytes: state.cold.objects.liveBytes,
    streams: state.streamCount,
  };
}
