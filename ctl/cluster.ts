import { CallError, metricsAt, NodeClient } from "./client.ts";
import { Aborted, Failure, messageOf } from "./failure.ts";
import { pause } from "./machine.ts";
import type { Manifest } from "./manifest.ts";
import { type ClusterView, leaderless, leaderOf, type NodeView, nodeView } from "./view.ts";

/** How long a group may be without a leader, or a leader refuse for now, before it is given up. */
const LEADER_MS_MAX = 15_000;
const LOOK_EVERY_MS = 200;
/** A view that several ask for at a time is shared for so long. */
const FRESH_MS = 400;
/** Groups that are worked on at a time. */
const GROUPS_AT_A_TIME = 4;

/** The nodes of the manifest. */
export class Cluster {
  readonly nodes: readonly NodeClient[];
  #recent: Promise<ClusterView> | undefined;
  #recentMs = -Infinity;

  private constructor(nodes: readonly NodeClient[]) {
    this.nodes = nodes;
  }

  /** Asks nodes that were given without an id for it. @throws {CallError} when one does not answer */
  static async open({ nodes }: Manifest, token: string | undefined): Promise<Cluster> {
    const clients = nodes.map(async (address) =>
      new NodeClient(address.id ?? (await metricsAt(address, token)).node_id, address, token)
    );
    return new Cluster(await Promise.all(clients));
  }

  /** @throws {Failure} when the manifest has no such node */
  node(id: number): NodeClient {
    const node = this.nodes.find((node) => node.id === id);
    if (node === undefined) {
      const known = this.nodes.map(({ id }) => id).join(", ");
      throw new Failure(`there is no node ${id} in the manifest, which has ${known}`);
    }
    return node;
  }

  /** Asks every node how it is. */
  async view(): Promise<ClusterView> {
    const nodes = await Promise.all(this.nodes.map(look));
    return { atMs: performance.now(), nodes };
  }

  /** A view that is at most a moment old. */
  recentView(): Promise<ClusterView> {
    const nowMs = performance.now();
    if (this.#recent === undefined || nowMs - this.#recentMs > FRESH_MS) {
      this.#recentMs = nowMs;
      this.#recent = this.view();
    }
    return this.#recent;
  }

  /** Asks every node how it is; again, for a while, where a group is between two leaders. */
  async ledView(): Promise<ClusterView> {
    const deadlineMs = performance.now() + LEADER_MS_MAX;
    for (;;) {
      const view = await this.view();
      if (leaderless(view).length === 0 || view.atMs > deadlineMs) return view;
      await pause(LOOK_EVERY_MS);
    }
  }

  /** Has the leader of a group do something, whoever it is when it gets there. */
  async atLeader<T>(group: number, act: (node: NodeClient) => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + LEADER_MS_MAX;
    let hint: number | undefined;
    for (;;) {
      const id = hint ?? leaderOf(await this.recentView(), group)?.node.id;
      let failure = new Failure(`group ${group} has no leader`);
      hint = undefined;
      try {
        if (id !== undefined) return await act(this.node(id));
      } catch (error) {
        if (!(error instanceof CallError) || !error.mayPass) throw named(group, error);
        // What takes long by itself is for the caller to go on with.
        if (error.code === "not_caught_up") throw error;
        failure = named(group, error);
        hint = error.refusal.leaderId;
      }
      if (performance.now() > deadlineMs) throw failure;
      await pause(LOOK_EVERY_MS);
    }
  }

  /**
   * Does something for each of the groups, a few at a time. After a failure no further one is begun,
   * and what is under way is finished first.
   */
  async each(groups: readonly number[], act: (group: number) => Promise<void>): Promise<void> {
    const waiting = groups.values();
    const failures: unknown[] = [];
    const work = async () => {
      for (const group of waiting) {
        if (failures.length > 0) return;
        await act(group).catch((error) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: GROUPS_AT_A_TIME }, work));
    if (failures.length > 0) throw failures[0];
  }
}

async function look(node: NodeClient): Promise<NodeView> {
  const [metrics, obstacle] = await Promise.all([
    node.metrics().catch(messageOf),
    node.obstacle(),
  ]);
  if (typeof metrics === "string") return nodeView(node.id, undefined, metrics);
  if (metrics.node_id === node.id) return nodeView(node.id, metrics, undefined, obstacle);
  return nodeView(node.id, undefined, `node ${metrics.node_id} answers in its place`);
}

function named(group: number, error: unknown): Failure {
  const text = `group ${group}: ${messageOf(error)}`;
  return error instanceof Aborted ? new Aborted(text) : new Failure(text);
}
