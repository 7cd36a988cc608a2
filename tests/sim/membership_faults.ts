/**
 * Changes of who takes part, as an operator makes them: asked of whoever leads, until they are done.
 *
 * @module
 */

import type { Group } from "../../group/mod.ts";
import { oneOf } from "./plan.ts";
import type { SimRandom } from "./random.ts";
import type { SimNode } from "./sim_node.ts";
import { Violation } from "./violation.ts";
import { pause, type World } from "./world.ts";

/** All groups have the members that they should after this, once a majority is up. */
const CHANGED_MS_MAX = 40_000;
const LOOK_MS = 50;
/** Whoever orders waits so long for an answer. */
const ORDER_MS_MAX = 35_000;
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
  const wanted = [...world.serving];
  const groups = Array.from({ length: world.plan.groups }, (_, group) => group);
  await Promise.all(groups.map(async (group) => {
    while (!await isEstablished(world, group, wanted)) {
      if (world.clock.monotonicMs() >= untilMs) {
        throw new Violation("progress", `the members of group ${group} do not change`);
      }
      await pause(world, LOOK_MS);
    }
  }));
}

/** Gives the order to whoever leads, and says whether it was carried out. */
async function isEstablished(
  world: World,
  group: number,
  wanted: readonly SimNode[],
): Promise<boolean> {
  const node = world.nodes.find((node) => leads(node, group));
  if (node === undefined) return false;
  const voters = wanted.map(({ id }) => id);
  const order = { order: "membership", voters } as const;
  const answer = await node.call((runtime) => runtime.order(group, order), ORDER_MS_MAX);
  const text = "refused" in answer ? answer.refused : Object.keys(answer).join();
  world.trace.line(`group ${group}: node ${node.id} is told the voters ${voters}: ${text}`);
  if (!("voters" in answer)) return false;
  // Their stores as they are now, unless somebody lost his meanwhile.
  return wanted.every(({ member, isWiped }) => isWiped || answer.voters.includes(member));
}

function leads({ machine, groups }: SimNode, group: number): boolean {
  return !machine.paused && groups.some(({ id, leads }) => id === group && leads);
}

function leaderOf(world: World, id: number): Group | undefined {
  const node = world.nodes.find((node) => leads(node, id));
  return node?.groups.find((group) => group.id === id);
}
