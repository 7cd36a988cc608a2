import type { Cluster } from "../cluster.ts";
import type { Context } from "../context.ts";
import { Aborted, Failure } from "../failure.ts";
import { changeGroups, checkChanged } from "../groups.ts";
import { counted } from "../output.ts";
import { obstacleToLosing } from "../safety.ts";
import { type ClusterView, groupIds, leaderOf, nodeOf } from "../view.ts";
import { changeVoters } from "./set_voters.ts";

/** Options of {@linkcode replaceNode}. */
export interface ReplaceNodeOptions {
  readonly node: number;
  /** For how long the new node may make no progress, in ms. */
  readonly timeout: number;
  readonly dryRun?: boolean;
}

/** Entries that the voters of a group may lack when one of their number is replaced. */
const LAG_MAX = 1_000;

/**
 * Gives a node's place to the empty one that now runs under its address: group by group the old
 * member goes out, the new one comes in as a learner, is caught up, and votes. Run again after
 * whatever went wrong, it goes on where it was.
 */
export async function replaceNode(context: Context, options: ReplaceNodeOptions): Promise<void> {
  const { node: id, timeout, dryRun } = options;
  const { screen } = context;
  const cluster = await context.cluster();
  cluster.node(id);
  const view = await cluster.ledView();
  const groups = groupsToDo(view, id);
  const changed = await changeGroups(
    { cluster, screen, dryRun },
    groups,
    (group) => replaceIn(cluster, group, id, timeout),
  );
  await screen.result({ node_id: id, ...changed, ...(dryRun ? { dry_run: true } : {}) });
  checkChanged(changed, groups.length);
  const would = dryRun === true ? "would get its place in" : "has its place in";
  await screen.line(
    groups.length === 0
      ? `node ${id} has its place in every group already`
      : `the new node ${id} ${would} ${counted(changed.groups.length, "group")}`,
  );
}

/** Groups in which the node's old member votes, or its new one does not yet. */
function groupsToDo(view: ClusterView, id: number): number[] {
  const node = nodeOf(view, id);
  if (node?.metrics === undefined) {
    throw new Aborted(`start the new node ${id} first: ${node?.trouble}`);
  }
  const groups = groupIds(view);
  const withoutLeader = groups.find((group) => leaderOf(view, group) === undefined);
  if (withoutLeader !== undefined) throw new Aborted(`group ${withoutLeader} has no leader`);
  const isMember = groups.some((group) => {
    const led = leaderOf(view, group)?.group;
    return led?.voters.includes(id) || led?.learners.includes(id);
  });
  if (!isMember) {
    throw new Failure(`node ${id} is a member of no group: see ursulactl set-voters`);
  }
  return groups.filter((group) => stageOf(view, group, id) !== "done");
}

async function replaceIn(
  cluster: Cluster,
  group: number,
  id: number,
  timeoutMs: number,
): Promise<void> {
  const view = await cluster.recentView();
  const stage = stageOf(view, group, id);
  if (stage === "done") return;
  if (stage === "out") {
    // All nodes are looked at anew only where something is in the way: it may be a leadership that moves.
    const obstacle = obstacleToLosing(view, id, LAG_MAX) &&
      obstacleToLosing(await cluster.ledView(), id, LAG_MAX);
    if (obstacle !== undefined) throw new Aborted(obstacle);
    await cluster.atLeader(group, (leader) => leader.addLearner(group, id));
  }
  const voters = leaderOf(view, group)?.group.voters ?? [];
  const others = voters.filter((voter) => voter !== id);
  await changeVoters(cluster, group, [...others, id].sort((one, other) => one - other), timeoutMs);
}

/** How far a group has got: the old member is in, it is out, or the new one votes. */
function stageOf(view: ClusterView, group: number, id: number): "out" | "learner" | "done" {
  const led = leaderOf(view, group)?.group;
  const store = nodeOf(view, id)?.groups.get(group)?.store_id;
  if (led?.voters.includes(id)) return led.voter_stores[id] === store ? "done" : "out";
  return led?.learners.includes(id) ? "learner" : "out";
}
