import assert from "node:assert/strict";
import { joinSlices } from "../group/mod.ts";
import { appendOf, createOf, openBucketOf, textOf } from "../tests/given/commands.ts";
import { type GivenShard, givenShard } from "../tests/given/shard.ts";
import { SimClock } from "../tests/sim/clock.ts";
import type { SimDisk } from "../tests/sim/disk.ts";
import type { ShardSetup } from "./setup.ts";

const SETUP = { directory: "/data", groupCount: 4, journalCount: 2 };
/** Small enough that a few appends bring a RaftSnapshot about. */
const SNAPSHOTS = { ...SETUP, snapshotLogBytesMin: 2_000 };
/** Like every process after the first. */
const AGAIN = { hasStarted: true };

/** Puts `text` into `demo/<group>` of each group. */
async function fill({ clock, shard, setup }: GivenShard, text: string): Promise<void> {
  for (let group = 0; group < setup.groupCount; group++) {
    const key = `demo/${group}`;
    for (const command of [openBucketOf("demo"), createOf(key), appendOf(key, text)]) {
      const answer = await clock.until(shard.submit(group, command));
      assert.ok("ok" in answer, JSON.stringify(answer));
    }
  }
}

function texts({ shard, setup }: GivenShard): string[] {
  return Array.from({ length: setup.groupCount }, (_, group) => {
    const answer = shard.read(group, {
      key: `demo/${group}`,
      from: "start",
      maxBytes: 1e6,
      touch: false,
    });
    return "plan" in answer ? textOf(joinSlices(answer.plan.slices)) : JSON.stringify(answer);
  });
}

function pathsIn(disk: SimDisk, folder: string): string[] {
  return disk.paths().filter((path) => path.startsWith(`/data/${folder}/`));
}

Deno.test("openShard() owns the groups of its journals alone", async () => {
  const { shard } = await givenShard({ ...SETUP, index: 1, shardCount: 2 });
  assert.deepEqual([...shard.groups], [1, 3]);
  assert.deepEqual([0, 1].map((group) => shard.owns(group)), [false, true]);
  assert.throws(() => shard.read(0, { key: "a", from: "now", maxBytes: 0, touch: false }));
});

Deno.test("openShard() finds what was acknowledged when the power failed", async () => {
  const first = await givenShard(SETUP);
  await fill(first, "kept");
  const disk = first.disk.crash();
  const second = await givenShard({ ...SETUP, ...AGAIN, disk, clock: first.clock });
  assert.deepEqual(texts(second), ["kept", "kept", "kept", "kept"]);
  await fill(second, "!");
  assert.deepEqual(texts(second), ["kept!", "kept!", "kept!", "kept!"]);
});

Deno.test("openShard() brings the same to other shards when their number changes", async () => {
  const first = await givenShard(SETUP);
  await fill(first, "kept");
  await first.clock.until(first.open.stop());
  for (const index of [0, 1, 2]) {
    const part = await givenShard({
      ...SETUP,
      ...AGAIN,
      index,
      shardCount: 3,
      disk: first.disk,
      clock: first.clock,
    });
    const groups = [...part.shard.groups];
    assert.deepEqual(groups, [[0, 2], [1, 3], []][index]);
    for (const group of groups) {
      const key = `demo/${group}`;
      const answer = part.shard.read(group, { key, from: "now", maxBytes: 0, touch: false });
      assert.ok("plan" in answer && answer.plan.facts.tail === 4);
    }
    await first.clock.until(part.open.stop());
  }
});

Deno.test("openShard() refuses when a journal that was there is gone, and keeps nothing open", async () => {
  const first = await givenShard(SETUP);
  await first.clock.until(first.open.stop());
  const [gone] = pathsIn(first.disk, "journal").slice(-1);
  assert.ok(gone !== undefined);
  const prefix = gone.slice(0, gone.lastIndexOf("/") + 3);
  for (const path of first.disk.paths()) {
    if (path.startsWith(prefix)) await first.clock.until(first.disk.remove(path));
  }
  await assert.rejects(
    givenShard({ ...SETUP, ...AGAIN, disk: first.disk, clock: first.clock }),
    /journal \d is gone/,
  );
});

Deno.test("openShard() refuses when a record is damaged", async () => {
  const first = await givenShard(SETUP);
  await fill(first, "kept".repeat(100));
  await first.clock.until(first.open.stop());
  let damaged = "";
  for (const path of pathsIn(first.disk, "journal")) {
    const at = textOf(first.disk.content(path)).indexOf("keptkept");
    if (at < 0) continue;
    first.disk.rot(path, at);
    damaged = path;
    break;
  }
  assert.notEqual(damaged, "");
  await assert.rejects(
    givenShard({ ...SETUP, ...AGAIN, disk: first.disk, clock: first.clock }),
    (error: Error) => error.message.includes(damaged),
  );
});

Deno.test("openShard() refuses when a RaftSnapshot is missing or damaged", async () => {
  const first = await givenShard(SNAPSHOTS);
  await fill(first, "kept".repeat(1_000));
  await first.clock.until(first.open.stop());
  const snapshots = pathsIn(first.disk, "snapshots");
  assert.ok(snapshots.length > 0);
  const again = { ...SNAPSHOTS, ...AGAIN, clock: first.clock };
  const [path = ""] = snapshots;
  const whole = texts(await givenShard({ ...again, disk: first.disk.kill() }));
  assert.deepEqual(whole, new Array(4).fill("kept".repeat(1_000)));
  first.disk.rot(path, first.disk.content(path).length >> 1);
  await assert.rejects(givenShard({ ...again, disk: first.disk.kill() }), /snapshot/);
  const disk = first.disk.kill();
  await first.clock.until(disk.remove(path));
  await assert.rejects(
    givenShard({ ...again, disk }),
    /the RaftSnapshot of group \d at index \d+ is missing/,
  );
});

Deno.test("openShard() says what it leads only when all groups have caught up", async () => {
  const { shard } = await givenShard(SETUP);
  for (const group of shard.groups) {
    const facts = shard.facts(group);
    assert.deepEqual([facts.ready, facts.leader], [true, "1.store"]);
    assert.equal(facts.appliedIndex, facts.lastIndex);
  }
});

Deno.test("stop() finishes what is under way, refuses the rest, and ends watches", async () => {
  const given = await givenShard(SETUP);
  await fill(given, "");
  const { clock, shard, open } = given;
  const found = shard.read(0, { key: "demo/0", from: "now", maxBytes: 0, touch: false });
  assert.ok("plan" in found);
  const events: boolean[] = [];
  shard.watch(0, "demo/0", found.plan.facts.incarnation, ({ ended }) => events.push(ended));
  const underWay = shard.submit(0, appendOf("demo/0", "last"));
  const stopped = open.stop();
  const late = shard.submit(0, appendOf("demo/0", "late"));
  await clock.until(stopped);
  assert.ok("ok" in await underWay);
  assert.deepEqual(await late, { unavailable: "stopping" });
  assert.deepEqual(events, [true]);
  const again = await givenShard({ ...SETUP, ...AGAIN, disk: given.disk, clock });
  assert.equal(texts(again)[0], "last");
});

Deno.test("a shard on a crowded core writes its journals less often, where they are synced", async () => {
  class CrowdedClock extends SimClock {
    coreTime() {
      return { ranMs: 0.3 * this.monotonicMs(), waitedMs: 0.7 * this.monotonicMs() };
    }
  }
  const gapMs = async (more: Partial<ShardSetup>) => {
    const { clock, open, shard } = await givenShard({ ...more, clock: new CrowdedClock() });
    await clock.run(350);
    const { writeGapMs } = shard.report();
    await clock.until(open.stop());
    return writeGapMs;
  };
  assert.equal(await gapMs({ directory: "/data" }), 3);
  assert.equal(await gapMs({ directory: "/data", fsync: false }), 0);
  assert.equal(await gapMs({ directory: undefined }), 0);
});
