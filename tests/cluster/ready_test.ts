/** What `/readyz` says of a node that is cut off, and of one that comes back with nothing. */

import assert from "node:assert/strict";
import { pause } from "../http/expect.ts";
import { clusterTest } from "./cluster_case.ts";
import type { ClusterNode } from "./cluster_node.ts";

const GROUPS = 8;
/** Two seconds of silence end a link; the rest is what a busy machine adds. */
const NOTICED_MS_MAX = 15_000;

clusterTest(
  "a node is unready while it is cut off, and nobody else is",
  { links: true, groups: GROUPS },
  async (cluster) => {
    const [first, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
    assert.deepEqual(await readiness(first), { status: 200, text: "ok\n" });
    cluster.isolate(1);
    const cut = await until(first, ({ status }) => status === 503);
    assert.match(cut.text, /not_ready.*cut off from a majority/);
    for (const node of [second, third]) assert.equal((await readiness(node)).status, 200);
    const health = await fetch(`${first.url}/healthz`);
    assert.deepEqual([health.status, await health.text()], [200, "ok\n"]);
    cluster.heal();
    await until(first, ({ status }) => status === 200);
  },
);

clusterTest(
  "in memory mode a node that came back is ready once it votes everywhere",
  { memory: true, groups: GROUPS },
  async (cluster) => {
    const third = cluster.node(3);
    await third.kill();
    await third.launch();
    const reasons = new Set<string>();
    await until(third, ({ status, text }) => {
      if (status !== 200) reasons.add(text);
      return status === 200;
    });
    assert.match([...reasons].join(), /no voter of group|has not formed/);
    const metrics = await (await fetch(`${third.url}/__ursula/metrics`)).json();
    for (const { id, voters, learners, leader_id } of metrics.raft_groups) {
      assert.deepEqual([voters.toSorted(), learners], [[1, 2, 3], []], `group ${id}`);
      assert.ok([1, 2, 3, null].includes(leader_id), `group ${id}: ${leader_id}`);
    }
  },
);

interface Readiness {
  readonly status: number;
  readonly text: string;
}

async function readiness(node: ClusterNode): Promise<Readiness> {
  const response = await fetch(`${node.url}/readyz`);
  return { status: response.status, text: await response.text() };
}

async function until(
  node: ClusterNode,
  holds: (readiness: Readiness) => boolean,
): Promise<Readiness> {
  const deadline = performance.now() + NOTICED_MS_MAX;
  for (;;) {
    // It may not listen yet.
    const found = await readiness(node).catch((reason) => ({ status: 0, text: String(reason) }));
    if (holds(found)) return found;
    if (performance.now() > deadline) throw new Error(`node ${node.id}: ${JSON.stringify(found)}`);
    await pause(20);
  }
}
