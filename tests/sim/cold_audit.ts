/**
 * Looks at all objects once more, when all is quiet.
 *
 * @module
 */

import type { Group } from "../../group/mod.ts";
import {
  checkObject,
  ColdError,
  type ColdObject,
  groupPrefix,
  objectKey,
} from "../../storage/cold/mod.ts";
import type { SimNode } from "./sim_node.ts";
import { Violation } from "./violation.ts";
import { pause, type World } from "./world.ts";

/** A healed node has a copy of all that it needs after this. */
const HELD_MS_MAX = 30_000;
/** What is superfluous is gone so long after it may go: some sweeps and listings. */
const SWEPT_MS_MAX = 30_000;
const LOOK_MS = 100;
const LOOK_AT_LEFT_MS = 500;

/** Is every object whole that a replica refers to, and nothing pinned any more? */
export async function auditObjects(world: World): Promise<void> {
  const { cold } = world.plan;
  if (cold === undefined) return;
  // All see the same ones.
  const nodes = cold.kind === "shared" ? world.serving.slice(0, 1) : world.serving;
  for (const node of nodes) {
    for (const group of node.groups) {
      if (cold.kind === "own") await holdsAll(world, node, group);
      for (const object of referredTo(node, group)) await mustBeWhole(node, object);
    }
  }
}

/** Lets time go by until nothing is left that nobody refers to. */
export async function auditOrphans(world: World): Promise<void> {
  const untilMs = world.clock.monotonicMs() + (world.plan.cold?.keepsMs ?? 0) + SWEPT_MS_MAX;
  for (;;) {
    const left = await orphan(world);
    if (left === undefined) return;
    if (world.clock.monotonicMs() >= untilMs) {
      throw new Violation("orphans", `${left}, and nobody refers to it`);
    }
    await pause(world, LOOK_AT_LEFT_MS);
  }
}

async function orphan(world: World): Promise<string | undefined> {
  for (const node of world.serving) {
    for (const group of node.groups) {
      const wanted = new Set([...referredTo(node, group)].map((object) => objectKey(object)));
      const known = [...group.state.cold.objects.all()].find(({ references }) => references === 0);
      if (known !== undefined) return `group ${group.id} knows of object ${known.number}`;
      const prefix = groupPrefix({ formation: node.formationId, group: group.id });
      for await (const key of node.cold?.list(prefix) ?? []) {
        if (!wanted.has(key)) return `node ${node.id} has ${key}`;
      }
    }
  }
}

async function holdsAll(world: World, node: SimNode, group: Group): Promise<void> {
  const untilMs = world.clock.monotonicMs() + HELD_MS_MAX;
  for (;;) {
    const lacking = lacks(node, group);
    if (lacking === undefined) return;
    if (world.clock.monotonicMs() >= untilMs) throw new Violation("objects", lacking);
    await pause(world, LOOK_MS);
  }
}

/** An object that a replica refers to, and of which its node has no copy of its own. */
export function lacks(node: SimNode, group: Group): string | undefined {
  const [pinned] = group.state.cold.pinnedObjects();
  if (pinned !== undefined) return `node ${node.id} keeps object ${pinned} in memory`;
  for (const object of referredTo(node, group)) {
    const key = objectKey(object);
    if (!node.keeps(key)) return `node ${node.id} has no copy of ${key}`;
  }
}

async function mustBeWhole(node: SimNode, object: ColdObject): Promise<void> {
  if (node.cold === undefined) throw new Violation("objects", `node ${node.id} has no store`);
  try {
    await checkObject(node.cold, object);
  } catch (error) {
    if (!(error instanceof ColdError)) throw error;
    // Of what nobody has read nobody knows that it rots.
    if (error.kind === "corrupt" && node.isRotten) return;
    throw new Violation("objects", error.message);
  }
}

function* referredTo(node: SimNode, group: Group): Generator<ColdObject> {
  for (const { number, term, length, references } of group.state.cold.objects.all()) {
    // An empty snapshot lies nowhere.
    if (references === 0 || length === 0) continue;
    yield { formation: node.formationId, group: group.id, number, term, bytes: length };
  }
}
