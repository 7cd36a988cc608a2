import type { NodeClient } from "../client.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { checkGroups, chosenGroups, type GroupOptions } from "../groups.ts";
import { counted, table } from "../output.ts";
import { nodeOf } from "../view.ts";

/** Options of {@linkcode snapshot}. */
export interface ReplicaOptions extends GroupOptions {
  /** Only this node's replicas; without it, those of all nodes. */
  readonly node?: number;
  readonly dryRun?: boolean;
}

/** Has replicas take a RaftSnapshot. */
export async function snapshot(context: Context, options: ReplicaOptions): Promise<void> {
  await onReplicas(context, options, "SNAPSHOT AT", "index", async (node, group) => {
    return (await node.snapshot(group)).index;
  });
}

/** Does something to each chosen replica that answers a log index, and prints them. */
export async function onReplicas(
  context: Context,
  options: ReplicaOptions,
  title: string,
  field: string,
  act: (node: NodeClient, group: number) => Promise<number>,
): Promise<void> {
  checkGroups(options);
  const { screen } = context;
  const cluster = await context.cluster();
  const nodes = options.node === undefined ? cluster.nodes : [cluster.node(options.node)];
  const view = await cluster.view();
  const silent = nodes.map(({ id }) => nodeOf(view, id))
    .find((node) => node?.metrics === undefined);
  if (silent !== undefined) throw new Failure(`node ${silent.id}: ${silent.trouble}`);
  const groups = chosenGroups(view, options);
  const found: { node_id: number; group: number; index: number | null }[] = [];
  const total = groups.length * nodes.length;
  for (const node of nodes) {
    const held = groups.filter((group) => nodeOf(view, node.id)?.groups.has(group));
    await cluster.each(held, async (group) => {
      const index = options.dryRun === true ? null : await act(node, group);
      found.push({ node_id: node.id, group, index });
      screen.progress(`${found.length} of ${total} replicas`);
    });
  }
  found.sort((one, other) => one.group - other.group || one.node_id - other.node_id);
  const replicas = found.map(({ node_id, group, index }) => ({ node_id, group, [field]: index }));
  await screen.result({ replicas, ...(options.dryRun ? { dry_run: true } : {}) });
  if (options.dryRun === true) return await screen.line(counted(found.length, "replica"));
  const rows = found.map(({ node_id, group, index }) => [`${group}`, `${node_id}`, `${index}`]);
  for (const line of table([" GROUP", " NODE", ` ${title}`], rows)) await screen.line(line);
}
