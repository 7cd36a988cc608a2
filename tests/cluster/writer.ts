/**
 * A producer that writes numbered messages exactly once through whichever node answers, and notes
 * when each was acknowledged.
 *
 * @module
 */

import { broken } from "../crash/writer.ts";
import { pause } from "../http/expect.ts";
import type { Cluster } from "./cluster.ts";
import type { ClusterNode } from "./cluster_node.ts";

/** How long to wait before a request that failed is repeated through the next node. */
const RETRY_MS = 10;
/** An attempt that has no answer after this long is given up and repeated through the next node. */
const ATTEMPT_MS_MAX = 1_000;
/** After so many messages the writer goes on through the next running node, though nothing failed. */
const MESSAGES_PER_NODE = 40;

/** What is known of one stream's writes. */
export class Writer {
  readonly path: string;
  readonly json: boolean;
  /** Messages 0 to `acknowledged` - 1 were answered as written. */
  acknowledged = 0;
  /** Requests that were sent again because their outcome was not known, or was a refusal for now. */
  repeated = 0;
  /** Each time why the request was sent again that had the worst luck, since this was emptied. */
  worstLuck: readonly string[] = [];
  /** Why the last request was repeated. */
  lastTrouble = "";
  /** When message n was acknowledged, in milliseconds of `performance.now()`. */
  readonly acknowledgedMs: number[] = [];
  readonly #cluster: Cluster;
  readonly #paceMs: number;
  /** Bytes of the stream up to and including message `acknowledged` - 1, in stored form. */
  #tail = 0;
  #attempted = 0;
  #nodeAt: number;

  /** Writes to `path`, which it creates; `at` says with which node it begins. */
  constructor(cluster: Cluster, path: string, json: boolean, paceMs: number, at: number) {
    this.#cluster = cluster;
    this.path = path;
    this.json = json;
    this.#paceMs = paceMs;
    this.#nodeAt = at;
  }

  /** The first `count` messages as a read returns them. */
  content(count: number): string {
    const all = Array.from({ length: count }, (_, n) => this.#message(n));
    return this.json ? `[${all.join(",")}]` : all.join("");
  }

  /** Longest time without an acknowledgement between two moments, in milliseconds. */
  longestGapMs(fromMs: number, toMs: number): number {
    let longest = 0;
    let last = fromMs;
    for (const at of this.acknowledgedMs) {
      if (at < fromMs) continue;
      if (at > toMs) break;
      longest = Math.max(longest, at - last);
      last = at;
    }
    return Math.max(longest, toMs - last);
  }

  /** Creates the stream and writes until `stop` is aborted; throws on an answer that is wrong. */
  async run(stop: AbortSignal): Promise<void> {
    await this.#until(stop, async () => {
      const { status, text } = await this.#send("PUT", {});
      if (status === 503) return this.#trouble(`503 ${text}`);
      if (status !== 201 && status !== 200) throw new Error(`${this.path}: ${status} ${text}`);
      return true;
    });
    while (!stop.aborted) {
      await this.#write(stop);
      if (this.acknowledged % MESSAGES_PER_NODE === 0) this.#moveOn(this.#cluster.running);
      await pause(this.#paceMs);
    }
  }

  /** Has the last message the final word? Repeats it until it is answered. */
  async settle(stop: AbortSignal): Promise<void> {
    if (this.#attempted > this.acknowledged) await this.#write(stop);
  }

  async #write(stop: AbortSignal): Promise<void> {
    const n = this.acknowledged;
    const message = this.#message(n);
    const headers = { "producer-id": "writer", "producer-epoch": "0", "producer-seq": String(n) };
    this.#attempted = n + 1;
    await this.#until(stop, async () => {
      const { status, text, tail } = await this.#send("POST", headers, message);
      if (status === 503 || status === 408) return this.#trouble(`${status} ${text}`);
      if (status !== 200 && status !== 204) {
        throw new Error(`${this.path}: message ${n} answered ${status} ${text}`);
      }
      this.#tail += new TextEncoder().encode(message).length + (this.json ? 1 : 0);
      if (tail !== this.#tail) {
        throw new Error(`${this.path}: tail ${tail} after message ${n}, not ${this.#tail}`);
      }
      this.acknowledgedMs.push(performance.now());
      this.acknowledged = n + 1;
      return true;
    });
  }

  /** Repeats `attempt` until it answers true; a broken connection is false. */
  async #until(stop: AbortSignal, attempt: () => Promise<boolean>): Promise<void> {
    const troubles: string[] = [];
    while (!stop.aborted) {
      try {
        if (await attempt()) return;
      } catch (error) {
        if (!broken(error)) throw error;
        this.#trouble(String(error));
      }
      troubles.push(this.lastTrouble);
      if (troubles.length > this.worstLuck.length) this.worstLuck = troubles;
      this.#moveOn(this.#cluster.nodes);
      await pause(RETRY_MS);
    }
  }

  #trouble(what: string): false {
    this.repeated++;
    this.lastTrouble = `${what} (node ${this.#node.id})`;
    return false;
  }

  get #node(): ClusterNode {
    return this.#cluster.node(this.#nodeAt % this.#cluster.nodes.length + 1);
  }

  /** To the next one among `nodes`, where there is any. */
  #moveOn(nodes: readonly ClusterNode[]): void {
    for (let step = 1; step <= this.#cluster.nodes.length; step++) {
      const at = (this.#nodeAt + step) % this.#cluster.nodes.length;
      if (!nodes.some(({ id }) => id === at + 1)) continue;
      this.#nodeAt = at;
      return;
    }
  }

  /** Message number `n`, found in this stream alone, of a length that varies. */
  #message(n: number): string {
    const pad = "x".repeat((n * 37) % 300);
    return this.json
      ? `{"in":"${this.path}","n":${n},"pad":"${pad}"}`
      : `${this.path}:${n}:${pad};`;
  }

  async #send(method: string, headers: Record<string, string>, body?: string) {
    const response = await fetch(this.#node.url + this.path, {
      method,
      headers: { "content-type": this.json ? "application/json" : "text/plain", ...headers },
      body,
      signal: AbortSignal.timeout(ATTEMPT_MS_MAX),
    });
    const text = await response.text();
    const tail = Number(response.headers.get("stream-next-offset"));
    return { status: response.status, text, tail };
  }
}
