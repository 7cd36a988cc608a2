/** A server whose bucket is away for a while, or has been tampered with. */

import assert from "node:assert/strict";
import { DenoClock } from "../../io/deno.ts";
import { groupOf } from "../../shard/placement.ts";
import type { ColdStore } from "../../storage/cold/mod.ts";
import { openS3ColdStore } from "../../storage/cold/s3.ts";
import { Link } from "../cluster/link.ts";
import { s3Flags, type S3Server, startS3 } from "../cold/s3_servers.ts";
import { type ServerProcess, startServer } from "../server.ts";
import { Api, offset } from "./client.ts";
import { assertError, assertStatus, eventually } from "./expect.ts";

const TYPE = "application/octet-stream";
const KIB = 1024;
const GROUPS = 4;
const MESSAGE_BYTES = 32 * KIB;
const MESSAGES = 16;
/** Bytes of messages that a group may have hot. */
const HOT_BYTES_MAX = 512 * KIB;
const FLAGS = [
  "--raft-group-count",
  String(GROUPS),
  "--cold-flush-bytes",
  "64KiB",
  "--cold-flush-interval-ms",
  "50",
  "--cold-max-hot-bytes-per-group",
  String(HOT_BYTES_MAX),
  "--cold-cache-bytes",
  "1MiB",
];
/** One stream of each group. */
const PATHS = Array.from({ length: GROUPS }, (_, group) => {
  for (let n = 0;; n++) if (groupOf(`_default/s${n}`, GROUPS) === group) return `/v1/stream/s${n}`;
});

interface Given {
  readonly api: Api;
  readonly server: ServerProcess;
  /** Between the server and its bucket. */
  readonly link: Link;
  /** The bucket. */
  readonly store: ColdStore;
}

async function withServer(work: (given: Given) => Promise<void>): Promise<void> {
  const s3: S3Server = await startS3();
  const clock = new DenoClock();
  const store = await openS3ColdStore({ ...s3, clock });
  const { hostname, port } = new URL(s3.endpoint);
  const link = Link.open(() => ({ hostname, port: Number(port) }));
  const endpoint = `http://${link.address.hostname}:${link.address.port}`;
  const { args, env } = s3Flags({ ...s3, endpoint });
  const server = await startServer({ args: [...args, ...FLAGS], env });
  try {
    await work({ api: new Api(() => server), server, link, store });
  } catch (error) {
    console.log(await server.stdout(), await server.stderr());
    throw error;
  } finally {
    await server[Symbol.asyncDispose]();
    await link[Symbol.asyncDispose]();
    store.close();
    clock.close();
    await s3.stop();
  }
}

function message(stream: number, n: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(MESSAGE_BYTES).fill(1 + stream * MESSAGES + n);
}

/** So many messages in each stream, all of them flushed. */
async function fill({ api }: Given): Promise<void> {
  for (const [stream, path] of PATHS.entries()) {
    assertStatus(await api.put(path, TYPE), 201);
    for (let n = 0; n < MESSAGES; n++) {
      // A bound is a bound for whoever is faster than the bucket, too.
      await eventually(
        async () => (await api.post(path, TYPE, message(stream, n))).status === 204,
        `message ${n} of ${path} is taken`,
      );
    }
  }
  await eventually(
    async () => ((await cold(api)).hot_bytes ?? Infinity) <= GROUPS * 64 * KIB,
    "most is flushed",
  );
}

/** `cold` of the metrics. */
async function cold(api: Api): Promise<Record<string, number>> {
  return JSON.parse((await api.get("/__ursula/metrics")).text).cold;
}

function read(api: Api, stream: number, n: number) {
  const at = offset(n * MESSAGE_BYTES);
  return api.get(`${PATHS[stream]}?offset=${at}&max_bytes=${MESSAGE_BYTES}`);
}

Deno.test("a bucket that is away holds up neither appends nor what is hot, and is waited for", async () => {
  await withServer(async (given) => {
    const { api, server, link } = given;
    await fill(given);
    const [full = "", ...others] = PATHS;
    link.break();
    let taken = 0;
    for (;;) {
      const answer = await api.post(full, TYPE, new Uint8Array(4 * KIB).fill(9));
      if (answer.status !== 204) {
        assertError(answer, "overloaded");
        break;
      }
      taken += 4 * KIB;
      assert.ok(taken < 2 * HOT_BYTES_MAX, "there is a bound");
    }
    assert.ok(taken > HOT_BYTES_MAX / 2, `${taken} bytes were taken before`);
    for (const path of others) {
      assertStatus(await api.post(path, TYPE, new Uint8Array(4 * KIB).fill(9)), 204);
    }
    const tail = MESSAGES * MESSAGE_BYTES + taken;
    const hot = await api.get(`${full}?offset=${offset(tail - 4 * KIB)}`);
    assertStatus(hot, 200);
    assert.deepEqual(hot.bytes, new Uint8Array(4 * KIB).fill(9));
    for (const stream of PATHS.keys()) assertError(await read(api, stream, 0), "cold_unavailable");
    const figures = await cold(api);
    assert.ok((figures.upload_failures ?? 0) > 0 && (figures.backpressure_events ?? 0) > 0);
    assert.equal(figures.read_failures, GROUPS);

    link.heal();
    for (const stream of PATHS.keys()) {
      const answer = await read(api, stream, 0);
      assertStatus(answer, 200);
      assert.deepEqual(answer.bytes, message(stream, 0));
    }
    await eventually(
      async () => (await api.post(full, TYPE, new Uint8Array(4 * KIB))).status === 204,
      "the group takes writes again",
      10_000,
    );
    await eventually(
      async () => /works again/.test(await server.stdout() + await server.stderr()),
      "the operator hears of it",
    );
    const log = await server.stdout() + await server.stderr();
    for (const line of [/trying again, its bytes stay in memory/, /waits for the cold store/]) {
      assert.match(log, line);
    }
  });
});

Deno.test("an object that was deleted, cut short or changed is named, and no byte of it is answered", async () => {
  await withServer(async (given) => {
    const { api, server, store } = given;
    await fill(given);
    await server.stop();
    const sizes = await Promise.all((await Array.fromAsync(store.list(""))).map(async (key) => {
      const size = await store.size(key) ?? 0;
      return { key, size };
    }));
    // Not one of the few bytes that a server writes by itself.
    const objects = sizes.filter(({ size }) => size > MESSAGE_BYTES);
    const [gone, short, rotten] = await Promise.all(
      objects.slice(0, 3).map(async ({ key, size }) => ({
        key,
        bytes: await store.get(key, 0, size),
      })),
    );
    assert.ok(gone && short && rotten);
    await store.delete(gone.key);
    await store.put(short.key, short.bytes.length - 50, [short.bytes.subarray(0, -50)]);
    const changed = rotten.bytes.slice();
    changed[changed.length - 1] = ~(changed.at(-1) ?? 0);
    await store.put(rotten.key, changed.length, [changed]);
    await server.restart();

    const named = new Set<string>();
    let whole = 0;
    for (const stream of PATHS.keys()) {
      for (let n = 0; n < MESSAGES; n++) {
        const answer = await read(api, stream, n);
        if (answer.status === 200) {
          assert.deepEqual(answer.bytes, message(stream, n));
          whole++;
          continue;
        }
        assertError(answer, "cold_damaged");
        for (const { key } of [gone, short, rotten]) if (answer.text.includes(key)) named.add(key);
      }
      assertStatus(await api.post(PATHS[stream] ?? "", TYPE, "on it goes"), 204);
    }
    assert.equal(named.size, 3);
    assert.ok(whole > GROUPS * MESSAGES / 2, `${whole} messages are there`);
    for (const { key, bytes } of [gone, short, rotten]) await store.put(key, bytes.length, [bytes]);
    for (const stream of PATHS.keys()) {
      for (let n = 0; n < MESSAGES; n++) {
        assert.deepEqual((await read(api, stream, n)).bytes, message(stream, n));
      }
    }
  });
});
