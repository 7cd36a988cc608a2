/**
 * Three nodes of this server, on one shard each.
 *
 * @module
 */

import { NODES, type RunningNodes } from "./nodes.ts";
import type { Peer, Running } from "./peer.ts";
import { freePort, scratchFolder, startProcess } from "./process.ts";
import { START } from "./start_task.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

/** How long a cluster may take to form, and to spread its leaderships over its nodes. */
const FORM_MS_MAX = 60_000;
const LOOK_MS = 100;
/** How long a node may take to say how it is. */
const ANSWER_MS_MAX = 5_000;
/** As much of an answer as says why a node is not ready. */
const REASON_CHARACTERS = 300;

/** Groups of a cluster, unless it is asked for others. */
export const GROUPS = 64;

/** What a node says of one of its groups. */
export interface GroupReport {
  readonly id: number;
  readonly leader_id: number | null;
  readonly committed_index: number;
  readonly last_applied_index: number;
}

/** What is not as usual. */
interface NodesOptions {
  readonly memory?: boolean;
  /** Raft groups; left out for the server's default. */
  readonly groups?: number | undefined;
}

/** A cluster of this server. */
export class OurNodes implements RunningNodes {
  readonly prefix = "/v1/stream/";
  readonly #nodes: (Running | undefined)[] = [];
  readonly #ports: readonly number[];
  readonly #peerPorts: readonly number[];
  readonly #scratch: string;
  readonly #groups: number | undefined;
  readonly #memory: boolean;
  /** By place: how each node was when it was looked at last. */
  readonly #found: string[] = [];

  private constructor(scratch: string, groups: number | undefined, memory: boolean) {
    this.#scratch = scratch;
    this.#groups = groups;
    this.#memory = memory;
    this.#ports = Array.from({ length: NODES }, freePort);
    this.#peerPorts = Array.from({ length: NODES }, freePort);
  }

  /** Starts one, and waits until every node leads its share of the groups. */
  static async start({ memory = false, groups }: NodesOptions = {}): Promise<OurNodes> {
    const cluster = new OurNodes(await scratchFolder(), groups, memory);
    try {
      await Promise.all(cluster.#ports.map((_, at) => cluster.startNode(at)));
      await cluster.until(async () => await cluster.#isSpread());
      return cluster;
    } catch (reason) {
      await cluster.stop();
      throw reason;
    }
  }

  get nodes(): Running[] {
    return this.#nodes.filter((node) => node !== undefined);
  }

  get pid(): number {
    return this.nodes[0]?.pid ?? 0;
  }

  get port(): number {
    return this.#ports[0] ?? 0;
  }

  /** Where the nodes talk to each other. */
  get peerPorts(): readonly number[] {
    return this.#peerPorts;
  }

  /** Starts a node, by its place from 0, and resolves once it answers anything. */
  async startNode(at: number): Promise<void> {
    const peers = this.#ports.flatMap((port, other) => [
      "--raft-peer",
      `${other + 1}=http://127.0.0.1:${port},cluster=127.0.0.1:${this.#peerPorts[other]}`,
    ]);
    this.#nodes[at] = await startProcess({
      command: START.program,
      args: [
        ...START.args,
        ...["--listen", `127.0.0.1:${this.#ports[at]}`],
        ...["--admin-listen", "127.0.0.1:0"],
        ...["--cluster-listen", `127.0.0.1:${this.#peerPorts[at]}`],
        ...["--raft-node-id", String(at + 1), ...peers, "--raft-init-membership"],
        ...["--core-count", "1"],
        ...(this.#memory ? ["--raft-memory"] : ["--data-dir", `${this.#scratch}/${at}`]),
        ...(this.#groups === undefined ? [] : ["--raft-group-count", String(this.#groups)]),
      ],
      cwd: ROOT,
      port: this.#ports[at] ?? 0,
      prefix: this.prefix,
    });
  }

  /** SIGKILL. */
  async killNode(at: number): Promise<void> {
    const node = this.#nodes[at];
    this.#nodes[at] = undefined;
    await node?.stop();
  }

  /** What a node says of its groups; undefined while it does not answer, or is not ready. */
  async groups(at: number): Promise<GroupReport[] | undefined> {
    const base = `http://127.0.0.1:${this.#ports[at]}`;
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    try {
      const ready = await fetch(`${base}/readyz`, { signal });
      const reason = await ready.text();
      this.#found[at] = `${ready.status} ${reason.slice(0, REASON_CHARACTERS)}`;
      if (!ready.ok) return undefined;
      const report = await (await fetch(`${base}/__ursula/metrics`, { signal })).json();
      const groups: GroupReport[] = report.raft_groups;
      this.#found[at] += `, leaders ${groups.map(({ leader_id }) => leader_id ?? "-").join(" ")}`;
      return groups;
    } catch (reason) {
      this.#found[at] = String(reason);
      return undefined;
    }
  }

  /** Looks again and again. @throws {Error} when it did not come true in time */
  async until(isTrue: () => Promise<boolean>, limitMs = FORM_MS_MAX): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (!await isTrue()) {
      if (performance.now() > deadline) {
        const found = this.#found.map((how, at) => `node ${at + 1}: ${how}`).join("; ");
        throw new Error(`the cluster took over ${limitMs} ms (${found})`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await Deno.remove(this.#scratch, { recursive: true });
  }

  /** Is every node ready, and does each lead as many groups as the others, give or take one? */
  async #isSpread(): Promise<boolean> {
    const reports = await Promise.all(this.#ports.map((_, at) => this.groups(at)));
    if (reports.some((groups) => groups === undefined)) return false;
    const led = this.#ports.map((_, at) =>
      reports[0]?.filter(({ leader_id }) => leader_id === at + 1).length ?? 0
    );
    return Math.max(...led) - Math.min(...led) <= 1;
  }
}

/** This server, three nodes. */
export function ourNodes(
  name: string,
  options: NodesOptions = {},
): Peer<OurNodes> {
  return {
    name: `this server, ${name}`,
    absent: () => Promise.resolve(undefined),
    start: () => OurNodes.start(options),
  };
}
