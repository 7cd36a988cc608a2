/**
 * Looks at everything once more, when all is quiet.
 *
 * @module
 */

import { joinSlices } from "../../group/mod.ts";
import { checkDiskUsage } from "./check/bounds.ts";
import type { ReplicaChecker } from "./check/replicas.ts";
import { checkResidue } from "./check/residue.ts";
import { COLD_ROOT } from "./cold_setup.ts";
import * as requests from "./requests.ts";
import type { SimNode } from "./sim_node.ts";
import { Violation } from "./violation.ts";
import { pause, type World } from "./world.ts";

const READ_BYTES_MAX = 100_000;
/** Replicas that can talk to each other have the same log after this. */
const CATCH_UP_MS = 20_000;
const LOOK_MS = 20;

/** Looks at a node, and at everything through it. */
export async function audit(world: World, node: SimNode, replicas: ReplicaChecker): Promise<void> {
  await caughtUp(world, node, replicas);
  checkResidue(node.groups);
  if (world.plan.cluster?.memory !== true) checkDiskUsage(node.disk, world.plan, node.groups);
  await replicas.compare(node.groups);
  for (const { id } of world.namespace.buckets) {
    await requests.exists(world, node, "audit", id);
    const page = { prefix: "", after: "", limit: 1000 };
    await requests.list(world, node, "audit", id, page);
  }
  for (const { key } of [...world.namespace.paths]) await auditPath(world, node, key);
}

/** Reads all there is through a node. */
export async function readAll(world: World, node: SimNode): Promise<void> {
  for (const { key } of world.namespace.paths) await readWhole(world, node, key);
}

/**
 * Reads all there is through a node whose disk has rotted: bytes are right, or there are none.
 *
 * @returns what damage it speaks of
 */
export async function readRotten(world: World, node: SimNode): Promise<Error | undefined> {
  let damage: Error | undefined;
  for (const { key } of [...world.namespace.paths]) {
    const request = { key, from: "start", maxBytes: 1 << 24, touch: false } as const;
    const answer = await node.call(({ streams }) => streams.read(request));
    if ("plan" in answer) {
      const { facts, from, slices } = answer.plan;
      world.ledger.read(key, facts.incarnation, from, joinSlices(slices), "a rotten disk");
    } else if (requests.isDamaged(answer)) {
      damage = new Error(`${COLD_ROOT}/${answer.object} is damaged`);
    }
  }
  return damage;
}

async function caughtUp(world: World, node: SimNode, replicas: ReplicaChecker): Promise<void> {
  const untilMs = world.clock.monotonicMs() + CATCH_UP_MS;
  for (;;) {
    const behind = node.groups.find((group) => !replicas.isCurrent(group));
    if (behind === undefined) return;
    if (world.clock.monotonicMs() >= untilMs) {
      const detail = `node ${node.id} does not catch up in group ${behind.id}`;
      throw new Violation("progress", detail);
    }
    await pause(world, LOOK_MS);
  }
}

/** Each path is whole, or free. */
async function auditPath(world: World, node: SimNode, key: string): Promise<void> {
  const facts = await readWhole(world, node, key);
  if (facts === "gone") return;
  if (facts === undefined) {
    const command = { type: "create", key, contentType: "text/plain", closed: false } as const;
    const answer = await requests.create(world, node, "audit", command, "make");
    if ("ok" in answer && answer.ok === "created") return;
    throw new Violation("residue", `${key} is neither there nor free: ${JSON.stringify(answer)}`);
  }
  const { ttlSeconds, expiresAtMs = Infinity } = facts;
  if (ttlSeconds !== undefined || expiresAtMs <= world.expiredMs(node)) {
    throw new Violation("time", `${key} should have expired: ${JSON.stringify(facts)}`);
  }
}

async function readWhole(world: World, node: SimNode, key: string) {
  let from = 0;
  for (;;) {
    const request = { key, from, maxBytes: READ_BYTES_MAX, touch: false };
    const answer = await requests.read(world, node, "audit", request);
    if ("refused" in answer) return answer.refused === "stream_gone" ? "gone" : undefined;
    if (!("plan" in answer)) throw new Violation("progress", `${key} can't be read`);
    const { facts, next, upToDate } = answer.plan;
    if (upToDate) {
      world.ledger.whole(key, facts.incarnation, facts.tail);
      return facts;
    }
    from = next;
  }
}
