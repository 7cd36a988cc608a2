import assert from "node:assert/strict";
import type { Group } from "../group/mod.ts";
import type { Journal } from "../storage/journal/mod.ts";
import type { RaftSnapshots } from "../storage/raft_snapshots/mod.ts";
import { appendOf, createOf, openBucketOf } from "../tests/given/commands.ts";
import { givenShard } from "../tests/given/shard.ts";
import type { Lane } from "./lane.ts";
import { Snapshots } from "./snapshots.ts";

/** Snapshots over parts that say what is done to them; writes end when the test says so. */
function given(options: { sizes?: [group: number, bytes: number][]; diskBytes?: number } = {}) {
  const said: string[] = [];
  const writes: PromiseWithResolvers<void>[] = [];
  const sizes = new Map(options.sizes);
  const journal = { diskBytes: options.diskBytes ?? 0 };
  const groups = [0, 1, 2].map((id) => ({
    id,
    logBytes: 0,
    exports: { underWay: undefined as Promise<void> | undefined },
    core: { installing: false },
    state: { cold: { pinnedBytes: 0 } },
    snapshot: () => ({
      mark: { index: 10 + id, term: 1, membership: { voters: [], outgoing: [], learners: [] } },
      chunks: [],
    }),
    compact(_mark: unknown, covered: number) {
      said.push(`compact ${id} by ${covered}`);
      this.logBytes -= covered;
    },
  }));
  const fatal: Error[] = [];
  // Each part as far as it is called.
  const snapshots = new Snapshots({
    store: {
      list: () => [...sizes].map(([group, bytes]) => ({ group, bytes, index: 0 })),
      write(group: number, { index }: { index: number }) {
        said.push(`write ${group} at ${index}`);
        const write = Promise.withResolvers<void>();
        writes.push(write);
        return write.promise;
      },
    } as unknown as RaftSnapshots,
    journal: {
      usage: () => journal,
      putSnapshotMark: (group: number, index: number) => said.push(`mark ${group} at ${index}`),
    } as unknown as Journal,
    lane: { groups, nudge: () => said.push("nudge") } as unknown as Lane,
    journalBytesMax: 1_000,
    logBytesMin: 100,
    onFatal: (reason) => fatal.push(reason),
  });
  const all = groups as unknown as Group[];
  const consider = (...logBytes: number[]) => {
    logBytes.forEach((bytes, at) => {
      const group = groups[at];
      if (group !== undefined) group.logBytes = bytes;
    });
    snapshots.consider(all);
    return said.splice(0);
  };
  const end = async (result: "well" | Error = "well") => {
    const write = writes.shift();
    if (result === "well") write?.resolve();
    else write?.reject(result);
    await new Promise((resolve) => setTimeout(resolve, 0));
    return said.splice(0);
  };
  return { snapshots, sizes, journal, groups, fatal, consider, end };
}

Deno.test("a RaftSnapshot is taken when a log exceeds the least, or twice the last one", async () => {
  const { sizes, consider, end } = given({ sizes: [[1, 200]] });
  assert.deepEqual(consider(100, 400, 100), []);
  assert.deepEqual(consider(100, 401, 100), ["write 1 at 11"]);
  sizes.set(1, 1_000);
  await end();
  assert.deepEqual(consider(0, 2_000, 0), []);
  assert.deepEqual(consider(101, 0, 0), ["write 0 at 10"]);
  await end();
});

Deno.test("a RaftSnapshot waits for what it would have to write again: pinned bytes", async () => {
  const { groups, consider, end } = given();
  const [group] = groups;
  if (group === undefined) throw new Error("there are groups");
  group.state.cold.pinnedBytes = 5_000;
  assert.deepEqual(consider(5_100), []);
  assert.deepEqual(consider(5_101), ["write 0 at 10"]);
  await end();
  group.state.cold.pinnedBytes = 0;
  assert.deepEqual(consider(101), ["write 0 at 10"]);
});

Deno.test("the mark is put when the RaftSnapshot is durable, and not before", async () => {
  const { groups, consider, end } = given();
  assert.deepEqual(consider(150), ["write 0 at 10"]);
  const [group] = groups;
  assert.ok(group !== undefined);
  group.logBytes += 30;
  assert.deepEqual(await end(), ["mark 0 at 10", "compact 0 by 150", "nudge"]);
  assert.equal(group.logBytes, 30, "what came meanwhile is still in the log");
});

Deno.test("RaftSnapshots are taken one at a time", async () => {
  const { consider, end } = given();
  assert.deepEqual(consider(150, 150), ["write 0 at 10"]);
  assert.deepEqual(consider(150, 150), []);
  const next = "write 1 at 11";
  assert.deepEqual(await end(), ["mark 0 at 10", "compact 0 by 150", "nudge", next], "unasked");
  await end();
});

Deno.test("the longest log is shortened when the journal is too large", async () => {
  const { journal, consider, end } = given({ diskBytes: 1_000 });
  assert.deepEqual(consider(10, 30, 20), []);
  journal.diskBytes = 1_001;
  assert.deepEqual(consider(10, 30, 20), ["write 1 at 11"]);
  await end();
  assert.deepEqual(consider(0, 0, 0), [], "nothing to shorten");
});

Deno.test("no RaftSnapshot is taken of a group while one goes to a member", async () => {
  const { snapshots, groups, journal, consider, end } = given();
  const sent = Promise.withResolvers<void>();
  const [first] = groups;
  assert.ok(first !== undefined);
  first.exports.underWay = sent.promise;
  assert.deepEqual(consider(500, 0, 0), []);
  assert.deepEqual(consider(500, 101, 0), ["write 1 at 11"]);
  await end();
  journal.diskBytes = 2_000;
  assert.deepEqual(consider(500, 0, 50), ["write 2 at 12"]);
  journal.diskBytes = 0;
  await end();
  const status = { appliedIndex: 10, snapshotIndex: 0 };
  const asked = snapshots.takeNow(Object.assign(first, { status: () => status }) as never);
  assert.deepEqual(await end(), []);
  first.exports.underWay = undefined;
  sent.resolve();
  assert.deepEqual(await end(), ["write 0 at 10"]);
  await end();
  assert.equal(await asked, 0);
});

Deno.test("no RaftSnapshot is taken of a group while it takes one over", async () => {
  const { groups, consider, end, journal } = given({ diskBytes: 2_000 });
  for (const group of groups.slice(0, 2)) group.core.installing = true;
  assert.deepEqual(consider(500, 400, 50), ["write 2 at 12"]);
  journal.diskBytes = 0;
  await end();
  assert.deepEqual(consider(500, 400, 0), []);
  for (const group of groups) group.core.installing = false;
  assert.deepEqual(consider(500, 400, 0), ["write 0 at 10"]);
  await end();
});

Deno.test("a RaftSnapshot that can't be written is fatal, and puts no mark", async () => {
  const { fatal, consider, end } = given();
  consider(150);
  assert.deepEqual(await end(new Error("full")), []);
  assert.deepEqual(fatal.map(({ message }) => message), ["full"]);
});

Deno.test("stop() waits for the one under way and takes no more", async () => {
  const { snapshots, consider, end } = given();
  consider(150);
  let stopped = false;
  const stopping = snapshots.stop().then(() => stopped = true);
  await Promise.resolve();
  assert.equal(stopped, false);
  assert.deepEqual(await end(), ["mark 0 at 10", "compact 0 by 150", "nudge"]);
  await stopping;
  assert.deepEqual(consider(500, 500), []);
});

Deno.test("a crash between a RaftSnapshot and its mark leaves the mark to be put at the start", async () => {
  const setup = { directory: "/data", snapshotLogBytesMin: 5_000 };
  const first = await givenShard(setup);
  const { clock, shard } = first;
  await clock.until(shard.submit(0, openBucketOf("demo")));
  await clock.until(shard.submit(0, createOf("demo/a")));
  let disk = first.disk;
  shard.submit(0, appendOf("demo/a", "x".repeat(6_000)));
  // The moment at which the snapshot has its name.
  while (!disk.paths().some((path) => path.endsWith(".snapshot"))) assert.ok(await clock.step());
  disk = disk.kill();
  first.open.abandon();
  // Without the mark the next start would need a journal that reaches back to the first entry.
  for (let life = 0; life < 2; life++) {
    const again = await givenShard({ ...setup, hasStarted: true, disk, clock });
    const answer = again.shard.read(0, { key: "demo/a", from: "now", maxBytes: 0, touch: false });
    assert.ok("plan" in answer && answer.plan.facts.tail === 6_000);
    await clock.until(again.open.stop());
  }
  const [snapshot = ""] = disk.paths().filter((path) => path.endsWith(".snapshot"));
  await clock.until(disk.remove(snapshot));
  await assert.rejects(givenShard({ ...setup, hasStarted: true, disk, clock }), /is missing/);
});

Deno.test("a shard that stops finishes the RaftSnapshot under way", async () => {
  const setup = { directory: "/data", snapshotLogBytesMin: 5_000 };
  const { clock, disk, shard, open, fatal } = await givenShard(setup);
  await clock.until(shard.submit(0, openBucketOf("demo")));
  await clock.until(shard.submit(0, createOf("demo/a")));
  await clock.until(shard.submit(0, appendOf("demo/a", "x".repeat(6_000))));
  await clock.until(open.stop());
  assert.equal(disk.paths().filter((path) => path.endsWith(".snapshot")).length, 1);
  assert.deepEqual(fatal, []);
});
