/**
 * Tests of `ursulactl` on a cluster of their own, which is gone when they end, and whose logs are
 * shown when they fail.
 *
 * @module
 */

import { Cluster, type ClusterOptions } from "../cluster/cluster.ts";
import { freePorts } from "../cluster/ports.ts";
import { Supervisor } from "./supervisor.ts";

/** A test that takes longer hangs. */
const TEST_MS_MAX = 110_000;

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
  msMax = TEST_MS_MAX,
): Promise<void> {
  const cluster = await Cluster.prepare(options);
  const ports = freePorts(cluster.nodes.length);
  // A manifest does not change when a node is restarted.
  for (const [at, node] of cluster.nodes.entries()) {
    node.args = [...node.args, "--admin-listen", `127.0.0.1:${ports[at]}`];
  }
  await using supervisor = new Supervisor(cluster);
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`not done within ${msMax / 1000} s`)),
    msMax,
  );
  let running: Promise<void> | undefined;
  try {
    await cluster.startAll();
    running = supervisor.manifest().then((config) => body(cluster, supervisor, config));
    await Promise.race([running, late.promise]);
    cluster.assertAlive();
  } catch (error) {
    console.log(await cluster.logs());
    throw error;
  } finally {
    clearTimeout(timer);
    await cluster[Symbol.asyncDispose]();
    // Without its cluster, a body that hung ends soon; nothing of it may outlive the test.
    await running?.catch(() => {});
  }
}
