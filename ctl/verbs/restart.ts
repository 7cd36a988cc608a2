import type { Cluster } from "../cluster.ts";
import type { Context } from "../context.ts";
import { Aborted, UsageError } from "../failure.ts";
import { pause } from "../machine.ts";
import type { NodeAddress } from "../manifest.ts";
import { counted, duration } from "../output.ts";
import { RollingRestart } from "../rolling.ts";
import { obstacleToLosing } from "../safety.ts";
import { leaderships } from "../view.ts";

/** Options of {@linkcode restart}. */
export interface RestartOptions {
  readonly restartCmd: string;
  /** Only these, in this order; without it, all of the manifest. */
  readonly nodes?: readonly number[];
  readonly lagTolerance: number;
  /** How long a restarted node may make no progress, in ms. */
  readonly timeout: number;
  readonly dryRun?: boolean;
}

const LOOK_EVERY_MS = 200;
const DRAIN_EVERY_MS = 50;
/** What stands in a shell's word as it is. */
const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Restarts all nodes, one after the other, without a client noticing; see `RollingRestart`. */
export async function restart(context: Context, options: RestartOptions): Promise<void> {
  const { machine, screen } = context;
  const cluster = await context.cluster();
  const order = options.nodes ?? cluster.nodes.map(({ id }) => id);
  for (const id of order) cluster.node(id);
  if (new Set(order).size < order.length) throw new UsageError("--nodes names a node twice");
  if (options.dryRun === true) return await plan(context, cluster, order, options);
  let interrupts = 0;
  const unlisten = machine.onInterrupt(() => {
    if (++interrupts > 1) machine.exit(1);
    void screen.note("interrupted: stops at the next safe point; once more to end at once");
  });
  try {
    await roll(context, cluster, order, options, () => interrupts > 0);
  } finally {
    unlisten();
  }
}

async function roll(
  context: Context,
  cluster: Cluster,
  order: readonly number[],
  { restartCmd, lagTolerance, timeout }: RestartOptions,
  isInterrupted: () => boolean,
): Promise<void> {
  const { machine, screen } = context;
  const startedMs = performance.now();
  const rolling = new RollingRestart({ order, lagMax: lagTolerance, backMs: timeout });
  let nodeMs = startedMs;
  let told = 0;
  for (;;) {
    const view = await cluster.view();
    const step = rolling.next(view, isInterrupted());
    for (const id of rolling.done.slice(told)) {
      await screen.line(`node ${id} restarted in ${duration(performance.now() - nodeMs)}`);
      nodeMs = performance.now();
      told++;
    }
    if (step.act === "end") {
      const { done, left } = rolling;
      const ms = Math.round(performance.now() - startedMs);
      const aborted = step.aborted ?? null;
      await screen.result({ done, left, aborted, duration_ms: ms });
      if (aborted !== null) throw new Aborted(`${aborted} (${remainder(done, left)})`);
      return await screen.line(`restarted ${counted(done.length, "node")} in ${duration(ms)}`);
    }
    screen.progress(`${rolling.done.length}/${order.length} ${step.why}`);
    switch (step.act) {
      case "look":
        await pause(LOOK_EVERY_MS);
        break;
      case "drain":
      case "undrain":
        // What became of it, the next look shows.
        await cluster.node(step.node)[step.act]().catch(() => {});
        await pause(DRAIN_EVERY_MS);
        break;
      case "run": {
        const ranMs = performance.now();
        const command = fillIn(restartCmd, step.node, cluster.node(step.node).address);
        rolling.ran(ranMs, await machine.shell(command));
      }
    }
  }
}

function remainder(done: readonly number[], left: readonly number[]): string {
  const names = (ids: readonly number[]) => ids.length === 0 ? "none" : ids.join(", ");
  return `restarted: ${names(done)}; left: ${names(left)}`;
}

/** The command for a node: placeholders replaced by words of the shell. */
export function fillIn(command: string, id: number, { host, httpUrl }: NodeAddress): string {
  const values: Readonly<Record<string, string>> = {
    node_id: String(id),
    host,
    http_url: httpUrl,
  };
  return command.replace(/\{(node_id|host|http_url)\}/g, (_, name: string) => {
    const value = values[name] ?? "";
    return PLAIN.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
  });
}

/** What would be done, and whether it could begin now. */
async function plan(
  { screen }: Context,
  cluster: Cluster,
  order: readonly number[],
  { restartCmd, lagTolerance }: RestartOptions,
): Promise<void> {
  const view = await cluster.ledView();
  const steps = order.map((id) => {
    const node = view.nodes.find((node) => node.id === id);
    return {
      node_id: id,
      leaderships: node === undefined ? 0 : leaderships(node),
      command: fillIn(restartCmd, id, cluster.node(id).address),
      obstacle: obstacleToLosing(view, id, lagTolerance) ?? null,
    };
  });
  await screen.result({ dry_run: true, steps });
  for (const { node_id, leaderships, command } of steps) {
    await screen.line(
      `node ${node_id}: move ${counted(leaderships, "leadership")}, run: ${command}`,
    );
  }
  const obstacle = steps.find(({ obstacle }) => obstacle !== null)?.obstacle;
  if (obstacle !== undefined && obstacle !== null) {
    throw new Aborted(`it would not begin: ${obstacle}`);
  }
}
