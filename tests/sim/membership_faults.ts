/**
 * Changes of who takes part, as an operator makes them: asked of whoever leads, until they are done.
 *
 * @module
 */

import type { Group } from "../../group/mod.ts";
import { lacks } from "./cold_audit.ts";
import { oneOf } from "./plan.ts";
import type { SimRandom } from "./random.ts";
import type { SimNode } from "./sim_node.ts";
import { Violation } from "./violation.ts";
import { pause, type World } from "./world.ts";

/** All groups have the members that they should after this, once a majority is up. */
const CHANGED_MS_MAX = 40_000;
const LOOK_MS = 50;
/** A learner that lacks fewer entries may vote. */
const LAG_ENTRIES_MAX = 32;
const DEMOTED_MS_MAX = 3_000;

/** In one group a voter becomes a learner, and after a while a voter again. */
export async function demote(world: World, random: SimRandom): Promise<void> {
  const group = random.below(world.plan.groups);
  const leader = leaderOf(world, group);
  const member = oneOf(random, world.serving).member;
  if (leader === undefined) return;
  const { voters, outgoing } = leader.status().membership;
  if (outgoing.length > 0 || !voters.includes(member)) return;
  const refused = leader.changeMembership({
    voters: voters.filter((voter) => voter !== member),
    learners: [member],
  });
  world.trace.line(`group ${group}: ${member} only learns: ${refused ?? "ok"}`);
  await pause(world, random.next() * DEMOTED_MS_MAX);
  await establish(world);
}

/** An operator gives the place of a node's lost store to the one that it has now. */
export async function replace(world: World, node: SimNode): Promise<void> {
  node.isWiped = false;
  world.trace.line(`node ${node.id} is replaced by ${node.member}`);
  await establish(world);
}

/** Resolves when the stores of all nodes that serve are the voters of every group. */
async function establish(world: World): Promise<void> {
  const untilMs = world.clock.monotonicMs() + CHANGED_MS_MAX;
  const wanted = world.serving.map(({ member }) => member);
  const left = new Set(Array.from({ length: world.plan.groups }, (_, group) => group));
  while (left.size > 0) {
    for (const group of left) {
      const leader = leaderOf(world, group);
      if (leader !== undefined && approach(world, leader, wanted)) left.delete(group);
    }
    if (world.clock.monotonicMs() >= untilMs) {
      throw new Violation("progress", `the members of group ${[...left]} do not change`);
    }
    await pause(world, LOOK_MS);
  }
}

/** One step towards the voters that are wanted; true where there is none to take. */
function approach(world: World, leader: Group, wanted: readonly string[]): boolean {
  const { membership: { voters, learners, outgoing }, others, commitIndex } = leader.status();
  if (outgoing.length > 0) return false;
  const staying = voters.filter((voter) => wanted.includes(voter));
  const missing = wanted.filter((member) => !voters.includes(member));
  if (missing.length === 0 && staying.length === voters.length) return true;
  if (staying.length < voters.length || missing.some((member) => !learners.includes(member))) {
    leader.changeMembership({ voters: staying, learners: missing });
    return false;
  }
  const follows = (learner: string) => {
    const match = others.find(({ id }) => id === learner)?.match ?? 0;
    return match > 0 && commitIndex - match <= LAG_ENTRIES_MAX && holdsAll(world, learner, leader);
  };
  if (learners.every(follows)) {
    leader.changeMembership({ voters: [...voters, ...missing], learners: [] });
  }
  return false;
}

/** Has a member copies of its own of all that it refers to, where it must? */
function holdsAll({ nodes, plan }: World, member: string, { id }: Group): boolean {
  if (plan.cold?.kind !== "own") return true;
  const node = nodes.find((found) => found.member === member);
  const group = node?.groups.find((found) => found.id === id);
  return node !== undefined && group !== undefined && lacks(node, group) === undefined;
}

function leaderOf(world: World, id: number): Group | undefined {
  for (const node of world.nodes) {
    if (node.machine.paused) continue;
    for (const group of node.groups) if (group.id === id && group.leads) return group;
  }
}
