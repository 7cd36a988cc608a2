/**
 * Tests on a cluster of their own, which is gone when they end, and whose logs are shown when they fail.
 *
 * @module
 */

import { Cluster, type ClusterOptions } from "./cluster.ts";

/** A test that takes longer hangs. */
const TEST_MS_MAX = 110_000;

/** Registers a test; `body` gets a cluster all of whose nodes are ready. */
export function clusterTest(
  name: string,
  options: ClusterOptions,
  body: (cluster: Cluster) => Promise<void>,
): void {
  Deno.test(name, () => withCluster(options, body));
}

/** Runs `body` on a cluster of its own, for so long at most. */
export async function withCluster(
  options: ClusterOptions,
  body: (cluster: Cluster) => Promise<void>,
  msMax?: number,
): Promise<void> {
  await runOn(await Cluster.prepare(options), body, msMax);
}

/** Starts the nodes of a cluster, runs `body` on it, and makes it go away: for so long at most. */
export async function runOn(
  cluster: Cluster,
  body: (cluster: Cluster) => Promise<void>,
  msMax = TEST_MS_MAX,
): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`not done within ${msMax / 1000} s`)),
    msMax,
  );
  const running = cluster.startAll().then(() => body(cluster));
  try {
    await Promise.race([running, late.promise]);
    cluster.assertAlive();
  } catch (error) {
    console.log(await cluster.logs());
    throw error;
  } finally {
    clearTimeout(timer);
    await cluster[Symbol.asyncDispose]();
    // Without its cluster, a body that hung ends soon; nothing of it may outlive the test.
    await running.catch(() => {});
  }
}
