import type { Cluster } from "../cluster.ts";
import type { Context } from "../context.ts";
import { Aborted, Failure } from "../failure.ts";
import { pause } from "../machine.ts";
import { counted } from "../output.ts";
import { Patience } from "../patience.ts";
import { type ClusterView, leaderships, nodeOf } from "../view.ts";

/** Options of {@linkcode drain}. */
export interface DrainOptions {
  readonly node: number;
  readonly dryRun?: boolean;
}

const ASK_EVERY_MS = 100;
/** For how long the number of leaderships may stay as it is. */
const PROGRESS_MS_MAX = 15_000;

/** Moves a node's leaderships to others, and keeps them there until it is undrained or ends. */
export async function drain(context: Context, { node, dryRun }: DrainOptions): Promise<void> {
  const cluster = await context.cluster();
  if (dryRun === true) return await plan(context, cluster, node);
  const { screen } = context;
  const client = cluster.node(node);
  const patience = new Patience(PROGRESS_MS_MAX);
  for (;;) {
    const { leaderships: left } = await client.drain();
    if (left === 0) break;
    if (patience.isOver(performance.now(), [-left])) {
      await client.undrain();
      throw new Aborted(`node ${node} still leads ${counted(left, "group")}; it is undrained`);
    }
    screen.progress(`node ${node} still leads ${counted(left, "group")}`);
    await pause(ASK_EVERY_MS);
  }
  await screen.result({ node_id: node, draining: true, leaderships: 0 });
  await screen.line(`node ${node} is drained: it leads nothing until it is undrained or restarted`);
}

/** What a drain would do, as things are. */
async function plan({ screen }: Context, cluster: Cluster, id: number): Promise<void> {
  cluster.node(id);
  const view = await cluster.view();
  const node = nodeOf(view, id);
  if (node?.metrics === undefined) throw new Failure(`node ${id}: ${node?.trouble}`);
  const moves = movesOf(view, id);
  await screen.result({ node_id: id, dry_run: true, leaderships: leaderships(node), moves });
  await screen.line(`node ${id} leads ${counted(leaderships(node), "group")}`);
  for (const { id: heir } of view.nodes) {
    const count = moves.filter(({ to }) => to === heir).length;
    if (count > 0) await screen.line(`  ${counted(count, "group")} would go to node ${heir}`);
  }
  const stuck = moves.filter(({ to }) => to === null).length;
  if (stuck > 0) {
    await screen.line(`  ${counted(stuck, "group")} would stay: no other voter is heard from`);
  }
}

/** Each group that the node leads, and the voter that holds most of its log. */
function movesOf(view: ClusterView, id: number): { group: number; to: number | null }[] {
  const groups = Array.from(nodeOf(view, id)?.groups.values() ?? []);
  return groups.filter(({ leads }) => leads).map(({ id: group, voters, followers }) => {
    const heirs = (followers ?? [])
      .filter(({ node_id, silent_ms }) => voters.includes(node_id) && silent_ms < 1_000)
      .sort((one, other) => other.match_index - one.match_index);
    return { group, to: heirs[0]?.node_id ?? null };
  });
}
