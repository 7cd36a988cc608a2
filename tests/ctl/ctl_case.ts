/**
 * Tests of `ursulactl` on a cluster of their own, which is gone when they end, and whose logs are
 * shown when they fail.
 *
 * @module
 */

import { Cluster, type ClusterOptions } from "../cluster/cluster.ts";
import { runOn } from "../cluster/cluster_case.ts";
import { freePorts } from "../cluster/ports.ts";
import { Supervisor } from "./supervisor.ts";

/** What a test works with. */
export type CtlBody = (cluster: Cluster, supervisor: Supervisor, config: string) => Promise<void>;

/** Registers a test; `body` gets a cluster all of whose nodes are ready, and a manifest of it. */
export function ctlTest(name: string, options: ClusterOptions, body: CtlBody): void {
  Deno.test(name, () => withOperatedCluster(options, body));
}

/** Runs `body` on a cluster of its own, for so long at most. */
export async function withOperatedCluster(
  options: ClusterOptions,
  body: CtlBody,
  msMax?: number,
): Promise<void> {
  const cluster = await Cluster.prepare(options);
  const ports = freePorts(cluster.nodes.length);
  // A manifest does not change when a node is restarted.
  for (const [at, node] of cluster.nodes.entries()) {
    node.args = [...node.args, "--admin-listen", `127.0.0.1:${ports[at]}`];
  }
  await using supervisor = new Supervisor(cluster);
  const operated = async () => body(cluster, supervisor, await supervisor.manifest());
  await runOn(cluster, operated, msMax);
}
