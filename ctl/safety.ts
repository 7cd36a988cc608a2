import type { GroupMetrics } from "../protocol/mod.ts";
import { type ClusterView, groupIds, leaderOf, nodeOf } from "./view.ts";

/** A voter that its leader has not heard from for longer can't be counted upon. */
const SILENT_MS_MAX = 2_000;

/**
 * Why the cluster can't do without the node now: some group would have too few voters, or one of
 * its others is down, cut off or behind. Undefined when every group goes on without it, and all of
 * its other voters are well.
 *
 * @param lagMax entries that a voter may lack
 */
export function obstacleToLosing(
  view: ClusterView,
  id: number,
  lagMax: number,
): string | undefined {
  const groups = groupIds(view);
  if (groups.length === 0) return "no node answers";
  for (const group of groups) {
    const led = leaderOf(view, group);
    if (led === undefined) return obstacleOfLeaderless(view, id, group);
    const { voters } = led.group;
    if (!voters.includes(id)) continue;
    const others = voters.filter((voter) => voter !== id);
    if (others.length < Math.floor(voters.length / 2) + 1) {
      return `group ${group} has ${voters.length} voters, and takes no writes without node ${id}`;
    }
    for (const other of others) {
      const trouble = troubleOf(view, other, led.node.id, led.group, lagMax);
      if (trouble !== undefined) return trouble;
    }
  }
}

/**
 * Why the node is not a whole part of the cluster: it does not answer, is not ready, is not yet a
 * voter where it should be, or lacks more than `lagMax` entries of some group.
 */
export function obstacleOf(view: ClusterView, id: number, lagMax: number): string | undefined {
  const node = nodeOf(view, id);
  const unwell = unwellness(view, id);
  if (node === undefined || unwell !== undefined) return unwell;
  for (const [number, group] of node.groups) {
    const led = leaderOf(view, number);
    if (led === undefined) return `group ${number} has no leader`;
    const trouble = led.group.voters.includes(id)
      ? troubleOf(view, id, led.node.id, led.group, lagMax)
      : led.group.learners.includes(id)
      ? `node ${id} is a learner of group ${number} yet`
      : undefined;
    if (trouble !== undefined) return trouble;
    if (group.lag > lagMax) return `node ${id} lacks ${group.lag} entries of group ${number}`;
  }
}

/**
 * The first group in whose voters the node is named with a store that it has not: its disk was lost,
 * and it must be replaced before anything else.
 */
export function groupOfLostStore(view: ClusterView, id: number): number | undefined {
  return groupIds(view).find((group) => {
    const held = nodeOf(view, id)?.groups.get(group);
    const named = leaderOf(view, group)?.group.voter_stores[id];
    return held !== undefined && named !== undefined && named !== held.store_id;
  });
}

/** Without a leader nothing can be said of a group, but a voter that does not answer says why. */
function obstacleOfLeaderless(view: ClusterView, id: number, group: number): string {
  for (const node of view.nodes) {
    const unwell = node.id === id ? undefined : unwellness(view, node.id);
    if (unwell !== undefined) return unwell;
  }
  return `group ${group} has no leader`;
}

function troubleOf(
  view: ClusterView,
  id: number,
  leader: number,
  led: GroupMetrics,
  lagMax: number,
): string | undefined {
  const unwell = unwellness(view, id);
  if (unwell !== undefined) return unwell;
  const held = nodeOf(view, id)?.groups.get(led.id);
  if (held === undefined) return `node ${id} holds nothing of group ${led.id} yet`;
  if (led.voter_stores[id] !== held.store_id) {
    return `node ${id} came back without its data: see ursulactl replace-node`;
  }
  if (!held.caught_up) return `node ${id} has not caught up with group ${led.id}`;
  if (held.cold_objects_lacking > 0) {
    return `node ${id} lacks ${held.cold_objects_lacking} objects of group ${led.id}`;
  }
  if (id === leader) return undefined;
  const follower = led.followers?.find(({ node_id }) => node_id === id);
  if (follower === undefined || follower.silent_ms > SILENT_MS_MAX) {
    return `node ${leader} leads group ${led.id} and does not hear node ${id}`;
  }
  const lag = led.committed_index - follower.match_index;
  return lag > lagMax ? `node ${id} lacks ${lag} entries of group ${led.id}` : undefined;
}

/** Why nothing can be expected of the node, whatever the group. */
export function unwellness(view: ClusterView, id: number): string | undefined {
  const node = nodeOf(view, id);
  if (node === undefined) return `node ${id} is a voter and not in the manifest`;
  if (node.metrics === undefined) return `node ${id} does not answer: ${node.trouble}`;
  if (node.metrics.stopping) return `node ${id} is about to end`;
  // Who is no voter everywhere is never ready, and may be meant to be none.
  if (node.obstacle === undefined || !votesEverywhere(view, id)) return undefined;
  return `node ${id} is not ready: ${node.obstacle}`;
}

function votesEverywhere(view: ClusterView, id: number): boolean {
  return groupIds(view).every((group) => leaderOf(view, group)?.group.voters.includes(id) ?? true);
}
