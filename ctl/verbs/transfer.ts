import type { Context } from "../context.ts";
import { checkGroups, chosenGroups, eachGroup, type GroupOptions } from "../groups.ts";
import { counted } from "../output.ts";
import { leaderOf } from "../view.ts";

/** Options of {@linkcode transfer}. */
export interface TransferOptions extends GroupOptions {
  readonly node: number;
  readonly dryRun?: boolean;
}

/** Has a node lead the groups. */
export async function transfer(context: Context, options: TransferOptions): Promise<void> {
  checkGroups(options);
  const { node, dryRun } = options;
  const { screen } = context;
  const cluster = await context.cluster();
  cluster.node(node);
  const view = await cluster.ledView();
  const groups = chosenGroups(view, options).filter((id) => leaderOf(view, id)?.node.id !== node);
  if (dryRun !== true) {
    await eachGroup({ cluster, screen }, groups, async (group) => {
      await cluster.atLeader(group, async (leader) => {
        // It may have got it meanwhile, by the first of two calls.
        if (leader.id !== node) await leader.transfer(group, node);
      });
    });
  }
  await screen.result({ node_id: node, groups, ...(dryRun ? { dry_run: true } : {}) });
  const would = dryRun === true ? "would be given" : "was given";
  await screen.line(`node ${node} ${would} ${counted(groups.length, "group")}`);
}
