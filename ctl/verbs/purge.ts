import type { Context } from "../context.ts";
import { onReplicas, type ReplicaOptions } from "./snapshot.ts";

/** Has replicas drop the log entries that their RaftSnapshots cover. */
export async function purge(context: Context, options: ReplicaOptions): Promise<void> {
  await onReplicas(context, options, "LOG BEGINS AT", "first_index", async (node, group) => {
    return (await node.purge(group)).first_index;
  });
}
