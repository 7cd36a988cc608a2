import { CallError } from "../client.ts";
import type { Cluster } from "../cluster.ts";
import type { Context } from "../context.ts";
import { Aborted, UsageError } from "../failure.ts";
import { changeGroups, checkChanged, chosenGroups, type GroupOptions } from "../groups.ts";
import { counted } from "../output.ts";
import { Patience } from "../patience.ts";
import { type ClusterView, figuresOf, leaderOf, nodeOf } from "../view.ts";

/** Options of {@linkcode setVoters}. */
export interface SetVotersOptions extends GroupOptions {
  readonly voters: readonly number[];
  /** For how long a node that is caught up may make no progress, in ms. */
  readonly timeout: number;
  readonly dryRun?: boolean;
}

/** Has the groups decide to have these voters and no others, a few groups at a time. */
export async function setVoters(context: Context, options: SetVotersOptions): Promise<void> {
  const { voters, timeout, dryRun } = options;
  const { screen } = context;
  if (new Set(voters).size < voters.length) throw new UsageError("--voters names a node twice");
  const cluster = await context.cluster();
  for (const id of voters) cluster.node(id);
  const view = await cluster.ledView();
  const all = chosenGroups(view, options);
  const groups = all.filter((group) => !hasVoters(view, group, voters));
  const unwell = obstacle(view, groups, voters);
  if (unwell !== undefined) throw new Aborted(`nothing was changed: ${unwell}`);
  const changed = await changeGroups(
    { cluster, screen, dryRun },
    groups,
    (group) => changeVoters(cluster, group, voters, timeout),
  );
  await screen.result({ voters, ...changed, ...(dryRun ? { dry_run: true } : {}) });
  checkChanged(changed, groups.length);
  const would = dryRun === true ? "would get" : "got";
  const rest = all.length - groups.length;
  const had = rest === 0 ? "" : `, ${rest} had them`;
  await screen.line(
    `${counted(changed.groups.length, "group")} ${would} voters ${voters.join(", ")}${had}`,
  );
}

/** Has one group change its voters; whoever is new may take as long as it gets further. */
export async function changeVoters(
  cluster: Cluster,
  group: number,
  voters: readonly number[],
  timeoutMs: number,
): Promise<void> {
  const patience = new Patience(timeoutMs);
  for (;;) {
    try {
      await cluster.atLeader(group, (leader) => leader.setVoters(group, voters));
      return;
    } catch (error) {
      if (!(error instanceof CallError) || error.code !== "not_caught_up") throw error;
      const view = await cluster.recentView();
      const figures = voters.flatMap((id) => figuresOf(nodeOf(view, id)));
      if (patience.isOver(view.atMs, figures)) throw error;
    }
  }
}

/** Does the group have just these, each with the store that it has now? */
function hasVoters(view: ClusterView, group: number, voters: readonly number[]): boolean {
  const led = leaderOf(view, group)?.group;
  return led !== undefined && led.voters.length === voters.length &&
    voters.every((id) => {
      const store = nodeOf(view, id)?.groups.get(group)?.store_id;
      return led.voters.includes(id) && led.voter_stores[id] === store;
    });
}

/** Why no group should begin. */
function obstacle(
  view: ClusterView,
  groups: readonly number[],
  voters: readonly number[],
): string | undefined {
  for (const id of voters) {
    const node = nodeOf(view, id);
    if (node?.metrics === undefined) return `node ${id} does not answer: ${node?.trouble}`;
    if (node.metrics.stopping) return `node ${id} is about to end`;
  }
  const without = groups.find((group) => leaderOf(view, group) === undefined);
  return without === undefined ? undefined : `group ${without} has no leader`;
}
