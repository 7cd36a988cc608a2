/** Append batches through any node: each whole and in order, also when leaders change meanwhile. */

import assert from "node:assert/strict";
import { batchOf } from "../given/batch.ts";
import { broken } from "../crash/writer.ts";
import { pause } from "../http/expect.ts";
import type { Cluster } from "./cluster.ts";
import { clusterTest } from "./cluster_case.ts";
import { contentOf } from "./read_back.ts";

const ITEMS = 40;
const WRITERS = 12;
const ATTEMPT_MS_MAX = 10_000;
const TEXT = { "content-type": "text/plain" };

/** What a writer learnt of its batches, by number; a batch is never sent twice. */
type Fate = "applied" | "unknown" | "not applied";

class BatchWriter {
  readonly path: string;
  readonly fates: Fate[] = [];
  readonly #cluster: Cluster;
  readonly #at: number;

  constructor(cluster: Cluster, at: number) {
    this.#cluster = cluster;
    this.#at = at;
    this.path = `batches/s${at}`;
  }

  async create(): Promise<void> {
    const url = `${this.#cluster.node(1).url}/v1/stream/${this.path}`;
    const answer = await fetch(url, { method: "PUT", headers: TEXT });
    assert.equal(answer.status, 201, await answer.text());
  }

  async run(stop: AbortSignal): Promise<void> {
    for (let n = 0; !stop.aborted; n++) {
      this.fates.push(await this.#send(n));
      await pause(2);
    }
  }

  /** The whole stream must be batches that may be there, each once and whole, in their order. */
  check(content: string): void {
    const seen: number[] = [];
    for (let at = 0; at < content.length;) {
      const head = /^(\d+)\.0;/.exec(content.slice(at, at + 12));
      assert.ok(head, `${this.path}: no batch begins at ${at}`);
      const n = Number(head[1]);
      const batch = this.#items(n).join("");
      assert.ok(content.startsWith(batch, at), `${this.path}: batch ${n} is not whole`);
      assert.ok(!seen.includes(n), `${this.path}: batch ${n} is there twice`);
      seen.push(n);
      at += batch.length;
    }
    for (const [n, fate] of this.fates.entries()) {
      assert.ok(fate === "unknown" || seen.includes(n) === (fate === "applied"), `${n} is ${fate}`);
    }
    // One of which nothing is known may have been on its way for a while.
    const applied = seen.filter((n) => this.fates[n] === "applied");
    assert.deepEqual(applied, applied.toSorted((one, other) => one - other), this.path);
  }

  #items(n: number): string[] {
    return Array.from({ length: ITEMS }, (_, item) => `${n}.${item}${"x".repeat(item * 9)};`);
  }

  async #send(n: number): Promise<Fate> {
    const node = this.#cluster.node((this.#at + n) % this.#cluster.nodes.length + 1);
    try {
      const answer = await fetch(`${node.url}/v1/append-batch/${this.path}`, {
        method: "POST",
        headers: TEXT,
        body: batchOf(this.#items(n)),
        signal: AbortSignal.timeout(ATTEMPT_MS_MAX),
      });
      const text = await answer.text();
      if (answer.status === 408) return "unknown";
      if (answer.status === 503) return "not applied";
      assert.equal(answer.status, 200, text);
      const items: { status: number }[] = JSON.parse(text);
      assert.deepEqual(items.map(({ status }) => status), Array(ITEMS).fill(204));
      return "applied";
    } catch (error) {
      if (!broken(error)) throw error;
      return "unknown";
    }
  }
}

async function underLoad(cluster: Cluster, faults: () => Promise<void>): Promise<BatchWriter[]> {
  const writers = Array.from({ length: WRITERS }, (_, at) => new BatchWriter(cluster, at));
  await Promise.all(writers.map((writer) => writer.create()));
  const stop = new AbortController();
  const running = Promise.all(writers.map((writer) => writer.run(stop.signal)));
  try {
    await Promise.race([running, faults()]);
  } finally {
    stop.abort();
    await running;
  }
  for (const writer of writers) {
    for (const node of cluster.nodes) {
      writer.check(await contentOf(node, `/v1/stream/${writer.path}`));
    }
  }
  return writers;
}

clusterTest(
  "a batch through any node stays whole and in order while leaders change",
  // With two cores a batch may come to a node, and to a shard, that does not lead its group.
  { cores: 2 },
  async (cluster) => {
    const writers = await underLoad(cluster, async () => {
      await pause(1_000);
      for (const node of cluster.nodes) {
        await node.kill();
        await pause(1_000);
        await node.start();
        await pause(500);
      }
      const [first] = cluster.nodes;
      await first?.stop();
      await pause(500);
      await first?.start();
      await pause(500);
    });
    const fates = writers.flatMap((writer) => writer.fates);
    const count = (fate: Fate) => fates.filter((one) => one === fate).length;
    console.log(
      `${fates.length} batches: ${count("applied")} applied, ${count("unknown")} unknown, ` +
        `${count("not applied")} refused`,
    );
    assert.ok(count("applied") > 100, "most of the time the cluster works");
  },
);
