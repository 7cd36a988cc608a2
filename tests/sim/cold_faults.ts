/**
 * What befalls the cold tier, beside all that befalls nodes and links.
 *
 * @module
 */

import { COLD_ROOT } from "./cold_setup.ts";
import type { SimBucket } from "./cold_store.ts";
import { type ColdFault, oneOf } from "./plan.ts";
import type { SimRandom } from "./random.ts";
import type { SimNode } from "./sim_node.ts";
import { pause, type World } from "./world.ts";

/** Between two of them. */
const PAUSE_MS_MAX = 1_500;
const TROUBLE_MS_MAX = 6_000;

/** All faults of the plan's cold tier, one after the other. */
export async function troubleCold(
  world: World,
  bucket: SimBucket | undefined,
  random: SimRandom,
): Promise<void> {
  const rotting = oneOf(random, world.nodes);
  for (const fault of world.plan.cold?.faults ?? []) {
    await pause(world, random.next() * PAUSE_MS_MAX);
    world.trace.line(`fault ${fault}`);
    if (fault === "cold_rot") rot(world, rotting, random);
    if (bucket === undefined) continue;
    fail(world, bucket, fault, random);
    await pause(world, random.next() * TROUBLE_MS_MAX);
    bucket.heal();
    world.trace.line("the store is well again");
  }
}

function fail(world: World, { faults }: SimBucket, fault: ColdFault, random: SimRandom): void {
  switch (fault) {
    case "cold_down":
      faults.isDown = true;
      return;
    case "cold_cut":
      faults.cutOff.add(oneOf(random, world.nodes).id);
      return;
    case "cold_flaky":
      faults.fails = random.next() * 0.5;
      faults.failsLate = random.next() * 0.5;
      return;
    case "cold_slow":
      faults.drags = 0.1 + random.next() * 0.9;
      return;
    case "cold_full":
      faults.isFull = true;
  }
}

/** A bit flips in a copy that lies on that node's disk; others have theirs. */
function rot(world: World, node: SimNode, random: SimRandom): void {
  const { disk } = node;
  const paths = disk.paths().filter((path) => isCopy(path) && disk.content(path).length > 0);
  if (paths.length === 0) return;
  const path = oneOf(random, paths);
  const position = random.below(disk.content(path).length);
  disk.rot(path, position, random.below(8));
  node.isRotten = true;
  world.trace.line(`node ${node.id}: a bit rots in ${path} at ${position}`);
}

/** Is it an object of a node's own store? */
export function isCopy(path: string): boolean {
  return path.startsWith(`${COLD_ROOT}/`) && path.endsWith(".object");
}
