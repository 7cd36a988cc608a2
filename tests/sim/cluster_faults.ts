/**
 * What befalls a cluster: several things at a time, but never so much that it could not recover.
 *
 * @module
 */

import { comeBack, failDisk, type FaultWorld, fillDisk, jumpWall } from "./faults.ts";
import { demote, replace } from "./membership_faults.ts";
import type { SimNetwork } from "./network.ts";
import { type ClusterFault, oneOf } from "./plan.ts";
import type { SimRandom } from "./random.ts";
import type { SimNode } from "./sim_node.ts";
import { Violation } from "./violation.ts";
import { pause, type World } from "./world.ts";

/** Between the beginnings of two faults. */
const PAUSE_MS_MAX = 1_500;
/** A machine stands still, or a link is cut, for at most this; the next may do so meanwhile. */
const TROUBLE_MS_MAX = 4_000;
const DOWN_MS_MAX = 2_500;
/** A replica is deaf after two election timeouts (SPEC section 8), which its ticks notice. */
const DEAF_MS = 2_000;
/** A wiped node of a cluster in memory is a voter again after this, if a majority is up. */
const REPLACED_MS_MAX = 30_000;
const LOOK_MS = 50;
/** How long a sync may take on a slow disk. */
const SLOW_SYNC_MS = [30, 100, 300, 800, 1_500];
/** Free bytes of a disk that is almost full: below SPEC's 512 MiB. */
const LOW_BYTES = 100 * 1024 * 1024;

/** What faults of a cluster need of the run. */
export interface ClusterWorld extends FaultWorld {
  readonly network: SimNetwork;
  /** Something is wrong from now on; the answer says that it is over. */
  troubled(): () => void;
  /** Does every group count this node's store among its voters? */
  isVoter(node: SimNode): boolean;
}

/** All faults of the plan, one after the other or at once. */
export async function trouble(world: ClusterWorld, random: SimRandom): Promise<void> {
  const { cluster } = world.plan;
  const nemesis = new Nemesis(world, random);
  for (const fault of cluster?.faults ?? []) {
    await pause(world, random.next() * PAUSE_MS_MAX);
    const striking = nemesis.strike(fault);
    if (random.chance(0.5)) await striking;
  }
  await nemesis.end();
}

class Nemesis {
  readonly #world: ClusterWorld;
  readonly #random: SimRandom;
  /** Nodes that something befalls already. */
  readonly #busy = new Set<SimNode>();
  readonly #striking = new Set<Promise<void>>();
  /** Nodes that are cut off, and since when they have heard nothing. */
  readonly #alone = new Map<SimNode, number>();
  /** Somebody is not a voter everywhere, for a while or for good. */
  #isReshaping = false;
  /** Data that may be lost: a minority's. */
  #wipesLeft: number;

  constructor(world: ClusterWorld, random: SimRandom) {
    this.#world = world;
    this.#random = random;
    const minority = (world.nodes.length - 1) >> 1;
    this.#wipesLeft = minority;
  }

  /** Begins a fault; resolves when it is over. A failure is the run's. */
  strike(fault: ClusterFault): Promise<void> {
    const over = this.#world.troubled();
    const striking = this.#strike(fault, this.#random.fork())
      .catch((error) => this.#world.fail(error))
      .finally(() => {
        over();
        this.#striking.delete(striking);
      });
    this.#striking.add(striking);
    return striking;
  }

  /** Resolves when nothing is wrong any more. */
  async end(): Promise<void> {
    await Promise.all(this.#striking);
  }

  async #strike(fault: ClusterFault, random: SimRandom): Promise<void> {
    const world = this.#world;
    world.trace.line(`fault ${fault}`);
    switch (fault) {
      case "kill_all":
      case "power_cut_all":
        return await this.#strikeAll(fault, random);
      case "cut":
      case "cut_one_way":
      case "isolate":
      case "split":
      case "flap":
      case "slow":
        return await this.#strikeLinks(fault, random);
      case "disk_slow":
        return await this.#slowDisks(random);
      case "transfer":
        return this.#transfer(random);
      case "demote":
        return await this.#demote(random);
      case "wall_jumps":
        return this.#jump(random);
    }
    const free = world.nodes.filter((node) => !this.#busy.has(node) && node.running);
    if (free.length === 0) return;
    const node = oneOf(random, free);
    this.#busy.add(node);
    try {
      await this.#strikeNode(fault, node, random);
    } finally {
      this.#busy.delete(node);
    }
  }

  async #strikeNode(fault: ClusterFault, node: SimNode, random: SimRandom): Promise<void> {
    const world = this.#world;
    switch (fault) {
      case "kill":
        return await this.#down(node, random, () => node.kill());
      case "power_cut":
        return await this.#down(node, random, () => node.cutPower(), true);
      case "stop":
        return await this.#down(node, random, () => node.stop());
      case "wipe":
        return await this.#wipe(node, random);
      case "pause":
        node.pause();
        await pause(world, random.next() * TROUBLE_MS_MAX);
        node.resume();
        // What had come before it was cut off it hears only now.
        if (this.#alone.has(node)) this.#alone.set(node, world.clock.monotonicMs());
        return;
      case "sync_fails":
        return await failDisk(world, node, random, "sync", 1 + random.below(60));
      case "write_fails":
        return await failDisk(world, node, random, "write", 1 + random.below(90));
      case "file_fails": {
        const operation = oneOf(random, ["open", "rename", "remove", "read"] as const);
        return await failDisk(world, node, random, operation, 1 + random.below(4));
      }
      case "disk_full":
        return await fillDisk(world, node, random);
      case "disk_low":
        return await lowDisk(world, node, random);
    }
  }

  /** In memory whoever dies has lost its data: the next may die once it is replaced. */
  async #down(
    node: SimNode,
    random: SimRandom,
    die: () => void | Promise<void>,
    losesPower = false,
  ): Promise<void> {
    const world = this.#world;
    const isMemory = world.plan.cluster?.memory === true;
    if (!isMemory) {
      await die();
      return await comeBack(world, node, random, losesPower);
    }
    if (this.#wipesLeft === 0) return;
    this.#wipesLeft--;
    await die();
    await pause(world, random.next() * DOWN_MS_MAX);
    await world.bringUp(node);
    await this.#replaced(node);
    this.#wipesLeft++;
  }

  /** One at a time: with fewer voters a group does not bear that another one's data is lost. */
  async #wipe(node: SimNode, random: SimRandom): Promise<void> {
    if (this.#wipesLeft === 0 || this.#isReshaping) return;
    this.#wipesLeft--;
    this.#isReshaping = true;
    node.kill();
    node.wipe();
    await pause(this.#world, random.next() * DOWN_MS_MAX);
    await this.#world.bringUp(node);
    if (random.chance(0.3)) return;
    await pause(this.#world, random.next() * DOWN_MS_MAX);
    await replace(this.#world, node);
    this.#isReshaping = false;
    this.#wipesLeft++;
  }

  async #demote(random: SimRandom): Promise<void> {
    if (this.#isReshaping) return;
    this.#isReshaping = true;
    await demote(this.#world, random);
    this.#isReshaping = false;
  }

  async #replaced(node: SimNode): Promise<void> {
    const untilMs = this.#world.clock.monotonicMs() + REPLACED_MS_MAX;
    while (!this.#world.isVoter(node)) {
      if (this.#world.clock.monotonicMs() >= untilMs) {
        throw new Violation("progress", `node ${node.id} lost its memory, and is not replaced`);
      }
      await pause(this.#world, LOOK_MS);
    }
  }

  async #strikeAll(fault: "kill_all" | "power_cut_all", random: SimRandom): Promise<void> {
    const nodes = this.#world.nodes.filter((node) => !this.#busy.has(node) && node.running);
    for (const node of nodes) {
      this.#busy.add(node);
      if (fault === "kill_all") node.kill();
      else node.cutPower();
    }
    await Promise.all(nodes.map(async (node) => {
      await pause(this.#world, random.next() * DOWN_MS_MAX);
      await this.#world.bringUp(node);
      this.#busy.delete(node);
    }));
  }

  async #strikeLinks(fault: ClusterFault, random: SimRandom): Promise<void> {
    const world = this.#world;
    const { network } = world;
    const nodes = shuffled(world.nodes, random);
    const [one, other] = nodes as [SimNode, SimNode]; // there are at least three
    const reset = random.chance(0.5);
    const durationMs = (random.chance(0.2) ? 1 : 0.5) * TROUBLE_MS_MAX * random.next();
    switch (fault) {
      case "cut":
        network.cut(one.id, other.id, { reset });
        break;
      case "cut_one_way":
        for (const node of nodes.slice(1, 1 + 1 + random.below(nodes.length - 1))) {
          network.cut(one.id, node.id, { oneWay: true, reset });
        }
        break;
      case "isolate":
        for (const node of nodes.slice(1)) network.cut(one.id, node.id, { reset });
        if (!this.#alone.has(one)) this.#alone.set(one, world.clock.monotonicMs());
        break;
      case "split": {
        const at = 1 + random.below(nodes.length - 1);
        for (const left of nodes.slice(0, at)) {
          for (const right of nodes.slice(at)) network.cut(left.id, right.id, { reset });
        }
        break;
      }
      case "flap":
        network.faults.break = 0.02;
        network.faults.connect = 0.3;
        break;
      case "slow":
        network.faults.stall = 0.1;
    }
    await pause(world, durationMs);
    this.#checkDeaf();
    network.faults.break = network.faults.connect = network.faults.stall = 0;
    // Whatever is cut, by others too.
    network.heal();
    this.#alone.clear();
  }

  /** Whoever reads live from a node that nobody reaches must have been told to go elsewhere. */
  #checkDeaf(): void {
    const deafMs = this.#world.clock.monotonicMs() - DEAF_MS;
    for (const reader of this.#world.readers) {
      const { node, waits, ageMs } = reader;
      const sinceMs = this.#alone.get(node) ?? Infinity;
      if (sinceMs > deafMs || this.#busy.has(node) || !waits || ageMs < DEAF_MS) continue;
      throw new Violation("live", `node ${node.id} is cut off, and its readers wait`);
    }
  }

  /** Also of nodes that something else befalls; whoever is restarted finds its disk as slow. */
  async #slowDisks(random: SimRandom): Promise<void> {
    const world = this.#world;
    const nodes = random.chance(0.5) ? world.nodes : [oneOf(random, world.nodes)];
    const syncMsMin = oneOf(random, SLOW_SYNC_MS);
    for (const node of nodes) node.disk.syncMsMin = syncMsMin;
    world.trace.line(`${nodes.length} disks take ${syncMsMin} ms for a sync`);
    await pause(world, random.next() * TROUBLE_MS_MAX);
    for (const node of nodes) node.disk.syncMsMin = 0;
  }

  #jump(random: SimRandom): void {
    const nodes = this.#world.nodes.filter((node) => this.#world.mayJump(node));
    jumpWall(this.#world, oneOf(random, nodes), random);
  }

  #transfer(random: SimRandom): void {
    for (const node of shuffled(this.#world.nodes, random)) {
      const led = node.groups.filter((group) => group.leads);
      if (led.length === 0 || node.machine.paused) continue;
      const group = oneOf(random, led);
      const { membership, id } = group.status();
      const others = membership.voters.filter((voter) => voter !== id);
      if (others.length === 0) return;
      const to = oneOf(random, others);
      const refused = group.transfer(to);
      this.#world.trace.line(
        `node ${node.id}: group ${group.id} goes to ${to}: ${refused ?? "ok"}`,
      );
      return;
    }
  }
}

/** With little room left a node takes nothing new, and goes on when there is room. */
async function lowDisk(world: World, node: SimNode, random: SimRandom): Promise<void> {
  const { disk } = node;
  disk.setCapacity(disk.usedBytes() + LOW_BYTES);
  world.trace.line(`node ${node.id}: the disk is almost full`);
  await pause(world, random.next() * TROUBLE_MS_MAX);
  disk.setCapacity(Infinity);
}

function shuffled<T>(all: readonly T[], random: SimRandom): T[] {
  const left = [...all];
  const found: T[] = [];
  while (left.length > 0) found.push(...left.splice(random.below(left.length), 1));
  return found;
}
