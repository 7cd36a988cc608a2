/** What `/readyz` and `/healthz` say in each failure: of who has failed, and of the others. */

import assert from "node:assert/strict";
import { eventually, pause } from "../http/expect.ts";
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
    await assertHealthy(first);
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

clusterTest(
  "whoever serves stays ready in each failure of another, and who does not says why",
  { links: true, groups: GROUPS },
  async (cluster) => {
    const [first, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];

    await readyMeanwhile(cluster.nodes, async () => {
      cluster.cut(1, 2);
      await pause(NOTICED_MS);
    });
    assert.equal(await reached(first), 1);
    cluster.heal();
    for (const node of [first, second]) await inTouch(node);

    await readyMeanwhile([first, second], async () => {
      await third.kill();
      await pause(ELECTED_MS);
    });
    await second.kill();
    const alone = await until(first, ({ status }) => status === 503);
    assert.match(alone.text, /not_ready.*cut off from a majority of the voters/);
    await assertHealthy(first);
    await Promise.all([second.launch(), third.launch()]);
    for (const node of cluster.nodes) await until(node, ({ status }) => status === 200);

    await readyMeanwhile([first, third], async () => {
      second.pause();
      await pause(NOTICED_MS);
      second.continue();
    });
    // It may say that all is well before it has heard that the others have dropped it.
    for (const node of [first, third, second]) await inTouch(node);
    await until(second, ({ status }) => status === 200);

    await readyMeanwhile([first, second], async () => {
      const said = new Set<string>();
      let isOver = false;
      const asking = (async () => {
        while (!isOver) said.add((await readiness(third).catch(() => GONE)).text);
      })();
      await third.stop();
      isOver = true;
      await asking;
      said.delete("ok\n");
      said.delete(GONE.text);
      for (const text of said) assert.match(text, /about to end|shutting_down/);
    });

    await readyMeanwhile([first, second], async () => {
      await third.wipe();
      await third.launch();
      await until(third, ({ text }) => /not_ready.*no voter of group 0/.test(text));
      await assertHealthy(third);
    });
    const metrics = await (await fetch(`${third.url}/__ursula/metrics`)).json();
    assert.deepEqual([metrics.ready, metrics.groups.without_vote], [false, GROUPS]);
    assert.match(metrics.not_ready_because, /no voter of group 0/);
  },
);

/** Longer than the silence that ends a link. */
const NOTICED_MS = 2_500;
/** Others have been elected by then. */
const ELECTED_MS = 1_500;
/** Of a node that does not answer. */
const GONE: Readiness = { status: 0, text: "no answer" };

/** Runs `work`, and sees to it that these nodes answer 200 all the while. */
async function readyMeanwhile(
  nodes: readonly ClusterNode[],
  work: () => Promise<void>,
): Promise<void> {
  let isOver = false;
  const watching = nodes.map(async (node) => {
    while (!isOver) {
      const { status, text } = await readiness(node);
      assert.equal(status, 200, `node ${node.id}: ${text}`);
      await pause(50);
    }
  });
  // They are awaited below, whatever happens before.
  for (const watch of watching) watch.catch(() => {});
  try {
    await work();
  } finally {
    isOver = true;
  }
  await Promise.all(watching);
}

/** How many other nodes a node is connected to. */
async function reached(node: ClusterNode): Promise<number> {
  return (await (await fetch(`${node.url}/__ursula/metrics`)).json()).peers.reached;
}

/** Resolves once a node is connected to both others. */
function inTouch(node: ClusterNode): Promise<void> {
  const what = `node ${node.id} reaches both others`;
  return eventually(async () => await reached(node) === 2, what, NOTICED_MS_MAX);
}

async function assertHealthy(node: ClusterNode): Promise<void> {
  const response = await fetch(`${node.url}/healthz`);
  assert.deepEqual([response.status, await response.text()], [200, "ok\n"]);
}

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
