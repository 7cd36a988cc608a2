/** What operators order of three real nodes, while clients write. */

import assert from "node:assert/strict";
import {
  ADMIN_PATHS,
  type LeaderTransferred,
  type LogPurged,
  type Maintenance,
  type RaftSnapshotTaken,
} from "../../protocol/admin.ts";
import { eventually, pause } from "../http/expect.ts";
import type { Cluster } from "./cluster.ts";
import { clusterTest } from "./cluster_case.ts";
import type { ClusterNode } from "./cluster_node.ts";
import { Load } from "./load.ts";
import { drain, groupOn, metricsOf, order, orderLeader, setVoters } from "./operator.ts";

const GROUPS = 4;
/** Longer than it takes until a leadership is given to the node whose turn it is. */
const GIVEN_BACK_MS = 7_500;

clusterTest(
  "groups go where an operator sends them, and stay away from a node that is drained",
  { groups: GROUPS },
  (cluster) =>
    Load.during(cluster, { streams: 24, readers: 6 }, async (load) => {
      await load.fault("drain of node 1", () => drain(cluster.node(1)));
      const drainedMs = performance.now();
      await snapshotsAndPurges(cluster);
      await transfers(cluster);
      await load.fault("three voters, two, three", async () => {
        await setVoters(cluster, GROUPS, [1, 2]);
        await unready(cluster.node(3));
        await setVoters(cluster, GROUPS, [1, 2, 3]);
        await cluster.node(3).ready();
      });
      await pause(Math.max(0, drainedMs + GIVEN_BACK_MS - performance.now()));
      await staysDrained(cluster, load);
    }),
);

clusterTest(
  "a node whose disk was lost takes its place again when an operator says so",
  { groups: GROUPS },
  (cluster) =>
    Load.during(cluster, { streams: 24, readers: 0 }, async (load) => {
      const third = cluster.node(3);
      const before = (await groupOn(third, 0)).store_id;
      await load.fault("SIGKILL of node 3", () => third.kill());
      await third.wipe();
      await third.launch();
      await unready(third);
      const { store_id, voter_stores, votes } = await groupOn(third, 0);
      assert.ok(store_id !== before && !votes, "it is another store, and nobody's voter");
      assert.equal(voter_stores["3"], undefined, "it knows of no other voters");
      await load.fault("node 3 is replaced", async () => {
        const path = ADMIN_PATHS.learner(0, 3);
        const { status, body } = await orderLeader(cluster, path);
        assert.deepEqual([status, body], [200, { group: 0, voters: [1, 2], learners: [3] }]);
        await setVoters(cluster, GROUPS, [1, 2, 3]);
        await third.ready();
      });
      const { voter_stores: stores } = await groupOn(cluster.node(1), 0);
      assert.equal(stores["3"], store_id);
      // It counts: with another node gone, nothing goes on without it.
      await load.fault("SIGKILL of node 1", () => cluster.node(1).kill());
      await cluster.node(1).start();
    }),
);

/** Is there for the admin plane, and not ready. */
async function unready(node: ClusterNode): Promise<void> {
  await eventually(
    async () => {
      const response = await fetch(`${node.url}/readyz`).catch(() => undefined);
      const text = await response?.text() ?? "";
      return response?.status === 503 && text.includes("no voter of group");
    },
    `node ${node.id} is no voter`,
    20_000,
  );
}

async function snapshotsAndPurges(cluster: Cluster): Promise<void> {
  for (const node of cluster.nodes) {
    const taken = await order<RaftSnapshotTaken>(node, ADMIN_PATHS.snapshot(1));
    assert.equal(taken.status, 200);
    assert.ok(taken.body.index > 0, `node ${node.id}: ${taken.body.index}`);
    const purged = await order<LogPurged>(node, ADMIN_PATHS.purge(1));
    assert.equal(purged.status, 200);
    assert.ok(purged.body.first_index > taken.body.index);
  }
}

async function transfers(cluster: Cluster): Promise<void> {
  const [, second, third] = cluster.nodes as [ClusterNode, ClusterNode, ClusterNode];
  const [from, to] = (await groupOn(second, 2)).leads ? [second, third] : [third, second];
  const refused = await order(to, ADMIN_PATHS.transfer(2, to.id));
  assert.deepEqual([refused.status, refused.body.error.code], [409, "not_leader"]);
  assert.equal(refused.body.error.leader_id, from.id);
  const moved = await order<LeaderTransferred>(from, ADMIN_PATHS.transfer(2, to.id));
  assert.deepEqual(moved, { status: 200, body: { group: 2, leader_id: to.id } });
  assert.ok((await groupOn(to, 2)).leads);
  const stranger = await order(to, ADMIN_PATHS.transfer(2, 9));
  assert.deepEqual([stranger.status, stranger.body.error.code], [400, "not_a_voter"]);
}

async function staysDrained(cluster: Cluster, load: Load): Promise<void> {
  const [first, second] = cluster.nodes as [ClusterNode, ClusterNode];
  const led = async () => {
    const { raft_groups, draining } = await metricsOf(first);
    assert.equal(draining, true);
    return raft_groups.filter(({ leads }) => leads).length;
  };
  assert.equal(await led(), 0, "nobody gives it anything back");
  await load.fault("SIGKILL of node 2", () => second.kill());
  // What the third lacks of a group's log only this one can lead with, until it can hand it over.
  await eventually(async () => await led() === 0, "it leaves it to the third");
  await second.start();
  const { status, body } = await order<Maintenance>(first, ADMIN_PATHS.maintenance, "DELETE");
  assert.deepEqual([status, body], [200, { node_id: 1, draining: false, leaderships: 0 }]);
}
