import assert from "node:assert/strict";
import { SimClock } from "./clock.ts";
import { SimDisk } from "./disk.ts";
import { SECTOR_BYTES } from "./medium.ts";
import { SimRandom } from "./random.ts";

function newDisk(seed: number, capacityBytes = Infinity): SimDisk {
  return new SimDisk({ random: new SimRandom(seed), capacityBytes });
}

Deno.test("SimDisk.crash() keeps what was synced, and sectors of the rest as it likes", async () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 200; seed++) {
    const disk = newDisk(seed);
    const file = await disk.open("/a", { create: true });
    file.writeSync(new Uint8Array(4 * SECTOR_BYTES).fill(1), 0);
    await file.sync();
    await disk.syncDirectory("/");
    file.writeSync(new Uint8Array(2 * SECTOR_BYTES).fill(2), 2 * SECTOR_BYTES - 10);
    const found = disk.crash().content("/a");
    const before = found.subarray(0, 2 * SECTOR_BYTES - 10);
    const after = found.subarray(4 * SECTOR_BYTES - 10);
    assert.ok(before.every((byte) => byte === 1) && after.every((byte) => byte === 1));
    outcomes.add([1, 2, 3].map((at) => found[(at + 1) * SECTOR_BYTES - 11]).join());
  }
  assert.ok(
    outcomes.has("1,1,1") && outcomes.has("1,2,2") && outcomes.has("1,1,2"),
    [...outcomes].join(" "),
  );
});

Deno.test("SimDisk.crash() keeps what was written during a sync only by chance", async () => {
  const outcomes = new Set<number | undefined>();
  for (let seed = 1; seed <= 50; seed++) {
    const disk = newDisk(seed);
    const file = await disk.open("/a", { create: true });
    await disk.syncDirectory("/");
    file.writeSync(new Uint8Array([1]), 0);
    const synced = file.sync();
    file.writeSync(new Uint8Array([2]), 0);
    await synced;
    outcomes.add(disk.crash().content("/a")[0]);
  }
  assert.deepEqual([...outcomes].sort(), [1, 2]);
});

Deno.test("SimDisk.crash() loses or keeps names that were not synced", async () => {
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 100; seed++) {
    const disk = newDisk(seed);
    (await disk.open("/old", { create: true })).close();
    await disk.syncDirectory("/");
    await disk.rename("/old", "/new");
    outcomes.add(disk.crash().paths().join());
  }
  assert.deepEqual([...outcomes].sort(), ["/new", "/old"]);
});

Deno.test("SimDisk.syncDirectory() takes nothing back that a faster one made durable", async () => {
  const ends = new Set<string>();
  for (let seed = 1; seed <= 50; seed++) {
    const clock = new SimClock();
    const disk = new SimDisk({ random: new SimRandom(seed), clock });
    const twice = async () => {
      await disk.open("/one", { create: true });
      await disk.open("/two", { create: true });
      await disk.rename("/one", "/a");
      const ended: number[] = [];
      const first = disk.syncDirectory("/").then(() => ended.push(1));
      await disk.rename("/two", "/a");
      const second = disk.syncDirectory("/").then(() => ended.push(2));
      await Promise.all([first, second]);
      assert.ok(disk.isDurable("/a"));
      ends.add(ended.join());
    };
    await clock.until(twice());
  }
  assert.deepEqual([...ends].sort(), ["1,2", "2,1"]);
});

Deno.test("SimDisk.crash() may lose what a failed sync covered, even when a later one succeeds", async () => {
  const outcomes = new Set<number | undefined>();
  for (let seed = 1; seed <= 50; seed++) {
    const disk = newDisk(seed);
    const file = await disk.open("/a", { create: true });
    file.writeSync(new Uint8Array([1, 1]), 0);
    await file.sync();
    await disk.syncDirectory("/");
    file.writeSync(new Uint8Array([2]), 0);
    disk.failAt("sync", 1);
    await assert.rejects(file.sync());
    await file.sync();
    outcomes.add(disk.crash().content("/a")[0]);
  }
  assert.deepEqual([...outcomes].sort(), [1, 2]);
});

Deno.test("SimDisk.kill() keeps what was written, and ends the old process", async () => {
  const disk = newDisk(1);
  const file = await disk.open("/a", { create: true });
  await disk.lock("/lock");
  file.writeSync(new Uint8Array([1]), 0);
  const next = disk.kill();
  file.writeSync(new Uint8Array([2]), 0);
  file.sync().then(() => assert.fail("the process is dead"));
  assert.deepEqual(next.content("/a"), new Uint8Array([1]));
  (await next.lock("/lock")).release();
});

Deno.test("SimDisk refuses to grow when it is full", async () => {
  const disk = newDisk(1, 1_000);
  const file = await disk.open("/a", { create: true });
  file.writeSync(new Uint8Array(900), 0);
  assert.equal(await disk.freeBytes("/"), 100);
  assert.throws(() => file.writeSync(new Uint8Array(101), 900), { code: "full" });
  file.writeSync(new Uint8Array(100), 0);
});

Deno.test("SimDisk fails the operation it was told to", async () => {
  const disk = newDisk(1);
  const file = await disk.open("/a", { create: true });
  disk.failAt("write", 2, "full");
  file.writeSync(new Uint8Array([1]), 0);
  await assert.rejects(file.write(new Uint8Array([2]), 0), { code: "full" });
  file.writeSync(new Uint8Array([3]), 0);
  disk.rot("/a", 0, 2);
  assert.deepEqual(disk.content("/a"), new Uint8Array([7]));
});
