import type { GroupFacts } from "../../shard/mod.ts";
import { nodeOf, storeOf } from "../../storage/member.ts";
import { counter, gauge, type Series } from "./series.ts";
import type { MetricsView } from "./view.ts";

/** All groups of a node together. */
export interface GroupTotals {
  readonly count: number;
  readonly led: number;
  readonly without_leader: number;
  readonly without_room: number;
  readonly without_vote: number;
  readonly not_caught_up: number;
  readonly unapplied_entries: number;
  readonly committed_entries: number;
  readonly terms: number;
  readonly proposals_refused: number;
  readonly objects_lacking: number;
  readonly hot_bytes: number;
  readonly cold_bytes: number;
  readonly streams: number;
}

/** Adds the groups up. */
export function groupTotalsOf(groups: readonly GroupFacts[]): GroupTotals {
  const count = (holds: (group: GroupFacts) => boolean) => groups.filter(holds).length;
  const sum = (of: (group: GroupFacts) => number) =>
    groups.reduce((total, group) => total + of(group), 0);
  return {
    count: groups.length,
    led: count(({ leads }) => leads),
    without_leader: count(({ leader }) => leader === undefined),
    without_room: count(({ hasRoom }) => !hasRoom),
    without_vote: count(({ votes }) => !votes),
    not_caught_up: count(({ caughtUp }) => !caughtUp),
    unapplied_entries: sum(({ commitIndex, appliedIndex }) => commitIndex - appliedIndex),
    committed_entries: sum(({ commitIndex }) => commitIndex),
    terms: sum(({ term }) => term),
    proposals_refused: sum(({ overloads }) => overloads),
    objects_lacking: sum(({ coldLacking }) => coldLacking),
    hot_bytes: sum(({ hotBytes }) => hotBytes),
    cold_bytes: sum(({ coldBytes }) => coldBytes),
    streams: sum(({ streams }) => streams),
  };
}

/** `raft_groups` of the JSON. */
export function groupsJson({ groups }: MetricsView) {
  return groups.map((group) => ({
    id: group.id,
    core_id: group.shard,
    leader_id: group.leader === undefined ? null : nodeOf(group.leader),
    leads: group.leads,
    voters: group.voters.map(nodeOf),
    learners: group.learners.map(nodeOf),
    voter_stores: Object.fromEntries(group.voters.map((voter) => [nodeOf(voter), storeOf(voter)])),
    store_id: storeOf(group.member),
    votes: group.votes,
    caught_up: group.caughtUp,
    lag: Math.max(group.lastIndex, group.commitIndex) - group.appliedIndex,
    ...(group.leads ? { followers: group.followers.map(followerJson) } : {}),
    current_term: group.term,
    last_log_index: group.lastIndex,
    committed_index: group.commitIndex,
    last_applied_index: group.appliedIndex,
    has_room: group.hasRoom,
    proposals_in_flight: group.proposals,
    proposal_bytes_in_flight: group.proposalBytes,
    proposals_refused: group.overloads,
    hot_bytes: group.hotBytes,
    cold_bytes: group.coldBytes,
    cold_objects_lacking: group.coldLacking,
    streams: group.streams,
  }));
}

function followerJson({ member, match, silentMs }: GroupFacts["followers"][number]) {
  return { node_id: nodeOf(member), match_index: match, silent_ms: Math.round(silentMs) };
}

/**
 * The groups. Each is a line for every series here that has the label, on every node: so only what
 * somebody is woken up by has it, and everything else is a sum. The JSON has each group's all.
 */
export const GROUP_SERIES: readonly Series[] = [
  {
    name: "ursula_group_leader_id",
    type: "gauge",
    labels: ["group"],
    json: "raft_groups[].leader_id",
    help: "Node that leads the group, as far as this one knows; 0 where it knows of none.",
    read({ groups }, take) {
      for (const { id, leader } of groups) take(leader === undefined ? 0 : nodeOf(leader), id);
    },
  },
  {
    name: "ursula_group_hot_bytes",
    type: "gauge",
    labels: ["group"],
    json: "raft_groups[].hot_bytes",
    help: "Bytes of the group's streams that no object holds yet.",
    read({ groups }, take) {
      for (const { id, hotBytes } of groups) take(hotBytes, id);
    },
  },
  gauge({
    name: "ursula_groups",
    json: "groups.count",
    help: "Groups of which this node has a replica.",
    of: ({ totals }) => totals.count,
  }),
  gauge({
    name: "ursula_groups_led",
    json: "groups.led",
    help: "Groups that this node leads.",
    of: ({ totals }) => totals.led,
  }),
  gauge({
    name: "ursula_groups_without_leader",
    json: "groups.without_leader",
    help: "Groups of which this node knows no leader.",
    of: ({ totals }) => totals.without_leader,
  }),
  gauge({
    name: "ursula_groups_without_room",
    json: "groups.without_room",
    help: "Groups of which this node takes in no entries, for want of room.",
    of: ({ totals }) => totals.without_room,
  }),
  gauge({
    name: "ursula_groups_without_vote",
    json: "groups.without_vote",
    help: "Groups in which this node is no voter.",
    of: ({ totals }) => totals.without_vote,
  }),
  gauge({
    name: "ursula_groups_not_caught_up",
    json: "groups.not_caught_up",
    help: "Groups in which this node has not caught up with a leader since its start.",
    of: ({ totals }) => totals.not_caught_up,
  }),
  gauge({
    name: "ursula_raft_unapplied_entries",
    json: "groups.unapplied_entries",
    help: "Entries that this node knows to be committed and has not applied yet.",
    of: ({ totals }) => totals.unapplied_entries,
  }),
  counter({
    name: "ursula_raft_committed_entries_total",
    json: "groups.committed_entries",
    help: "Entries that this node knows to be committed, since the groups were made.",
    of: ({ totals }) => totals.committed_entries,
  }),
  counter({
    name: "ursula_raft_terms_total",
    json: "groups.terms",
    help: "Terms of all groups, added up: grows with every election.",
    of: ({ totals }) => totals.terms,
  }),
  gauge({
    name: "ursula_hot_bytes",
    json: "groups.hot_bytes",
    help: "Bytes of streams that no object holds yet.",
    of: ({ totals }) => totals.hot_bytes,
  }),
  gauge({
    name: "ursula_streams",
    json: "groups.streams",
    help: "Streams that the node holds.",
    of: ({ totals }) => totals.streams,
  }),
  gauge({
    name: "ursula_objects_lacking",
    json: "groups.objects_lacking",
    help: "Objects that this node should have in its own store, and does not yet.",
    of: ({ totals }) => totals.objects_lacking,
  }),
];
