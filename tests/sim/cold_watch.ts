import type { Group } from "../../group/mod.ts";
import { ColdObjects, EVERYBODY } from "./check/cold_objects.ts";
import type { ReplicaChecker, ReplicaLook } from "./check/replicas.ts";
import type { SimClock } from "./clock.ts";
import { type ColdLook, sharedBucket, type SimBucket } from "./cold_store.ts";
import type { Plan } from "./plan.ts";
import type { SimRandom } from "./random.ts";
import type { SimNode } from "./sim_node.ts";
import type { Trace } from "./trace.ts";

/** What a {@linkcode ColdWatch} needs of the run. */
export interface ColdWatchWorld {
  readonly plan: Plan;
  readonly clock: SimClock;
  readonly random: SimRandom;
  readonly trace: Trace;
  readonly nodes: () => readonly SimNode[];
  readonly replicas: () => ReplicaChecker;
}

/** The cold tier of a run, and everything that looks on at it. */
export class ColdWatch implements ReplicaLook {
  readonly objects: ColdObjects;
  /** The store that all nodes share; undefined where each has its own. */
  readonly bucket: SimBucket | undefined;
  readonly #world: ColdWatchWorld;

  constructor(world: ColdWatchWorld) {
    this.#world = world;
    const { plan, clock, random } = world;
    const look = this.look(EVERYBODY);
    const bucket = this.bucket = sharedBucket(plan.cold, { clock, random, look });
    this.objects = new ColdObjects({
      isShared: bucket !== undefined,
      nodes: plan.nodes,
      has: (node, key) =>
        node === EVERYBODY
          ? bucket?.content(key) !== undefined
          : world.nodes().some((found) => found.id === node && found.keeps(key)),
      latest: (group) => world.replicas().latest(group),
      live: (group) =>
        world.nodes().flatMap(({ id, groups }) =>
          groups.filter((found) => found.id === group).map(({ state }) => ({ node: id, state }))
        ),
    });
  }

  /** Sees what becomes of a node's objects, or of everybody's. */
  look(node: number): ColdLook {
    const { trace } = this.#world;
    const where = node === EVERYBODY ? "the store" : `node ${node}`;
    return {
      put: (key, sum) => {
        trace.line(`${where} has ${key}, ${sum}`);
        this.objects.put(key, sum);
      },
      deleted: (key) => {
        trace.line(`${where} loses ${key}`);
        this.objects.deleted(node, key);
      },
    };
  }

  /** See {@linkcode ReplicaLook}. */
  applied: ReplicaLook["applied"] = (group, command, state) => {
    const [node] = this.#world.nodes();
    this.objects.applied(group, command, state, node?.formationId ?? "");
  };

  /** See {@linkcode ReplicaLook}. */
  began: ReplicaLook["began"] = (group, state) => {
    const { cold } = state;
    const unpin = cold.unpin.bind(cold);
    cold.unpin = (number) => {
      const object = cold.objects.get(number);
      if (object !== undefined && object.references > 0) this.#unpinned(group, object);
      unpin(number);
    };
  };

  #unpinned({ id, member }: Group, object: Parameters<ColdObjects["unpinned"]>[2]): void {
    const node = this.#world.nodes().find((found) => found.member === member);
    if (node !== undefined) this.objects.unpinned(node.id, id, object, node.formationId);
  }
}
