/** A bucket after much has come and gone: there is in it what streams refer to, and nothing else. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DenoClock } from "../../io/deno.ts";
import { type ColdStore, objectKey } from "../../storage/cold/mod.ts";
import { openS3ColdStore } from "../../storage/cold/s3.ts";
import { patterned } from "../cold/expectations.ts";
import { hasRealS3, realS3, startS3 } from "../cold/s3_servers.ts";
import { SimRandom } from "../sim/random.ts";
import { type Api, freshBucket } from "./client.ts";
import { assertStatus, eventually } from "./expect.ts";
import { snapshotNode } from "./snapshot_node.ts";

const TYPE = "application/octet-stream";
const FORMATION = "f0000000";
const STEPS = 60;
const LIVES = 5;
const APPEND_BYTES_MAX = 40_000;
const SNAPSHOT_BYTES_MAX = 200_000;
/** Long enough for an upload on a slow machine; one that takes longer begins anew. */
const UNDER_WAY_MS = 1_500;
const WAIT_MS_MAX = 30_000;

/** What a stream is known to hold. */
interface Known {
  readonly path: string;
  readonly content: Uint8Array;
  /** Where its snapshot stands, and what it says. */
  readonly snapshot: { readonly at: number; readonly bytes: Uint8Array } | undefined;
}

/** Makes, fills, folds, forks and deletes streams, one thing after the other. */
class Life {
  /** What is left, by path. */
  readonly streams = new Map<string, Known>();
  readonly #random: SimRandom;
  #made = 0;

  constructor(
    readonly api: Api,
    readonly bucket: string,
    readonly seed: number,
  ) {
    this.#random = new SimRandom(seed);
  }

  async step(): Promise<void> {
    const stream = [...this.streams.values()][this.#below(this.streams.size)];
    const chance = this.#random.next();
    if (stream === undefined || chance < 0.08) return await this.#create();
    if (chance < 0.65) return await this.#append(stream);
    if (chance < 0.8) return await this.#publish(stream);
    if (chance < 0.92) return await this.#fork(stream);
    await this.delete(stream);
  }

  async delete({ path }: Known): Promise<void> {
    assertStatus(await this.api.delete(path), 204);
    this.streams.delete(path);
  }

  async check({ path, content, snapshot }: Known): Promise<void> {
    const from = snapshot?.at ?? 0;
    const read = await this.api.get(`${path}?offset=${from}`);
    assertStatus(read, 200, path);
    assert.equal(Buffer.compare(read.bytes, content.subarray(from)), 0, path);
    if (snapshot === undefined) return;
    const found = await this.api.get(`${path}/snapshot/${snapshot.at}`);
    assertStatus(found, 200, path);
    assert.equal(Buffer.compare(found.bytes, snapshot.bytes), 0, `snapshot of ${path}`);
  }

  async #create(): Promise<void> {
    const path = this.#path();
    assertStatus(await this.api.put(path, TYPE), 201);
    this.streams.set(path, { path, content: new Uint8Array(0), snapshot: undefined });
  }

  async #append(stream: Known): Promise<void> {
    const { path } = stream;
    const bytes = this.#bytes(APPEND_BYTES_MAX);
    assertStatus(await this.api.post(path, TYPE, bytes), 204);
    this.streams.set(path, { ...stream, content: Buffer.concat([stream.content, bytes]) });
  }

  async #publish(stream: Known): Promise<void> {
    const { path, content, snapshot } = stream;
    if (content.length <= (snapshot?.at ?? 0)) return;
    const at = content.length;
    const bytes = this.#bytes(SNAPSHOT_BYTES_MAX);
    assertStatus(await this.api.put(`${path}/snapshot/${at}`, TYPE, bytes), 204, path);
    this.streams.set(path, { ...stream, snapshot: { at, bytes } });
  }

  async #fork(stream: Known): Promise<void> {
    const path = this.#path();
    const from = { "stream-forked-from": stream.path };
    assertStatus(await this.api.put(path, TYPE, undefined, from), 201, path);
    this.streams.set(path, { ...stream, path });
  }

  #path(): string {
    return `/${this.bucket}/${this.seed}-${this.#made++}`;
  }

  #bytes(most: number): Uint8Array<ArrayBuffer> {
    return patterned(1 + this.#below(most), this.#below(256)) as Uint8Array<ArrayBuffer>;
  }

  #below(bound: number): number {
    return Math.floor(this.#random.next() * bound);
  }
}

async function keysOf(store: ColdStore): Promise<string[]> {
  return (await Array.fromAsync(store.list(""))).sort();
}

for (const [name, start] of [["s3", startS3], ["s3, real", realS3]] as const) {
  Deno.test({
    name: `${name}: what nothing refers to leaves the bucket, and all else stays`,
    ignore: start === realS3 && !hasRealS3(),
    async fn() {
      const server = await start();
      const clock = new DenoClock();
      const store = await openS3ColdStore({ ...server, clock });
      const strangers = [
        `${FORMATION}/3/of-somebody-else.object`,
        objectKey({ formation: "00000000", group: 3, number: 1, term: 1 }),
      ];
      const lost = objectKey({ formation: FORMATION, group: 3, number: 40_000, term: 1 });
      for (const key of [...strangers, lost]) await store.put(key, 3, [patterned(3)]);
      const { bucket, endpoint, accessKeyId, secretAccessKey } = server;
      const node = await snapshotNode("shared", {}, {
        backend: { kind: "s3", bucket, endpoint, accessKeyId, secretAccessKey },
        flushIntervalMs: 20,
        flushMinHotBytes: 1,
        flushMaxBytes: 64 << 10,
        keepsMs: 200,
        timing: {
          sweepMs: 50,
          listMs: 100,
          mergeMs: 50,
          mergePauseMs: 5,
          underWayMs: UNDER_WAY_MS,
        },
      });
      const { api, runtime } = node;
      const bucketId = freshBucket();
      assertStatus(await api.send("PUT", `/${bucketId}`), 201);
      const lives = Array.from({ length: LIVES }, (_, at) => new Life(api, bucketId, at + 1));
      await Promise.all(lives.map(async (life) => {
        for (let step = 0; step < STEPS; step++) await life.step();
      }));

      /** All is flushed, and the bucket has as many objects as the state knows of. */
      const isInStep = async () => {
        const [shard] = await runtime.shards();
        const keys = await keysOf(store);
        return shard?.cold?.hotBytes === 0 && shard.cold.objects === keys.length - strangers.length;
      };
      await eventually(isInStep, "the bucket holds what is referred to", WAIT_MS_MAX);
      const [shard] = await runtime.shards();
      assert.ok((shard?.cold?.objects ?? 0) > 20, "much is left");
      assert.ok((shard?.cold?.deletedObjects ?? 0) > 20, "much has gone");
      for (const life of lives) {
        for (const stream of life.streams.values()) await life.check(stream);
      }

      for (const life of lives) {
        for (const stream of life.streams.values()) await life.delete(stream);
      }
      await eventually(
        async () => (await keysOf(store)).length === strangers.length,
        "everything has left the bucket but what is another's",
        WAIT_MS_MAX,
      );
      assert.deepEqual(await keysOf(store), strangers.sort());
      assert.deepEqual(node.errors, []);
      await node.stop();
      store.close();
      clock.close();
      await server.stop();
    },
  });
}
