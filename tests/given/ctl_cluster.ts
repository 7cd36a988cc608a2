/**
 * A cluster as ursulactl sees it, that does what it is told on a clock of its own.
 *
 * @module
 */

import type { RollingRestart } from "../../ctl/rolling.ts";
import { type ClusterView, nodeView } from "../../ctl/view.ts";
import type { GroupMetrics } from "../../protocol/mod.ts";

/** What becomes of a node. */
export interface GivenNode {
  readonly id: number;
  up: boolean;
  startedMs: number;
  draining: boolean;
  /** Keeps leaderships though it is drained. */
  stuck: boolean;
  /** Entries that it lacks of each group; it makes up for `catchesUpBy` of them a second. */
  lag: number;
  catchesUpBy: number;
  storeId: string;
}

/** How long a restart takes. */
const DOWN_MS = 1_000;
const LOOK_MS = 200;
/** More steps than any plan takes: it runs in circles. */
const STEPS_MAX = 20_000;
const COMMITTED = 10_000;

/** See the module's page. */
export class GivenCluster {
  nowMs = 1_000_000;
  readonly nodes: GivenNode[];
  /** Leader of each group; undefined while there is none. */
  readonly leaders: (number | undefined)[];
  /** Ids, by group. */
  voters: number[];
  /** What the command does; false where it fails. */
  run: (node: GivenNode) => boolean = (node) => this.restart(node);
  #pending: { readonly atMs: number; readonly act: () => void }[] = [];

  constructor(nodeCount = 3, groupCount = 4) {
    this.nodes = Array.from({ length: nodeCount }, (_, at) => ({
      id: at + 1,
      up: true,
      startedMs: 0,
      draining: false,
      stuck: false,
      lag: 0,
      catchesUpBy: 1_000,
      storeId: `store-${at + 1}`,
    }));
    this.voters = this.nodes.map(({ id }) => id);
    this.leaders = Array.from({ length: groupCount }, (_, group) => group % nodeCount + 1);
  }

  node(id: number): GivenNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** Does something at a later time. */
  after(ms: number, act: () => void): void {
    this.#pending.push({ atMs: this.nowMs + ms, act });
  }

  kill(node: GivenNode): void {
    node.up = false;
    node.draining = false;
    this.#elect();
  }

  start(node: GivenNode): void {
    node.up = true;
    node.startedMs = this.nowMs;
    this.#elect();
  }

  /** Down, and up again with something to catch up on. */
  restart(node: GivenNode, lag = 500, catchesUpBy = 2_000): boolean {
    this.kill(node);
    this.after(DOWN_MS, () => {
      node.lag = lag;
      node.catchesUpBy = catchesUpBy;
      this.start(node);
    });
    return true;
  }

  /** Lets time go by. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const due = this.#pending.filter(({ atMs }) => atMs <= untilMs)
        .sort((one, other) => one.atMs - other.atMs)[0];
      const toMs = due?.atMs ?? untilMs;
      for (const node of this.nodes) {
        if (node.up) {
          node.lag = Math.max(0, node.lag - node.catchesUpBy * (toMs - this.nowMs) / 1e3);
        }
      }
      this.nowMs = toMs;
      if (due === undefined) return;
      this.#pending = this.#pending.filter((entry) => entry !== due);
      due.act();
    }
  }

  view(): ClusterView {
    const nodes = this.nodes.map((node) => {
      if (!node.up) return nodeView(node.id, undefined, "connection refused");
      return nodeView(node.id, {
        node_id: node.id,
        cluster_id: "given",
        version: "0",
        uptime_ms: this.nowMs - node.startedMs,
        draining: node.draining,
        stopping: false,
        raft_groups: this.leaders.map((leader, group) => this.#metrics(node, group, leader)),
      });
    });
    return { atMs: this.nowMs, nodes };
  }

  /** Follows a plan to its end, and says what it did. */
  follow(rolling: RollingRestart, isInterrupted: () => boolean = () => false): string[] {
    const trace: string[] = [];
    for (let step = 0; step < STEPS_MAX; step++) {
      const next = rolling.next(this.view(), isInterrupted());
      const said = next.act === "end"
        ? `end: ${next.aborted ?? "done"}`
        : next.act === "look"
        ? ""
        : `${next.act} ${next.node}`;
      if (said !== "" && said !== trace.at(-1)) trace.push(said);
      if (next.act === "end") return trace;
      if (next.act === "drain") this.drain(this.node(next.node));
      if (next.act === "undrain") this.node(next.node).draining = false;
      if (next.act === "run") {
        const startedMs = this.nowMs;
        const isDone = this.run(this.node(next.node));
        rolling.ran(startedMs, isDone ? 0 : 7);
      }
      this.pass(LOOK_MS);
    }
    throw new Error("the plan does not end");
  }

  /** The node leads as little as it can. */
  drain(node: GivenNode): void {
    if (!node.up) return;
    node.draining = true;
    this.#elect();
  }

  /** Every group whose leader can't lead gets another one, where a majority is up. */
  #elect(): void {
    const up = this.nodes.filter(({ id, up }) => up && this.voters.includes(id));
    const hasMajority = 2 * up.length > this.voters.length;
    for (const [group, leader] of this.leaders.entries()) {
      const node = leader === undefined ? undefined : this.node(leader);
      if (hasMajority && node?.up === true && (!node.draining || node.stuck)) continue;
      const heirs = up.filter(({ draining, lag }) => !draining && lag < 100);
      const heir = hasMajority ? heirs[group % Math.max(1, heirs.length)]?.id : undefined;
      // A drained node keeps what nobody else can lead.
      this.leaders[group] = heir ?? (hasMajority && node?.up === true ? leader : undefined);
    }
  }

  #metrics(node: GivenNode, group: number, leader: number | undefined): GroupMetrics {
    const leads = leader === node.id;
    return {
      id: group,
      core_id: 0,
      leader_id: leader ?? null,
      leads,
      current_term: 1,
      last_log_index: COMMITTED,
      committed_index: COMMITTED,
      last_applied_index: COMMITTED - node.lag,
      voters: this.voters,
      learners: [],
      voter_stores: Object.fromEntries(this.voters.map((id) => [id, `store-${id}`])),
      store_id: node.storeId,
      lag: node.lag,
      votes: this.voters.includes(node.id),
      caught_up: node.lag === 0,
      hot_bytes: 0,
      cold_bytes: 0,
      streams: 0,
      cold_objects_lacking: 0,
      ...(leads
        ? {
          followers: this.nodes.filter(({ id }) => id !== node.id).map(({ id, up, lag }) => ({
            node_id: id,
            match_index: COMMITTED - lag,
            silent_ms: up ? 10 : 60_000,
          })),
        }
        : {}),
    };
  }
}
