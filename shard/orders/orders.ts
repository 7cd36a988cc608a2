import type { Group } from "../../group/mod.ts";
import type { Clock } from "../../io/mod.ts";
import type { MemberId } from "../../raft/mod.ts";
import type { LearnersSource } from "../caretaker.ts";
import type { ColdWork } from "../cold/work.ts";
import type { Snapshots } from "../snapshots.ts";
import { Memberships } from "./membership.ts";
import { type Pacing, pacingOf } from "./pacing.ts";
import { transfer } from "./transfer.ts";
import type { GroupOrder, OrderAnswer } from "./types.ts";

/** What orders are carried out with. */
export interface OrdersOptions {
  readonly clock: Clock;
  /** Ids of all nodes that are configured, this one included. */
  readonly nodes: readonly number[];
  /** The member on a node now; undefined while it is not connected. */
  readonly present: (node: number) => MemberId | undefined;
  /** Says which learners have all objects; undefined where none can lack. */
  readonly learners: LearnersSource | undefined;
  /** Who writes a group's RaftSnapshots; undefined where nothing is kept on disk. */
  readonly snapshotsOf: (group: number) => Snapshots | undefined;
  /** Undefined where there is no place for objects. */
  readonly cold: ColdWork | undefined;
}

/** What an operator may order of the groups of a shard. Nothing here is done without being asked. */
export class Orders {
  readonly #options: OrdersOptions;
  readonly #pacing: Pacing;
  readonly #memberships: Memberships;
  #stopped = false;

  constructor(options: OrdersOptions) {
    this.#options = options;
    const pacing = this.#pacing = pacingOf(options.clock, () => this.#stopped);
    this.#memberships = new Memberships({ ...options, pacing });
  }

  /** Carries an order out, or says why not. */
  async obey(group: Group, order: GroupOrder): Promise<OrderAnswer> {
    if (this.#stopped) return { refused: "shutting_down" };
    switch (order.order) {
      case "snapshot":
        return await this.#snapshot(group);
      case "purge":
        return this.#purge(group);
      case "transfer":
        return await transfer(group, order.node, this.#pacing);
      case "learner":
        return this.#knows([order.node]) ?? await this.#memberships.addLearner(group, order.node);
      case "membership":
        return this.#knows(order.voters) ??
          await this.#memberships.setVoters(group, order.voters);
      case "flush":
        return await this.#options.cold?.flush(group, order.key) ?? { refused: "no_cold_store" };
    }
  }

  /** Whoever waits for an order is answered that the node ends. */
  stop(): void {
    this.#stopped = true;
  }

  async #snapshot(group: Group): Promise<OrderAnswer<"snapshot">> {
    const snapshots = this.#options.snapshotsOf(group.id);
    if (snapshots !== undefined) {
      const index = await snapshots.takeNow(group);
      return index === undefined ? { refused: "shutting_down" } : { index };
    }
    // In memory the state itself is what a RaftSnapshot would hold, and is sent as one.
    const { appliedIndex, snapshotIndex } = group.status();
    if (appliedIndex > snapshotIndex && !group.core.installing) {
      group.compact(group.core.markAt(appliedIndex), group.logBytes);
    }
    return { index: Math.max(appliedIndex, snapshotIndex) };
  }

  #purge(group: Group): OrderAnswer<"purge"> {
    group.core.purge();
    const { firstIndex, snapshotIndex } = group.status();
    // On disk the journal has whatever the RaftSnapshot does not cover, though memory may not.
    const isKept = this.#options.snapshotsOf(group.id) !== undefined;
    return { firstIndex: isKept ? snapshotIndex + 1 : Math.max(firstIndex, snapshotIndex + 1) };
  }

  #knows(nodes: readonly number[]): { refused: "invalid_node"; nodes: number[] } | undefined {
    const strangers = nodes.filter((node) => !this.#options.nodes.includes(node));
    return strangers.length === 0 ? undefined : { refused: "invalid_node", nodes: strangers };
  }
}
