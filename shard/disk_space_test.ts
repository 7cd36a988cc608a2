import assert from "node:assert/strict";
import { type Disk, DiskError } from "../io/mod.ts";
import { appendOf, createOf, openBucketOf } from "../tests/given/commands.ts";
import { givenShard } from "../tests/given/shard.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { DiskSpace } from "./disk_space.ts";

const MIB = 1024 * 1024;

/** A {@linkcode DiskSpace} over a disk whose room the test sets; what it said, in order. */
function watched() {
  const clock = new SimClock();
  const room = { bytes: 2048 * MIB, fails: false, looks: 0 };
  const disk = {
    freeBytes(path: string) {
      room.looks++;
      assert.equal(path, "/data");
      return room.fails
        ? Promise.reject(new DiskError("failed", path, "no"))
        : Promise.resolve(room.bytes);
    },
  } as unknown as Disk; // the one call that is made
  const lines: string[] = [];
  const space = new DiskSpace({ clock, disk }, "/data", (line) => lines.push(line));
  const after = async (bytes: number) => {
    room.bytes = bytes;
    const before = lines.length;
    await clock.run(1_000);
    return lines.length > before ? [space.low] : [];
  };
  return { clock, room, space, lines, after };
}

Deno.test("DiskSpace says low below 512 MiB, and enough from 1 GiB on", async () => {
  const { after, lines, space } = watched();
  assert.deepEqual(await after(512 * MIB), []);
  assert.deepEqual(await after(512 * MIB - 1), [true]);
  assert.deepEqual(await after(0), [], "said once");
  assert.deepEqual(await after(1024 * MIB - 1), [], "not at every byte");
  assert.deepEqual(await after(1024 * MIB), [false]);
  assert.equal(space.freeBytes, 1024 * MIB);
  assert.deepEqual(lines.map((line) => line.slice(0, 16)), [
    "disk almost full",
    "disk has room ag",
  ]);
});

Deno.test("DiskSpace looks at once", async () => {
  const { clock, room } = watched();
  assert.equal(room.looks, 1);
  await clock.run(999);
  assert.equal(room.looks, 1);
});

Deno.test("DiskSpace goes on looking when the disk does not say", async () => {
  const { room, after } = watched();
  room.fails = true;
  assert.deepEqual(await after(0), []);
  room.fails = false;
  assert.deepEqual(await after(0), [true]);
});

Deno.test("DiskSpace.stop() ends the looking, even of a look under way", async () => {
  const { room, space, after } = watched();
  room.bytes = 0;
  space.stop();
  assert.deepEqual(await after(0), []);
  assert.equal(room.looks, 1);
});

Deno.test("a shard on a full disk refuses what adds bytes, and takes the rest", async () => {
  const { clock, disk, shard, open } = await givenShard({ directory: "/data" });
  await clock.until(shard.submit(0, openBucketOf("demo")));
  await clock.until(shard.submit(0, createOf("demo/a")));
  disk.setCapacity(disk.usedBytes() + 100 * MIB);
  await clock.run(2_000);
  const overloaded = { unavailable: "overloaded" };
  assert.deepEqual(await clock.until(shard.submit(0, appendOf("demo/a", "x"))), overloaded);
  assert.deepEqual(await clock.until(shard.submit(0, createOf("demo/b"))), overloaded);
  const closing = appendOf("demo/a", "", { body: undefined, closed: true });
  assert.ok("ok" in await clock.until(shard.submit(0, closing)));
  const answer = shard.read(0, { key: "demo/a", from: "start", maxBytes: 9, touch: false });
  assert.ok("plan" in answer);
  assert.ok("ok" in await clock.until(shard.submit(0, { type: "delete", key: "demo/a" })));
  const { low, refused, freeBytes } = shard.report().disk;
  assert.deepEqual([low, refused, freeBytes !== undefined && freeBytes <= 100 * MIB], [
    true,
    2,
    true,
  ]);
  disk.setCapacity(Infinity);
  await clock.run(2_000);
  assert.ok("ok" in await clock.until(shard.submit(0, createOf("demo/b"))));
  await clock.until(open.stop());
});
