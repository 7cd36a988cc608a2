import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { pause } from "../machine.ts";
import { counted, duration } from "../output.ts";
import type { ClusterView } from "../view.ts";

/** Options of {@linkcode waitReady}. */
export interface WaitReadyOptions {
  /** Groups that every node must have; without it, those that some node has. */
  readonly expectedGroups?: number;
  /** In ms. */
  readonly timeout: number;
}

const LOOK_EVERY_MS = 200;

/** Until every node is ready and has all groups, each with a leader. */
export async function waitReady(context: Context, options: WaitReadyOptions): Promise<void> {
  const { screen } = context;
  const startedMs = performance.now();
  const deadlineMs = startedMs + options.timeout;
  const cluster = await context.cluster();
  for (;;) {
    const view = await cluster.view();
    const reason = lack(view, options.expectedGroups);
    if (reason === undefined) {
      const ms = performance.now() - startedMs;
      const groups = view.nodes[0]?.groups.size ?? 0;
      await screen.result({ ready: true, nodes: view.nodes.length, groups, waited_ms: ms });
      const nodes = counted(view.nodes.length, "node");
      return await screen.line(`ready: ${nodes}, ${counted(groups, "group")}`);
    }
    if (performance.now() > deadlineMs) {
      throw new Failure(`not ready after ${duration(options.timeout)}: ${reason}`);
    }
    screen.progress(`waiting: ${reason}`);
    await pause(LOOK_EVERY_MS);
  }
}

/** What is missing; undefined when nothing is. */
function lack({ nodes }: ClusterView, expected: number | undefined): string | undefined {
  const count = expected ?? Math.max(1, ...nodes.map(({ groups }) => groups.size));
  for (const { id, metrics, trouble, obstacle, groups } of nodes) {
    if (metrics === undefined) return `node ${id} does not answer: ${trouble}`;
    if (groups.size !== count) return `node ${id} has ${groups.size} of ${count} groups`;
    const without = Array.from(groups.values()).find(({ leader_id }) => leader_id === null);
    if (without !== undefined) return `node ${id} knows no leader of group ${without.id}`;
    if (obstacle !== undefined) return `node ${id} is not ready: ${obstacle}`;
  }
}
