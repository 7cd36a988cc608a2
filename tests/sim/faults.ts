/**
 * What befalls nodes, and what must come of it.
 *
 * @module
 */

import { DiskError } from "../../io/mod.ts";
import { COLD_ROOT } from "./cold_setup.ts";
import type { SimDisk, SimDiskOperation } from "./disk.ts";
import { type Fault, oneOf } from "./plan.ts";
import type { SimRandom } from "./random.ts";
import { describe, type SimNode } from "./sim_node.ts";
import { Violation } from "./violation.ts";
import { pause, type World } from "./world.ts";

/** How far into the run a fault may strike, in events after the one before. */
const EVENTS_MAX = 550;
const DOWN_MS_MAX = 2_000;
const WALL_JUMP_MS_MAX = 3_600_000;
/** A node that meets a failing disk has this long to notice, and to end. */
const FATAL_MS_MAX = 5_000;
/** Free bytes of a disk that is almost full: below SPEC's 512 MiB. */
const LOW_BYTES = 100 * 1024 * 1024;
/** A node looks at its disk every second. */
const LOOK_MS = 2_500;

/** What faults need of the run. */
export interface FaultWorld extends World {
  /** Lets so many events happen, or fewer when `over` says so. */
  events(count: number, over?: () => boolean): Promise<void>;
  /** Starts a node and checks what came back. */
  bringUp(node: SimNode): Promise<void>;
  /** May the node's wall clock be set anew? In a cluster most must be right. */
  mayJump(node: SimNode): boolean;
  /** A copy of the node's disk, for a process that is nobody's replica. */
  tryStart(disk: SimDisk): Promise<Error | undefined>;
}

/** One fault, from its beginning until the node is up again. */
export async function strike(
  world: FaultWorld,
  node: SimNode,
  fault: Fault,
  random: SimRandom,
): Promise<void> {
  world.trace.line(`fault ${fault}`);
  await world.events(random.below(EVENTS_MAX));
  switch (fault) {
    case "kill":
      node.kill();
      return await comeBack(world, node, random, false);
    case "power_cut":
      node.cutPower();
      return await comeBack(world, node, random, true);
    case "stop":
      await node.stop();
      return await comeBack(world, node, random, random.chance(0.5));
    case "sync_fails":
      return await failDisk(world, node, random, "sync", 1 + random.below(40));
    case "write_fails":
      return await failDisk(world, node, random, "write", 1 + random.below(60));
    case "file_fails": {
      const operation = oneOf(random, ["open", "rename", "remove", "read"] as const);
      return await failDisk(world, node, random, operation, 1 + random.below(4));
    }
    case "disk_full":
      return await fillDisk(world, node, random);
    case "disk_low":
      return await lowDisk(world, node);
    case "wall_jumps":
      jumpWall(world, node, random);
      return await world.events(random.below(EVENTS_MAX));
    case "rot":
      return await rot(world, node, random);
  }
}

/** A wall clock is set anew. */
export function jumpWall(world: World, node: SimNode, random: SimRandom): void {
  const jumpMs = (random.chance(0.5) ? 1 : -1) * random.below(WALL_JUMP_MS_MAX);
  node.machine.wallOffsetMs += jumpMs;
  world.trace.line(`node ${node.id}: the wall clock jumps by ${jumpMs} ms`);
}

/** Restarts, perhaps only after another blow or two. */
export async function comeBack(
  world: FaultWorld,
  node: SimNode,
  random: SimRandom,
  losesPower: boolean,
): Promise<void> {
  await pause(world, random.next() * DOWN_MS_MAX);
  if (random.chance(0.15) && world.mayJump(node)) jumpWall(world, node, random);
  while (random.chance(0.3)) {
    const starting = node.start().catch(() => {});
    await world.events(random.below(60), () => node.runtime !== undefined);
    if (losesPower && random.chance(0.5)) node.cutPower();
    else node.kill();
    await starting;
  }
  if (random.chance(0.1)) await failStart(world, node, random);
  await world.bringUp(node);
}

/** A read or a write fails while the node starts: it says so, or did not need it. */
async function failStart(world: World, node: SimNode, random: SimRandom): Promise<void> {
  const { disk } = node;
  const operation = oneOf(random, ["read", "open", "write", "sync", "rename"] as const);
  disk.failAt(operation, 1 + random.below(12));
  world.trace.line(`node ${node.id}: ${operation} will fail at start`);
  let refused: unknown;
  await node.start().catch((reason) => refused = reason);
  if (refused !== undefined && !(refused instanceof DiskError)) {
    throw new Violation("faults", `${operation} failed; the start says ${describe(refused)}`);
  }
  if (node.running) node.kill();
}

/** A disk operation fails, and with it the node. */
export async function failDisk(
  world: FaultWorld,
  node: SimNode,
  random: SimRandom,
  operation: SimDiskOperation,
  nth: number,
): Promise<void> {
  const { disk } = node;
  const fault = disk.failAt(operation, nth);
  world.trace.line(`node ${node.id}: ${operation} ${nth} will fail`);
  await world.events(2 * EVENTS_MAX, () => fault.path !== undefined || !node.running);
  // Without a copy of an object a node does for a while.
  const isFatal = fault.path !== undefined && !fault.path.startsWith(COLD_ROOT);
  if (isFatal) await mustEnd(world, node, `${operation} failed`);
  if (node.running) node.kill();
  const losesPower = world.plan.fsync && random.chance(0.5);
  if (losesPower) node.cutPower();
  await comeBack(world, node, random, losesPower);
}

async function mustEnd(world: FaultWorld, node: SimNode, what: string): Promise<void> {
  const untilMs = world.clock.monotonicMs() + FATAL_MS_MAX;
  const isOver = () => !node.running || world.clock.monotonicMs() >= untilMs;
  await world.events(Infinity, isOver);
  if (node.running) throw new Violation("faults", `${what}, and the node goes on`);
}

/** A disk is full for a while. */
export async function fillDisk(world: FaultWorld, node: SimNode, random: SimRandom): Promise<void> {
  const { disk } = node;
  const room = random.below(2 * world.plan.segmentBytes);
  disk.setCapacity(disk.usedBytes() + room);
  world.trace.line(`node ${node.id}: the disk has room for ${room} bytes`);
  await world.events(EVENTS_MAX, () => !node.running);
  if (node.running) node.kill();
  node.disk.setCapacity(Infinity);
  await comeBack(world, node, random, false);
}

/** With little room left writes are refused, and taken again when there is room. */
async function lowDisk(world: FaultWorld, node: SimNode): Promise<void> {
  const { disk } = node;
  disk.setCapacity(disk.usedBytes() + LOW_BYTES);
  await pause(world, LOOK_MS);
  const command = { type: "create", key: "low/disk", closed: false } as const;
  const answer = await node.call(({ streams }) => streams.create(command, "refuse"));
  if (!("unavailable" in answer) || answer.unavailable !== "overloaded") {
    throw new Violation("faults", `on a full disk a create was answered ${JSON.stringify(answer)}`);
  }
  disk.setCapacity(Infinity);
  await pause(world, LOOK_MS);
}

/** Bits flip in data at rest: the node notices, or nobody needed them. */
async function rot(world: FaultWorld, node: SimNode, random: SimRandom): Promise<void> {
  await node.stop();
  const real = node.disk;
  const tries = 1 + random.below(3);
  for (let at = 0; at < tries; at++) {
    const copy = real.crash();
    const files = copy.paths().filter((path) => copy.content(path).length > 0);
    const path = oneOf(random, files);
    const content = copy.content(path);
    const used = content.findLastIndex((byte) => byte !== 0) + 1;
    const position = random.below(random.chance(0.9) ? Math.max(1, used) : content.length);
    copy.rot(path, position, random.below(8));
    world.trace.line(`node ${node.id}: a bit rots in ${path} at ${position}`);
    const refused = await world.tryStart(copy);
    const names = refused === undefined || refused.message.includes(path);
    if (!names) {
      throw new Violation("faults", `${path} is rotten at ${position}: ${describe(refused)}`);
    }
  }
  node.disk = real.kill();
  await comeBack(world, node, random, false);
}
