import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import { FsColdStore, prepareColdFolder } from "./fs.ts";
import { failsWith, patterned } from "../../tests/cold/expectations.ts";

const ROOT = "/data/cold";
const KEY = "f/3/a.object";
const PATH = `${ROOT}/${KEY}`;

function newDisk(seed: number, capacityBytes = Infinity): SimDisk {
  return new SimDisk({ random: new SimRandom(seed), capacityBytes });
}

async function opened(disk: SimDisk): Promise<FsColdStore> {
  await prepareColdFolder(disk, ROOT);
  return new FsColdStore({ disk, random: new SimRandom(99), root: ROOT });
}

function parts(bytes: Uint8Array): Uint8Array[] {
  return [bytes.subarray(0, 9_000), bytes.subarray(9_000)];
}

/** Ends the process after so many steps of its promises. */
async function steps(count: number): Promise<void> {
  for (; count > 0; count--) await Promise.resolve();
}

Deno.test("FsColdStore.put() leaves a whole object or none when the power fails in it", async () => {
  const bytes = patterned(20_000);
  let found = 0;
  let swept = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const disk = newDisk(seed);
    const store = await opened(disk);
    await store.put("f/3/before.object", 5, [patterned(5)]);
    let isDone = false;
    store.put(KEY, bytes.length, parts(bytes)).then(() => isDone = true);
    await steps(seed % 100);
    const crashed = seed % 3 === 0 ? disk.kill() : disk.crash();
    swept += await prepareColdFolder(crashed, ROOT);
    const again = new FsColdStore({ disk: crashed, random: new SimRandom(7), root: ROOT });
    const size = await again.size(KEY);
    assert.ok(size === bytes.length || (size === undefined && !isDone), `seed ${seed}: ${size}`);
    if (size !== undefined) {
      assert.equal(Buffer.compare(await again.get(KEY, 0, size), bytes), 0, `seed ${seed}`);
      found++;
    }
    assert.equal(await again.size("f/3/before.object"), 5);
    assert.equal(crashed.paths().length, size === undefined ? 1 : 2, `seed ${seed}: leftovers`);
    await again.put(KEY, bytes.length, parts(bytes));
    assert.equal(await again.size(KEY), bytes.length);
  }
  assert.ok(found > 20 && found < 280, `both must happen: ${found}`);
  assert.ok(swept > 20, `leftovers must happen: ${swept}`);
});

Deno.test("FsColdStore.put() is durable when it resolves, and delete() harmless when it is undone", async () => {
  for (let seed = 1; seed <= 50; seed++) {
    let disk = newDisk(seed);
    const store = await opened(disk);
    await store.put(KEY, 20_000, parts(patterned(20_000)));
    disk = disk.crash();
    let next = await opened(disk);
    assert.equal(Buffer.compare(await next.get(KEY, 0, 20_000), patterned(20_000)), 0);
    await next.delete(KEY);
    next = await opened(disk.crash());
    const size = await next.size(KEY);
    assert.ok(size === undefined || size === 20_000);
  }
});

Deno.test("FsColdStore.put() says full and leaves nothing behind when the disk is full", async () => {
  const disk = newDisk(1, 30_000);
  const store = await opened(disk);
  await store.put(KEY, 20_000, parts(patterned(20_000)));
  const other = "f/3/b.object";
  await failsWith("full", store.put(other, 20_000, parts(patterned(20_000))), other);
  assert.deepEqual(disk.paths(), [PATH]);
  disk.setCapacity(60_000);
  await store.put(other, 20_000, parts(patterned(20_000)));
  assert.equal((await store.get(other, 0, 20_000)).length, 20_000);
});

Deno.test("FsColdStore.put() can be repeated when any step of it failed", async () => {
  const bytes = patterned(20_000);
  const operations = ["open", "write", "sync", "rename"] as const;
  for (const operation of operations) {
    for (let nth = 1; nth <= 8; nth++) {
      let disk = newDisk(nth);
      const store = await opened(disk);
      const before = disk.counts[operation];
      disk.failAt(operation, nth);
      const failed = await store.put(KEY, bytes.length, parts(bytes)).then(() => false, () => true);
      if (disk.counts[operation] - before < nth) {
        assert.ok(!failed);
        break;
      }
      assert.ok(failed, `${operation} ${nth}`);
      assert.ok(disk.paths().every((path) => path === PATH), `${operation}: leftovers`);
      await store.put(KEY, bytes.length, parts(bytes));
      disk = disk.crash();
      const next = await opened(disk);
      assert.equal(Buffer.compare(await next.get(KEY, 0, bytes.length), bytes), 0);
    }
  }
});

Deno.test("FsColdStore says unavailable when the disk fails, and not_found when the file is gone", async () => {
  const disk = newDisk(1);
  const store = await opened(disk);
  await store.put(KEY, 5, [patterned(5)]);
  disk.failAt("read", 1);
  await failsWith("unavailable", store.get(KEY, 0, 5), KEY);
  disk.failAt("open", 1);
  await failsWith("unavailable", store.size(KEY), KEY);
  disk.failAt("remove", 1);
  await failsWith("unavailable", store.delete(KEY), KEY);
  await disk.remove(PATH);
  const error = await failsWith("not_found", store.get(KEY, 0, 5), KEY);
  assert.match(error.message, /^\/data\/cold: f\/3\/a\.object: /);
});

Deno.test("FsColdStore.list() passes over what is on its way, and what others put there", async () => {
  const disk = newDisk(1);
  const store = await opened(disk);
  await store.put(KEY, 5, [patterned(5)]);
  const strangers = [`${ROOT}/.incoming/abc`, `${ROOT}/lost.FOUND`, `${ROOT}/f/3/b.object~`];
  for (const path of strangers) (await disk.open(path, { create: true })).close();
  await disk.makeDirectory(`${ROOT}/lost+found`);
  const keys: string[] = [];
  for await (const key of store.list("")) keys.push(key);
  assert.deepEqual(keys, [KEY]);
  assert.equal(await prepareColdFolder(disk, ROOT), 1);
  assert.deepEqual(disk.paths(), [PATH, ...strangers.slice(1)].sort());
});
