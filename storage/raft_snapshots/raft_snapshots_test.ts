import assert from "node:assert/strict";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import { RaftSnapshotDamaged, RaftSnapshots } from "./mod.ts";

const DIRECTORY = "/data/snapshots";
const META = new TextEncoder().encode("voters: 1, 2, 3");

function* state(fill: number, bytes: number): Generator<Uint8Array> {
  for (let left = bytes; left > 0; left -= 70_001) {
    yield new Uint8Array(Math.min(left, 70_001)).fill(fill);
  }
}

async function read(snapshots: RaftSnapshots, group: number) {
  const stored = await snapshots.load(group);
  if (stored === undefined) return undefined;
  let bytes = 0;
  const fills = new Set<number>();
  for await (const chunk of stored.chunks) {
    bytes += chunk.length;
    for (const byte of chunk) fills.add(byte);
  }
  return { index: stored.index, term: stored.term, meta: stored.meta, bytes, fills: [...fills] };
}

function newDisk(seed = 1): SimDisk {
  return new SimDisk({ random: new SimRandom(seed) });
}

Deno.test("RaftSnapshots.load() answers the newest when several were written", async () => {
  let disk = newDisk();
  const snapshots = await RaftSnapshots.open(disk, DIRECTORY);
  assert.equal(await snapshots.load(3), undefined);
  await snapshots.write(3, { index: 10, term: 1, meta: META }, state(1, 5));
  await snapshots.write(3, { index: 20, term: 2, meta: META }, state(2, 1_000_000));
  await snapshots.write(4, { index: 7, term: 1, meta: new Uint8Array(0) }, []);
  disk = disk.crash();
  const found = await RaftSnapshots.open(disk, DIRECTORY);
  const listed = found.list().map(({ group, index }) => `${group}:${index}`);
  assert.deepEqual(listed, ["3:20", "4:7"]);
  const three = await read(found, 3);
  assert.deepEqual(three, { index: 20, term: 2, meta: META, bytes: 1_000_000, fills: [2] });
  assert.equal((await read(found, 4))?.bytes, 0);
  assert.equal(disk.paths().filter((path) => path.endsWith(".snapshot")).length, 2);
});

Deno.test("RaftSnapshots.write() leaves the old or the new one when the power fails in it", async () => {
  let kept = 0;
  for (let seed = 1; seed <= 120; seed++) {
    const disk = newDisk(seed);
    const snapshots = await RaftSnapshots.open(disk, DIRECTORY);
    await snapshots.write(0, { index: 10, term: 1, meta: META }, state(1, 300_000));
    const writing = snapshots.write(0, { index: 20, term: 1, meta: META }, state(2, 400_000));
    for (let steps = seed % 60; steps > 0; steps--) await Promise.resolve();
    const crashed = disk.crash();
    const found = await RaftSnapshots.open(crashed, DIRECTORY);
    const { index, bytes } = await read(found, 0) ?? {};
    assert.ok(index === 10 ? bytes === 300_000 : bytes === 400_000, `seed ${seed}: ${index}`);
    assert.equal(crashed.paths().length, 1, `seed ${seed}: leftovers`);
    if (index === 10) kept++;
    writing.catch(() => {});
  }
  assert.ok(kept > 10 && kept < 110, `both must happen: ${kept}`);
});

Deno.test("RaftSnapshots.open() makes durable what it finds, as a process leaves it that dies", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const disk = newDisk(seed);
    const snapshots = await RaftSnapshots.open(disk, DIRECTORY);
    // The file's, and then the folder's, which its new name needs.
    disk.failAt("sync", 2);
    await assert.rejects(snapshots.write(0, { index: 20, term: 1, meta: META }, state(2, 20)));
    const restarted = disk.kill();
    const found = await RaftSnapshots.open(restarted, DIRECTORY);
    assert.equal((await read(found, 0))?.index, 20);
    const after = await RaftSnapshots.open(restarted.crash(), DIRECTORY);
    assert.equal((await read(after, 0))?.index, 20, `seed ${seed}`);
  }
});

Deno.test("RaftSnapshots.write() changes nothing when its source throws", async () => {
  const disk = newDisk();
  const snapshots = await RaftSnapshots.open(disk, DIRECTORY);
  await snapshots.write(0, { index: 10, term: 1, meta: META }, state(1, 5));
  const broken = function* (): Generator<Uint8Array> {
    yield new Uint8Array(300_000);
    throw new Error("stopped");
  };
  const writing = snapshots.write(0, { index: 20, term: 1, meta: META }, broken());
  await assert.rejects(writing, /stopped/);
  assert.equal((await read(snapshots, 0))?.index, 10);
  assert.equal(disk.paths().length, 1);
  await snapshots.write(0, { index: 20, term: 1, meta: META }, state(2, 5));
  assert.equal((await read(snapshots, 0))?.index, 20);
});

Deno.test("RaftSnapshots.load() names file and offset when a bit has rotted", async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const disk = newDisk(seed);
    const random = new SimRandom(seed);
    const snapshots = await RaftSnapshots.open(disk, DIRECTORY);
    await snapshots.write(0, { index: 10, term: 1, meta: META }, state(1, 600_000));
    const path = disk.paths()[0] ?? "";
    const position = seed < 20 ? seed * 3 : random.below(disk.content(path).length);
    disk.rot(path, position, random.below(8));
    await assert.rejects(read(snapshots, 0), (error: unknown) => {
      assert.ok(error instanceof RaftSnapshotDamaged, String(error));
      assert.equal(error.path, path);
      assert.ok(error.offset <= position);
      return true;
    });
  }
});

Deno.test("RaftSnapshots.load() names file and offset when the end is missing", async () => {
  const disk = newDisk();
  const snapshots = await RaftSnapshots.open(disk, DIRECTORY);
  await snapshots.write(0, { index: 10, term: 1, meta: META }, state(1, 600_000));
  const path = disk.paths()[0] ?? "";
  const size = disk.content(path).length;
  for (const length of [size - 1, size - 16, 300_000, 40, 5, 0]) {
    await (await disk.open(path, { create: false })).truncate(length);
    await assert.rejects(read(snapshots, 0), RaftSnapshotDamaged);
  }
});
