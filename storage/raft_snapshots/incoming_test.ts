import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import { META_BYTES_MAX } from "./format.ts";
import { type IncomingRaftSnapshot, RaftSnapshotDamaged, RaftSnapshots } from "./mod.ts";

const DIRECTORY = "/data/snapshots";
const META = new TextEncoder().encode("voters: 1, 2, 3");

function newDisk(seed = 1): SimDisk {
  return new SimDisk({ random: new SimRandom(seed) });
}

function given(disk: SimDisk): Promise<RaftSnapshots> {
  return RaftSnapshots.open(disk, DIRECTORY);
}

/** A state that tells at which index it was taken, and is not the same everywhere. */
function stateAt(index: number, length = 300_000): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = index + (at >> 10);
  return bytes;
}

function* pieces(state: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < state.length; at += length) yield state.subarray(at, at + length);
}

async function send(incoming: IncomingRaftSnapshot, index: number, piece = 70_001): Promise<void> {
  for (const chunk of pieces(stateAt(index), piece)) await incoming.append(chunk);
}

/** Index of the newest; its state is checked. */
async function newest(snapshots: RaftSnapshots, group = 0): Promise<number | undefined> {
  const stored = await snapshots.load(group);
  if (stored === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stored.chunks) chunks.push(chunk);
  assert.equal(Buffer.compare(Buffer.concat(chunks), stateAt(stored.index)), 0, "another state");
  assert.deepEqual([stored.term, stored.meta], [stored.index / 10, META]);
  return stored.index;
}

function markOf(index: number) {
  return { index, term: index / 10, meta: META };
}

function write(snapshots: RaftSnapshots, index: number): Promise<boolean> {
  return snapshots.write(0, markOf(index), pieces(stateAt(index), 50_000));
}

Deno.test("RaftSnapshots.receive() gives back what came, however it was cut", async () => {
  for (const piece of [1_000, 70_001, 262_144, 300_000]) {
    const disk = newDisk();
    const snapshots = await given(disk);
    await write(snapshots, 10);
    const incoming = snapshots.receive(0);
    await send(incoming, 20, piece);
    assert.equal(await newest(snapshots), 10, "nothing changes before the end");
    assert.equal(await incoming.finish(markOf(20)), true);
    assert.equal(await newest(snapshots), 20);
    const crashed = disk.crash();
    assert.equal(await newest(await given(crashed)), 20, "durable");
    assert.deepEqual(crashed.paths(), [`${DIRECTORY}/g0-0000000000000020.snapshot`]);
  }
});

Deno.test("RaftSnapshots.receive() takes states of nothing, and metas up to the bound", async () => {
  const snapshots = await given(newDisk());
  for (const [at, length] of [0, 1, META_BYTES_MAX - 1, META_BYTES_MAX].entries()) {
    const meta = new Uint8Array(length).fill(7);
    assert.equal(await snapshots.receive(3).finish({ index: at + 1, term: 1, meta }), true);
    const stored = await snapshots.load(3);
    assert.deepEqual([stored?.index, stored?.meta], [at + 1, meta]);
    for await (const _ of stored?.chunks ?? []) assert.fail("there is nothing");
  }
  const tooLong = snapshots.receive(3);
  const meta = new Uint8Array(META_BYTES_MAX + 1);
  await assert.rejects(tooLong.finish({ index: 9, term: 1, meta }), RangeError);
  await tooLong.abort();
});

Deno.test("IncomingRaftSnapshot.abort() leaves nothing behind, whenever it comes", async () => {
  for (let steps = 0; steps < 40; steps++) {
    const disk = newDisk(steps);
    const snapshots = await given(disk);
    await write(snapshots, 10);
    const incoming = snapshots.receive(0);
    const sending = send(incoming, 20);
    for (let left = steps; left > 0; left--) await Promise.resolve();
    await incoming.abort();
    await incoming.abort();
    // What was still to be sent has nowhere to go.
    await sending.catch(() => {});
    await assert.rejects(incoming.append(new Uint8Array(1)), /invariant/);
    await assert.rejects(incoming.finish(markOf(20)), /invariant/);
    assert.equal(await newest(snapshots), 10);
    assert.equal(disk.paths().length, 1, disk.paths().join());
  }
});

Deno.test("IncomingRaftSnapshot.finish() answers false when as much is there already", async () => {
  const disk = newDisk();
  const snapshots = await given(disk);
  const [behind, same, ahead] = [0, 0, 0].map(() => snapshots.receive(0));
  if (!behind || !same || !ahead) return assert.fail();
  await Promise.all([send(behind, 20), send(same, 30), send(ahead, 40), write(snapshots, 30)]);
  assert.equal(await behind.finish(markOf(20)), false);
  assert.equal(await same.finish(markOf(30)), false);
  assert.equal(await newest(snapshots), 30);
  assert.equal(await ahead.finish(markOf(40)), true);
  assert.equal(await newest(snapshots), 40);
  assert.equal(disk.paths().length, 1, disk.paths().join());
});

Deno.test("RaftSnapshots.write() answers false when a newer one came meanwhile", async () => {
  const disk = newDisk();
  const snapshots = await given(disk);
  const incoming = snapshots.receive(0);
  await send(incoming, 30);
  const meanwhile = async function* () {
    yield stateAt(20).subarray(0, 150_000);
    assert.equal(await incoming.finish(markOf(30)), true);
    yield stateAt(20).subarray(150_000);
  };
  assert.equal(await snapshots.write(0, markOf(20), meanwhile()), false);
  assert.equal(await newest(snapshots), 30);
  assert.equal(disk.paths().length, 1, disk.paths().join());
});

Deno.test("RaftSnapshots never goes back when power fails while two are on their way", async () => {
  const ends = new Map<number, number>();
  for (let seed = 1; seed <= 120; seed++) {
    const random = new SimRandom(seed);
    const disk = newDisk(seed);
    const snapshots = await given(disk);
    await write(snapshots, 10);
    const [one, other] = random.chance(0.5) ? [20, 30] : [30, 20];
    let promised = 10;
    const told = (index: number) => (isPlaced: boolean) => {
      if (isPlaced) promised = Math.max(promised, index);
    };
    const incoming = snapshots.receive(0);
    write(snapshots, one).then(told(one), () => {});
    const receiving = async () => {
      await send(incoming, other, 100_000);
      return await incoming.finish(markOf(other));
    };
    receiving().then(told(other), () => {});
    for (let steps = random.below(90); steps > 0; steps--) await Promise.resolve();
    const crashed = random.chance(0.8) ? disk.crash() : disk.kill();
    const found = await given(crashed);
    const index = await newest(found) ?? 0;
    assert.ok(index >= promised, `seed ${seed}: ${index} after ${promised}`);
    assert.equal(crashed.paths().length, 1, `seed ${seed}: ${crashed.paths()}`);
    ends.set(index, (ends.get(index) ?? 0) + 1);
  }
  for (const index of [10, 20, 30]) assert.ok((ends.get(index) ?? 0) > 5, `${index}: ${[...ends]}`);
});

Deno.test("IncomingRaftSnapshot passes errors of the disk on, and the older one stays", async () => {
  for (
    const [operation, nth] of [["write", 1], ["write", 3], ["sync", 1], ["rename", 1]] as const
  ) {
    const disk = newDisk();
    const snapshots = await given(disk);
    await write(snapshots, 10);
    disk.failAt(operation, nth);
    const incoming = snapshots.receive(0);
    const receiving = async () => {
      await send(incoming, 20);
      await incoming.finish(markOf(20));
    };
    await assert.rejects(receiving(), /made to fail/, operation);
    await incoming.abort();
    assert.equal(await newest(snapshots), 10);
    assert.equal(disk.paths().length, 1, `${operation} ${nth}: ${disk.paths()}`);
  }
});

Deno.test("RaftSnapshots.load() names file and offset when a bit of a received one rots", async () => {
  let silent = 0;
  for (let seed = 1; seed <= 60; seed++) {
    const random = new SimRandom(seed);
    const disk = newDisk(seed);
    const snapshots = await given(disk);
    const incoming = snapshots.receive(0);
    await send(incoming, 20);
    await incoming.finish(markOf(20));
    const path = disk.paths()[0] ?? "";
    const position = seed <= 59 ? seed : random.below(disk.content(path).length);
    disk.rot(path, position, random.below(8));
    try {
      await newest(snapshots);
      silent++;
    } catch (error) {
      assert.ok(error instanceof RaftSnapshotDamaged, `${position}: ${error}`);
      assert.equal(error.path, path);
    }
  }
  // Header, meta and the gap's head take the first 59 bytes; the gap itself means nothing.
  assert.ok(silent <= 1, `${silent} went unnoticed`);
});

Deno.test("RaftSnapshots.load() reads files of version 1", async () => {
  const disk = newDisk();
  const snapshots = await given(disk);
  await write(snapshots, 10);
  const path = disk.paths()[0] ?? "";
  const header = disk.content(path).slice(0, 36 + META.length);
  const view = new DataView(header.buffer);
  const rewrite = async (version: number) => {
    view.setUint32(8, version, true);
    view.setUint32(4, crc32(header.subarray(8)), true);
    await (await disk.open(path, { create: false })).write(header, 0);
  };
  await rewrite(1);
  assert.equal(await newest(snapshots), 10);
  for (const version of [0, 3]) {
    await rewrite(version);
    await assert.rejects(newest(snapshots), /has format version \d; this program reads 1 to 2/);
  }
});
