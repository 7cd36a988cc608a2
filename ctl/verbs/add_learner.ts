import type { Context } from "../context.ts";
import { checkGroups, chosenGroups, eachGroup, type GroupOptions } from "../groups.ts";
import { counted } from "../output.ts";
import { leaderOf, nodeOf } from "../view.ts";

/** Options of {@linkcode addLearner}. */
export interface AddLearnerOptions extends GroupOptions {
  readonly node: number;
  readonly dryRun?: boolean;
}

/** Gives a node replicas of groups that do not vote. */
export async function addLearner(context: Context, options: AddLearnerOptions): Promise<void> {
  checkGroups(options);
  const { node, dryRun } = options;
  const { screen } = context;
  const cluster = await context.cluster();
  cluster.node(node);
  const view = await cluster.ledView();
  const groups = chosenGroups(view, options).filter((group) => {
    const led = leaderOf(view, group)?.group;
    if (led?.learners.includes(node) === true) return false;
    const store = nodeOf(view, node)?.groups.get(group)?.store_id;
    return led?.voters.includes(node) !== true || led.voter_stores[node] !== store;
  });
  if (dryRun !== true) {
    await eachGroup({ cluster, screen }, groups, async (group) => {
      await cluster.atLeader(group, (leader) => leader.addLearner(group, node));
    });
  }
  await screen.result({ node_id: node, groups, ...(dryRun ? { dry_run: true } : {}) });
  const would = dryRun === true ? "would become" : "became";
  await screen.line(`node ${node} ${would} a learner of ${counted(groups.length, "group")}`);
}
