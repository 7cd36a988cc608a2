/**
 * Requests to a cluster whose nodes come and go: through any node, again through the next one while
 * the answer is that nobody knows, or that it is not now.
 *
 * @module
 */

import { broken } from "../crash/writer.ts";
import { pause } from "../http/expect.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { ClusterNode } from "../cluster/cluster_node.ts";

const RETRY_MS = 20;
const ATTEMPT_MS_MAX = 10_000;
/** A request of which nothing comes within this is a violation by itself. */
const PATIENCE_MS = 60_000;

/** A request but for where it goes. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The answer that counts. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** An attempt before it has no known outcome. */
  readonly isRepeat: boolean;
  /** Who answered, for messages. */
  readonly node: ClusterNode;
}

/** See the module's page. */
export class Requests {
  /** Requests that were sent again. */
  repeated = 0;
  readonly #cluster: Cluster;
  readonly #next: () => number;

  constructor(cluster: Cluster, next: () => number) {
    this.#cluster = cluster;
    this.#next = next;
  }

  /** Sends it until it is answered. @throws Error where it never is */
  async send(asked: Asked, only?: ClusterNode): Promise<Answer> {
    const deadline = performance.now() + PATIENCE_MS;
    let isRepeat = false;
    for (let node = only ?? this.#anyNode();; node = only ?? this.#anyNode()) {
      let trouble: string;
      try {
        const response = await this.#fetch(node, asked);
        const bytes = new Uint8Array(await response.arrayBuffer());
        const text = new TextDecoder().decode(bytes);
        const { status, headers } = response;
        if (status !== 503 && status !== 408) {
          return { status, headers, bytes, text, isRepeat, node };
        }
        if (text.includes("outcome_unknown")) isRepeat = true;
        trouble = `${status} ${text}`;
      } catch (error) {
        if (!broken(error)) throw error;
        isRepeat = true;
        trouble = String(error);
      }
      this.repeated++;
      if (performance.now() > deadline) {
        const { method, path } = asked;
        throw new Error(`${method} ${path} through node ${node.id}: at last ${trouble}`);
      }
      await pause(RETRY_MS);
    }
  }

  /** A running node where there is one. */
  #anyNode(): ClusterNode {
    const { running, nodes } = this.#cluster;
    const among = running.length === 0 ? nodes : running;
    return among[Math.floor(this.#next() * among.length)] as ClusterNode; // the index is below the length
  }

  #fetch(node: ClusterNode, { method, path, headers = {}, body }: Asked): Promise<Response> {
    return fetch(node.url + path, {
      method,
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(ATTEMPT_MS_MAX),
    });
  }
}
