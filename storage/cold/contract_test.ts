/** What every cold store must do, run on each; what is S3's alone is in `s3_test.ts`. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DenoClock, denoDisk, denoRandom } from "../../io/deno.ts";
import { hasRealS3, realS3, type S3Server, startS3 } from "../../tests/cold/s3_servers.ts";
import { SimClock } from "../../tests/sim/clock.ts";
import { SimBucket } from "../../tests/sim/cold_store.ts";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import {
  checkObject,
  type ColdObject,
  ColdReader,
  type ColdStore,
  FsColdStore,
  groupPrefix,
  MemoryColdStore,
  objectKey,
  prepareColdFolder,
  putObject,
  storedBytes,
} from "./mod.ts";
import { BLOCK_PAYLOAD_BYTES } from "./object.ts";
import { openS3ColdStore } from "./s3.ts";
import { failsWith, patterned } from "../../tests/cold/expectations.ts";

const FORMATION = "00f0";
const KEY = `${FORMATION}/3/a.object`;

async function onMemory(work: (store: ColdStore) => Promise<void>): Promise<void> {
  await work(new MemoryColdStore());
}

async function onRealDisk(work: (store: ColdStore) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await prepareColdFolder(denoDisk, `${root}/cold`);
    await work(new FsColdStore({ disk: denoDisk, random: denoRandom, root: `${root}/cold` }));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function onSimDisk(work: (store: ColdStore) => Promise<void>): Promise<void> {
  const disk = new SimDisk({ random: new SimRandom(1) });
  await prepareColdFolder(disk, "/data/cold");
  await work(new FsColdStore({ disk, random: new SimRandom(2), root: "/data/cold" }));
}

async function onSimBucket(work: (store: ColdStore) => Promise<void>): Promise<void> {
  const clock = new SimClock();
  const bucket = new SimBucket({ clock, random: new SimRandom(3), latencyMsMax: 5 });
  await clock.until(work(bucket.open(1, clock)));
}

function onS3(start: () => Promise<S3Server>) {
  return async (work: (store: ColdStore) => Promise<void>): Promise<void> => {
    const server = await start();
    const clock = new DenoClock();
    const store = await openS3ColdStore({ ...server, root: "some/root", clock });
    try {
      await work(store);
    } finally {
      store.close();
      clock.close();
      await server.stop();
    }
  };
}

const STORES = [
  ["memory", onMemory],
  ["fs", onRealDisk],
  ["fs, simulated", onSimDisk],
  ["shared, simulated", onSimBucket],
  ["s3", onS3(startS3)],
  ...(hasRealS3() ? [["s3, real", onS3(realS3)] as const] : []),
] as const;

function storeTest(name: string, work: (store: ColdStore) => Promise<void>): void {
  for (const [store, on] of STORES) Deno.test(`${store}: ${name}`, () => on(work));
}

async function keysOf(store: ColdStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.list(prefix)) keys.push(key);
  return keys.sort();
}

storeTest("put() stores an object, get() gives its ranges", async (store) => {
  const bytes = patterned(300_000);
  await store.put(KEY, bytes.length, [bytes.subarray(0, 7), bytes.subarray(7)]);
  assert.equal(await store.size(KEY), bytes.length);
  for (const [start, length] of [[0, 300_000], [0, 1], [299_999, 1], [6, 2], [100, 0]] as const) {
    const found = await store.get(KEY, start, length);
    assert.deepEqual(found, bytes.subarray(start, start + length));
  }
});

storeTest("put() takes an empty object, and parts that are overwritten", async (store) => {
  await store.put(KEY, 0, []);
  assert.equal(await store.size(KEY), 0);
  const part = new Uint8Array(1_000);
  const parts = async function* () {
    for (let fill = 1; fill <= 3; fill++) {
      await Promise.resolve();
      yield part.fill(fill);
    }
  };
  await store.put(KEY, 3_000, parts());
  const found = await store.get(KEY, 999, 1_002);
  assert.deepEqual([found[0], found[1], found[1_000], found[1_001]], [1, 2, 2, 3]);
});

storeTest("put() stores nothing when its parts are too many, too few, or throw", async (store) => {
  const broken = function* () {
    yield new Uint8Array(5);
    throw new Error("the source broke");
  };
  for (const size of [5, 13 << 20]) {
    const half = new Uint8Array(size / 2 + 1);
    await assert.rejects(store.put(KEY, size, [half, half]), RangeError);
    await assert.rejects(store.put(KEY, size, [half]), RangeError);
    await assert.rejects(store.put(KEY, size, broken()), /the source broke/);
    const stopped = AbortSignal.abort(new Error("stopped"));
    await assert.rejects(store.put(KEY, size, [half], stopped), /stopped/);
    assert.equal(await store.size(KEY), undefined);
    assert.deepEqual(await keysOf(store, ""), []);
  }
});

storeTest("put() again leaves the same object, also when several do at once", async (store) => {
  const bytes = patterned(200_000);
  const parts = () => [bytes.subarray(0, 9), bytes.subarray(9)];
  await store.put(KEY, bytes.length, parts());
  const others = Array.from({ length: 6 }, (_, at) => `${FORMATION}/4/${at}.object`);
  const keys = [KEY, KEY, KEY, ...others];
  await Promise.all(keys.map((key) => store.put(key, bytes.length, parts())));
  assert.deepEqual(await keysOf(store, `${FORMATION}/`), [KEY, ...others]);
  for (const key of [KEY, ...others]) {
    assert.deepEqual(await store.get(key, 0, bytes.length), bytes);
  }
});

storeTest("an object larger than one request comes back whole", async (store) => {
  // S3: just one request; two parts; three parts.
  for (const size of [9 << 20, (9 << 20) + 1, 20 << 20]) {
    const bytes = patterned(size);
    await store.put(KEY, size, [bytes.subarray(0, 100), bytes.subarray(100)]);
    assert.equal(await store.size(KEY), size);
    for (const start of [0, (8 << 20) - 3, size - 5]) {
      assert.deepEqual(await store.get(KEY, start, 5), bytes.subarray(start, start + 5));
    }
    assert.ok(equal(await store.get(KEY, 0, size), bytes));
  }
});

storeTest("get() and size() say that an object is missing", async (store) => {
  await failsWith("not_found", store.get(KEY, 0, 1), KEY);
  assert.equal(await store.size(KEY), undefined);
});

storeTest("get() says corrupt when the object ends before the range", async (store) => {
  await store.put(KEY, 100, [patterned(100)]);
  for (const [start, length] of [[0, 101], [99, 2], [100, 1], [5_000, 10]] as const) {
    await failsWith("corrupt", store.get(KEY, start, length), KEY);
  }
});

storeTest("delete() removes one object, and minds no missing one", async (store) => {
  const other = `${FORMATION}/3/b.object`;
  await store.put(KEY, 1, [patterned(1)]);
  await store.put(other, 1, [patterned(1)]);
  await store.delete(KEY);
  await store.delete(KEY);
  await store.delete("none/at-all.object");
  await failsWith("not_found", store.get(KEY, 0, 1), KEY);
  assert.deepEqual(await keysOf(store, ""), [other]);
});

storeTest("list() stays within its prefix", async (store) => {
  const keys = [
    "f/1/a.object",
    "f/1/b.object",
    "f/10/a.object",
    "f/1/sub/c.object",
    "g/1/a.object",
  ];
  for (const key of keys) await store.put(key, 1, [patterned(1)]);
  assert.deepEqual(await keysOf(store, ""), [...keys].sort());
  assert.deepEqual(await keysOf(store, "f/1/"), [
    "f/1/a.object",
    "f/1/b.object",
    "f/1/sub/c.object",
  ]);
  assert.deepEqual(await keysOf(store, groupPrefix({ formation: "f", group: 10 })), [
    "f/10/a.object",
  ]);
  assert.deepEqual(await keysOf(store, "f/2/"), []);
  await assert.rejects(keysOf(store, "f/1"), RangeError);
});

storeTest("list() gives more than a thousand keys, each once", async (store) => {
  const objects = Array.from({ length: 1_203 }, (_, at) => object(at + 1, 0));
  for (let at = 0; at < objects.length; at += 50) {
    const some = objects.slice(at, at + 50);
    await Promise.all(some.map((each) => store.put(objectKey(each), 1, [patterned(1)])));
  }
  const found = await keysOf(store, groupPrefix(object(1, 0)));
  assert.deepEqual(found, objects.map(objectKey).sort());
  let first = "";
  for await (const key of store.list("")) {
    first = key;
    break;
  }
  assert.notEqual(first, "");
});

storeTest("what is aborted rejects with the signal's reason", async (store) => {
  await store.put(KEY, 300_000, [patterned(300_000)]);
  const reason = new Error("not wanted any more");
  const aborted = AbortSignal.abort(reason);
  const isReason = (error: unknown) => error === reason;
  await assert.rejects(store.get(KEY, 0, 5, aborted), isReason);
  await assert.rejects(store.size(KEY, aborted), isReason);
  await assert.rejects(store.delete(KEY, aborted), isReason);
  await assert.rejects(store.put(KEY, 1, [patterned(1)], aborted), isReason);
  const listing = store.list("", aborted)[Symbol.asyncIterator]();
  await assert.rejects(listing.next(), isReason);
  // One that was under way either had come to its end or rejects.
  const aborting = new AbortController();
  const getting = store.get(KEY, 0, 300_000, aborting.signal);
  await Promise.resolve();
  aborting.abort(reason);
  const outcome = await getting.catch((error) => error);
  assert.ok(outcome === reason || outcome.length === 300_000, String(outcome));
  // The next one is none the worse for it.
  assert.equal((await store.get(KEY, 0, 300_000)).length, 300_000);
});

storeTest("keys that lead elsewhere are refused", async (store) => {
  for (const key of ["../a.object", "/a.object", "f/../a.object", "f//a.object", "f/a", "", "f/"]) {
    await assert.rejects(store.put(key, 0, []), RangeError, key);
    await assert.rejects(store.get(key, 0, 1), RangeError, key);
    await assert.rejects(store.size(key), RangeError, key);
    await assert.rejects(store.delete(key), RangeError, key);
  }
});

storeTest("ranges of objects are read at the borders of blocks", async (store) => {
  const P = BLOCK_PAYLOAD_BYTES;
  const made = object(7, 20 * P + 11);
  const bytes = patterned(made.bytes);
  await putObject(store, made, [bytes.subarray(0, P - 1), bytes.subarray(P - 1)]);
  assert.equal(await store.size(objectKey(made)), storedBytes(made));
  await checkObject(store, made);
  const ranges = [[0, 1], [P - 1, 2], [P, P], [P - 1, P + 2], [0, made.bytes], [20 * P, 11]];
  for (const [offset = 0, length = 0] of ranges) {
    const reader = new ColdReader({ store, runBytesMax: 256 << 10 });
    const found = new Uint8Array(length);
    let filled = 0;
    for await (const piece of reader.read(made, offset, length)) {
      found.set(piece, filled);
      filled += piece.length;
    }
    assert.equal(filled, length);
    assert.ok(equal(found, bytes.subarray(offset, offset + length)), `${offset} ${length}`);
    reader.close();
  }
});

function object(number: number, bytes: number): ColdObject {
  return { formation: FORMATION, group: 3, number, term: 2, bytes };
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
