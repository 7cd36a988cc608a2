import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { pause } from "../machine.ts";
import { duration } from "../output.ts";
import { Patience } from "../patience.ts";
import { obstacleOf } from "../safety.ts";
import { figuresOf, groupIds, lagOf, leaderOf, nodeOf } from "../view.ts";
import type { ClusterView } from "../view.ts";

/** Options of {@linkcode wait}. */
export interface WaitOptions {
  readonly node: number;
  /** Entries that it may lack of each group. */
  readonly lagTolerance: number;
  /** For how long nothing may move, in ms. */
  readonly timeout: number;
}

const LOOK_EVERY_MS = 200;

/** Until a node is a voter of every group and has caught up; gives up only when nothing moves. */
export async function wait(context: Context, options: WaitOptions): Promise<void> {
  const { screen } = context;
  const { node: id, lagTolerance, timeout } = options;
  const cluster = await context.cluster();
  cluster.node(id);
  const patience = new Patience(timeout);
  for (;;) {
    const view = await cluster.view();
    const obstacle = groupWithout(view, id) ?? obstacleOf(view, id, lagTolerance);
    const node = nodeOf(view, id);
    if (obstacle === undefined && node !== undefined) {
      const lag = lagOf(node);
      await screen.result({ node_id: id, caught_up: true, groups: node.groups.size, lag });
      return await screen.line(`node ${id} votes in ${node.groups.size} groups and has caught up`);
    }
    if (patience.isOver(view.atMs, figuresOf(node))) {
      throw new Failure(`no progress for ${duration(timeout)}: ${obstacle}`);
    }
    screen.progress(`waiting: ${obstacle}`);
    await pause(LOOK_EVERY_MS);
  }
}

/** Why the node is no voter everywhere. */
function groupWithout(view: ClusterView, id: number): string | undefined {
  for (const group of groupIds(view)) {
    const led = leaderOf(view, group);
    if (led === undefined) return `group ${group} has no leader`;
    if (!led.group.voters.includes(id)) return `node ${id} is no voter of group ${group}`;
  }
}
