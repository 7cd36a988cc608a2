/**
 * Orders to the nodes of a cluster through their admin planes.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ADMIN_PATHS,
  type AdminError,
  type GroupMembers,
  type GroupMetrics,
  type Maintenance,
  type NodeMetrics,
} from "../../protocol/admin.ts";
import { eventually, pause } from "../http/expect.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./cluster_node.ts";

/** An answer of the admin plane. */
export interface Ordered<T> {
  readonly status: number;
  readonly body: T & AdminError;
}

const ORDER_MS_MAX = 40_000;
const RETRY_MS = 50;

/** POST, or another method, of a path of a node's admin plane. */
export async function order<T>(
  node: ClusterNode,
  path: string,
  method = "POST",
): Promise<Ordered<T>> {
  const response = await fetch(node.adminUrl + path, {
    method,
    signal: AbortSignal.timeout(ORDER_MS_MAX),
  });
  return { status: response.status, body: await response.json() };
}

/** What a node says of itself. */
export async function metricsOf(node: ClusterNode): Promise<NodeMetrics> {
  return (await order<NodeMetrics>(node, ADMIN_PATHS.metrics, "GET")).body;
}

/** What a node says of one of its groups. */
export async function groupOn(node: ClusterNode, group: number): Promise<GroupMetrics> {
  const found = (await metricsOf(node)).raft_groups.find(({ id }) => id === group);
  assert.ok(found, `node ${node.id} has group ${group}`);
  return found;
}

/** Gives an order to whoever leads a group, again and again where that has just changed. */
export async function orderLeader<T>(
  cluster: Cluster,
  path: string,
  start = 1,
): Promise<Ordered<T>> {
  const deadline = performance.now() + ORDER_MS_MAX;
  for (let id = start;;) {
    const answer = await order<T>(cluster.node(id), path);
    if (answer.body.error?.code !== "not_leader" || performance.now() > deadline) return answer;
    id = answer.body.error.leader_id ?? id;
    await pause(RETRY_MS);
  }
}

/** Has these nodes vote in every group, and no others. */
export async function setVoters(
  cluster: Cluster,
  groups: number,
  voters: readonly number[],
): Promise<void> {
  for (let group = 0; group < groups; group++) {
    const path = ADMIN_PATHS.membership(group, voters);
    const { status, body } = await orderLeader<GroupMembers>(cluster, path, voters[0]);
    assert.deepEqual([status, body], [200, { group, voters, learners: [] }]);
  }
}

/** Drains a node until it leads nothing. */
export async function drain(node: ClusterNode): Promise<void> {
  await eventually(
    async () => {
      const { status, body } = await order<Maintenance>(node, ADMIN_PATHS.maintenance);
      assert.deepEqual([status, body.node_id, body.draining], [200, node.id, true]);
      return body.leaderships === 0;
    },
    `node ${node.id} leads nothing`,
    20_000,
  );
}
