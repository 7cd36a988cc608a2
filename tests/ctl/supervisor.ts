/**
 * What restarts a node when it is called: the processes stay children of the test. The command is
 * what an operator would give to `ursulactl restart`.
 *
 * @module
 */

import type { Cluster } from "../cluster/cluster.ts";

/** See the module's page. */
export class Supervisor implements AsyncDisposable {
  /** Nodes that were restarted, in order. */
  readonly restarts: number[] = [];
  /** Called in place of a restart of this node. */
  instead = new Map<number, () => Promise<void>>();
  readonly #cluster: Cluster;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #files: string[] = [];

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const id = Number(new URL(request.url).searchParams.get("node"));
        const instead = this.instead.get(id);
        if (instead !== undefined) {
          await instead();
          return new Response("done otherwise\n");
        }
        await this.restart(id);
        return new Response("restarted\n");
      },
    );
  }

  /** Restarts `{node_id}`. */
  get command(): string {
    return `curl -sf 'http://127.0.0.1:${this.#server.addr.port}/?node={node_id}' >/dev/null`;
  }

  /** Stops the node where it runs, and starts it. */
  async restart(id: number): Promise<void> {
    const node = this.#cluster.node(id);
    if (node.state === "up") await node.stop();
    await node.launch();
    this.restarts.push(id);
  }

  /** A file that names all nodes; gone in the end. */
  async manifest(): Promise<string> {
    const nodes = this.#cluster.nodes.map(({ id, url, adminUrl }) => ({
      id,
      http_url: url,
      admin_url: adminUrl,
    }));
    const path = await Deno.makeTempFile({ prefix: "ursula-manifest-", suffix: ".json" });
    this.#files.push(path);
    await Deno.writeTextFile(path, JSON.stringify({ nodes }));
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    for (const path of this.#files) await Deno.remove(path);
  }
}
