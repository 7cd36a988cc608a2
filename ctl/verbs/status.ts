import type { Context } from "../context.ts";
import { type Colour, duration, listed, table } from "../output.ts";
import { lagOf, leaderless, leaderships, type NodeView } from "../view.ts";

const HEAD = ["NODE", "STATE", " GROUPS", " LEADS", " LAG", "UPTIME", "VERSION", "ADDRESS"];

/** A line for each node, whether it answers or not. */
export async function status(context: Context): Promise<void> {
  const { screen } = context;
  const cluster = await context.cluster();
  screen.progress("asking the nodes");
  const view = await cluster.view();
  const without = leaderless(view);
  const nodes = view.nodes.map((node) => ({
    id: node.id,
    http_url: cluster.node(node.id).address.httpUrl,
    ...reportOf(node),
  }));
  await screen.result({ nodes, groups_without_leader: without });
  const rows = nodes.map(({ id, state, groups, leads, lag, uptime_ms, version, http_url }) => {
    const cells = [groups, leads, lag].map((figure) => `${figure ?? "-"}`);
    const uptime = uptime_ms === null ? "-" : duration(uptime_ms);
    return [`${id}`, state, ...cells, uptime, version ?? "-", http_url];
  });
  const [head = "", ...lines] = table(HEAD, rows);
  await screen.line(screen.paint("dim", head));
  for (const [at, line] of lines.entries()) {
    const colour = COLOURS[nodes[at]?.state ?? ""];
    await screen.line(colour === undefined ? line : screen.paint(colour, line));
  }
  for (const { id, state, reason } of nodes) {
    if (reason !== null) await screen.line(`node ${id} is ${state}: ${reason}`);
  }
  if (without.length > 0) {
    await screen.line(screen.paint("red", `without a leader: group ${listed(without)}`));
  }
}

const COLOURS: Readonly<Record<string, Colour>> = {
  "down": "red",
  "not ready": "yellow",
  "draining": "yellow",
  "stopping": "yellow",
};

function reportOf(node: NodeView) {
  const { metrics, trouble, obstacle } = node;
  return {
    state: stateOf(node),
    reason: trouble ?? obstacle ?? null,
    groups: metrics === undefined ? null : node.groups.size,
    leads: metrics === undefined ? null : leaderships(node),
    lag: metrics === undefined ? null : lagOf(node),
    uptime_ms: metrics?.uptime_ms ?? null,
    version: metrics?.version ?? null,
  };
}

function stateOf({ metrics, obstacle }: NodeView): string {
  if (metrics === undefined) return "down";
  if (metrics.stopping) return "stopping";
  if (obstacle !== undefined) return "not ready";
  return metrics.draining ? "draining" : "up";
}
