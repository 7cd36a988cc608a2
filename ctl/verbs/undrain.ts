import type { Context } from "../context.ts";

/** Lets a node lead again; it gets its share back within half a minute. */
export async function undrain(
  context: Context,
  { node, dryRun }: { readonly node: number; readonly dryRun?: boolean },
): Promise<void> {
  const client = (await context.cluster()).node(node);
  const { draining } = dryRun === true ? await client.metrics() : await client.undrain();
  await context.screen.result({ node_id: node, draining, ...(dryRun ? { dry_run: true } : {}) });
  const was = draining ? "is draining, and would be undrained" : "is not draining";
  await context.screen.line(`node ${node} ${was}`);
}
