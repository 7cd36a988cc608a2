/**
 * The HTTP planes of a {@linkcode GivenCluster}, whose clock is this machine's.
 *
 * @module
 */

import { ADMIN_PREFIX } from "../../protocol/mod.ts";
import type { GivenCluster } from "./ctl_cluster.ts";

/** A server for each node, which serves both of its planes. */
export class GivenPlanes implements AsyncDisposable {
  readonly cluster: GivenCluster;
  /** What was asked, as `2 POST /path`; looks are left out. */
  readonly orders: string[] = [];
  /** Tokens that came. */
  readonly tokens = new Set<string | null>();
  /** Has its say before the planes do. */
  intercept: (order: string) => Response | undefined = () => undefined;
  readonly #servers: Deno.HttpServer<Deno.NetAddr>[];
  #passedMs = performance.now();

  constructor(cluster: GivenCluster) {
    this.cluster = cluster;
    this.#servers = cluster.nodes.map(({ id }) =>
      Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
        this.tokens.add(request.headers.get("authorization"));
        const { pathname, search } = new URL(request.url);
        return this.#answer(id, request.method, pathname + search);
      })
    );
  }

  /** The manifest's text. */
  get manifest(): string {
    const nodes = this.#servers.map(({ addr }, at) => {
      const url = `http://127.0.0.1:${addr.port}`;
      return { id: at + 1, http_url: url, admin_url: url, host: `host-${at + 1}` };
    });
    return JSON.stringify({ nodes });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.shutdown()));
  }

  #answer(id: number, method: string, path: string): Response {
    const nowMs = performance.now();
    this.cluster.pass(nowMs - this.#passedMs);
    this.#passedMs = nowMs;
    const node = this.cluster.node(id);
    const order = `${id} ${method} ${path}`;
    if (path === "/readyz") return node.up ? new Response("ok\n") : refusal(503, "not_ready");
    if (path !== `${ADMIN_PREFIX}/metrics`) this.orders.push(order);
    const intercepted = this.intercept(order);
    if (intercepted !== undefined) return intercepted;
    if (!node.up) return refusal(503, "not_ready");
    if (path === `${ADMIN_PREFIX}/metrics`) {
      return Response.json(this.cluster.view().nodes[id - 1]?.metrics);
    }
    if (path === `${ADMIN_PREFIX}/leadership-shed/maintenance`) {
      if (method === "POST") this.cluster.drain(node);
      else node.draining = false;
      const leaderships = this.cluster.leaders.filter((leader) => leader === id).length;
      return Response.json({ node_id: id, draining: node.draining, leaderships });
    }
    const [, raft, group = "", leader, , to = ""] = path.slice(ADMIN_PREFIX.length).split("/");
    if (raft === "raft" && leader === "leader") {
      const leaderId = this.cluster.leaders[Number(group)];
      if (leaderId !== id) return refusal(409, "not_leader", leaderId);
      this.cluster.leaders[Number(group)] = Number(to);
      return Response.json({ group: Number(group), leader_id: Number(to) });
    }
    return refusal(404, "not_found");
  }
}

/** An answer that refuses. */
export function refusal(status: number, code: string, leader_id?: number): Response {
  return Response.json({ error: { code, message: `refused: ${code}`, leader_id } }, { status });
}
