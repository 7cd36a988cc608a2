/**
 * Several servers as processes of their own that form one cluster on the loopback interface.
 *
 * ```ts
 * await using cluster = await Cluster.start({ nodes: 3 });
 * await cluster.node(1).kill();
 * await cluster.node(1).start();
 * ```
 *
 * @module
 */

import { ClusterNode } from "./cluster_node.ts";
import { Link, type Way } from "./link.ts";
import { freePorts } from "./ports.ts";

/** How a {@linkcode Cluster} is started. */
export interface ClusterOptions {
  /** How many; one alone is no cluster and opens no peer plane. @default 3 */
  readonly nodes?: number;
  /**
   * Nodes beyond these, which the others do not know and which are not started before
   * {@linkcode Cluster.invite}. @default 0
   */
  readonly spares?: number;
  /** Shards of every node. @default 1 */
  readonly cores?: number;
  /** Raft groups. @default the server's own default */
  readonly groups?: number;
  /** Keep nothing on disk. @default false */
  readonly memory?: boolean;
  /** Put a {@linkcode Link} on every directed peer link. @default false */
  readonly links?: boolean;
  /** More flags for every node. */
  readonly args?: readonly string[];
  /** Environment of every node. */
  readonly env?: Readonly<Record<string, string>>;
}

const READY_MS_MAX = 30_000;
/** What is shown of a node's log, from its end. */
const LOG_LINES_MAX = 60;

/** A cluster that a test owns. */
export class Cluster implements AsyncDisposable {
  /** All nodes, that with id 1 first. */
  readonly nodes: readonly ClusterNode[];
  readonly #links: ReadonlyMap<string, Link>;
  readonly #folder: string;
  /** Nodes that the others know. */
  #known: number;
  /** The flags of a node, with so many nodes known. */
  readonly #argsOf: (id: number, known: number) => string[];

  private constructor(
    nodes: ClusterNode[],
    links: ReadonlyMap<string, Link>,
    folder: string,
    known: number,
    argsOf: (id: number, known: number) => string[],
  ) {
    this.nodes = nodes;
    this.#links = links;
    this.#folder = folder;
    this.#known = known;
    this.#argsOf = argsOf;
  }

  /** Starts all nodes and resolves once each is ready. */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.prepare(options);
    try {
      await cluster.startAll();
    } catch (error) {
      console.log(await cluster.logs());
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** Makes everything ready to start, and starts nothing. */
  static async prepare(options: ClusterOptions = {}): Promise<Cluster> {
    const folder = await Deno.makeTempDir({ prefix: "ursula-cluster-" });
    const known = options.nodes ?? 3;
    const ids = Array.from({ length: known + (options.spares ?? 0) }, (_, at) => at + 1);
    const ports = freePorts(ids.length * 2);
    const address = (port = 0) => ({ hostname: "127.0.0.1", port });
    const client = (id: number) => address(ports[id - 1]);
    const peer = (id: number) => address(ports[ids.length + id - 1]);
    const links = new Map<string, Link>();
    for (const from of options.links === true ? ids : []) {
      for (const to of ids) {
        if (from !== to) links.set(`${from}>${to}`, Link.open(() => peer(to)));
      }
    }
    const argsOf = (id: number, known: number) => {
      const peers = ids.slice(0, known).map((other) => {
        const { hostname, port } = links.get(`${id}>${other}`)?.address ?? peer(other);
        return `${other}=http://127.0.0.1:${client(other).port},cluster=${hostname}:${port}`;
      });
      return [
        ...(ids.length === 1 ? [] : [
          "--cluster-listen",
          `127.0.0.1:${peer(id).port}`,
          "--raft-node-id",
          String(id),
          ...peers.flatMap((spec) => ["--raft-peer", spec]),
          "--raft-init-membership",
        ]),
        "--core-count",
        String(options.cores ?? 1),
        ...(options.groups === undefined ? [] : ["--raft-group-count", String(options.groups)]),
        ...(options.args ?? []),
      ];
    };
    const nodes = ids.map((id) =>
      new ClusterNode({
        id,
        address: client(id),
        peer: peer(id),
        folder: `${folder}/node-${id}`,
        memory: options.memory === true,
        env: options.env ?? {},
        args: argsOf(id, id > known ? ids.length : known),
      })
    );
    return new Cluster(nodes, links, folder, known, argsOf);
  }

  /** The node with this id. */
  node(id: number): ClusterNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** Nodes that run and are not paused. */
  get running(): ClusterNode[] {
    return this.nodes.filter(({ state }) => state === "up");
  }

  /** Starts those that are down, all at once, and resolves when every node is ready. */
  async startAll(): Promise<void> {
    for (const node of this.nodes.slice(0, this.#known)) {
      if (node.state === "down") await node.launch();
    }
    await this.ready();
  }

  /** From its next start on every node knows the spare ones, too; starts nothing. */
  invite(): void {
    this.#known = this.nodes.length;
    for (const node of this.nodes) node.args = this.#argsOf(node.id, this.#known);
  }

  /** Resolves when every running node is ready. */
  async ready(timeoutMs = READY_MS_MAX): Promise<void> {
    await Promise.all(this.running.map((node) => node.ready(timeoutMs)));
  }

  /** The proxy on the link that `from` dials to `to`. */
  link(from: number, to: number): Link {
    const link = this.#links.get(`${from}>${to}`);
    if (link === undefined) throw new Error(`no link ${from}>${to}; ask for { links: true }`);
    return link;
  }

  /**
   * Nothing gets from one node to the other; with `oneWay` only from `a` to `b`, so that what `b`
   * says still reaches `a`.
   */
  cut(a: number, b: number, { oneWay = false } = {}): void {
    const out: Way[] = oneWay ? ["out"] : ["out", "in"];
    const back: Way[] = oneWay ? ["in"] : ["out", "in"];
    this.link(a, b).cut(out);
    this.link(b, a).cut(back);
  }

  /** Cuts a node off from all others. */
  isolate(id: number): void {
    for (const other of this.nodes) if (other.id !== id) this.cut(id, other.id);
  }

  /** Heals all links. */
  heal(): void {
    for (const link of this.#links.values()) link.heal();
  }

  /** Who should run has not ended by itself; throws otherwise. */
  assertAlive(): void {
    for (const node of this.nodes) {
      if (node.state !== "down" && !node.alive) throw new Error(`node ${node.id} ended by itself`);
    }
  }

  /** The end of every node's log. */
  async logs(): Promise<string> {
    const parts = await Promise.all(this.nodes.map(async (node) => {
      const lines = (await node.log()).trimEnd().split("\n");
      const shown = lines.slice(-LOG_LINES_MAX).map((line) => `  ${line}`);
      return `node ${node.id} (${node.state}${node.alive ? "" : ", does not run"})\n${
        shown.join("\n")
      }\n`;
    }));
    return parts.join("");
  }

  /** Kills what runs, and removes all data. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()));
    await Promise.all(Array.from(this.#links.values(), (link) => link[Symbol.asyncDispose]()));
    await Deno.remove(this.#folder, { recursive: true });
  }
}
