import assert from "node:assert/strict";
import { denoDisk, denoRandom } from "../../io/deno.ts";
import { type Disk, DiskError } from "../../io/mod.ts";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import type { StoredGroup } from "../types.ts";
import { Journal, JournalDamaged, type JournalOptions, SLAB_BYTES } from "./mod.ts";

const DIRECTORY = "/data/journal";
const SEGMENT_BYTES = 64 << 10;

function newDisk(seed = 1): SimDisk {
  return new SimDisk({ random: new SimRandom(seed) });
}

function open(disk: Disk, options: Partial<JournalOptions> = {}) {
  return Journal.open({
    disk,
    directory: DIRECTORY,
    number: 0,
    segmentBytes: SEGMENT_BYTES,
    sync: true,
    random: new SimRandom(5),
    log: (line) => assert.fail(line),
    ...options,
  });
}

function put(journal: Journal, group: number, index: number, length: number, term = 1): void {
  const space = journal.reserve(length);
  space.slab.bytes.fill(index, space.start, space.end);
  journal.sealEntry(space, group, index, term, length === 0 ? "noop" : "command");
}

/** `index:term*length` of the entries; their bytes are what `put` put there. */
function entriesOf(group: StoredGroup | undefined): string {
  return (group?.entries ?? []).map(({ index, term, payload: { slab, start, end } }) => {
    const payload = slab.bytes.subarray(start, end);
    assert.ok(payload.every((byte) => byte === index % 256), `payload of ${index}`);
    return `${index}:${term}*${payload.length}`;
  }).join(" ");
}

async function reopened(disk: Disk, options: Partial<JournalOptions> = {}) {
  const { journal, groups } = await open(disk, options);
  await journal.close();
  return groups;
}

Deno.test("Journal.open() finds nothing when there is nothing, and is repeatable", async () => {
  const disk = newDisk();
  assert.equal((await reopened(disk)).size, 0);
  assert.equal((await reopened(disk)).size, 0);
  assert.deepEqual(disk.paths(), ["/data/journal/journal-0-0000000001.segment"]);
});

Deno.test("Journal.open() finds entries, terms, votes and marks when they were flushed", async () => {
  const disk = newDisk();
  const { journal } = await open(disk);
  for (let index = 1; index <= 5; index++) put(journal, 7, index, index * 10);
  put(journal, 3, 1, 0);
  journal.putHardState(7, 4, "1/s");
  journal.putHardState(3, 2, undefined);
  journal.putSnapshotMark(7, 2, 1);
  await journal.flush();
  const groups = await reopened(disk.crash());
  const { entries: _, ...seven } = groups.get(7) ?? assert.fail();
  assert.deepEqual(seven, { term: 4, votedFor: "1/s", snapshotIndex: 2, snapshotTerm: 1 });
  assert.equal(entriesOf(groups.get(7)), "3:1*30 4:1*40 5:1*50");
  assert.equal(entriesOf(groups.get(3)), "1:1*0");
  assert.equal(groups.get(3)?.entries[0]?.kind, "noop");
  assert.equal(groups.get(3)?.votedFor, undefined);
});

Deno.test("Journal.open() drops entries that a later one with their index replaced", async () => {
  const disk = newDisk();
  const { journal } = await open(disk);
  for (let index = 1; index <= 5; index++) put(journal, 0, index, 8);
  await journal.flush();
  put(journal, 0, 3, 9, 2);
  await journal.flush();
  assert.equal(entriesOf((await reopened(disk.crash())).get(0)), "1:1*8 2:1*8 3:2*9");
});

Deno.test("Journal.open() drops the log when a RaftSnapshot disagreed with it", async () => {
  const disk = newDisk();
  const { journal } = await open(disk);
  for (let index = 1; index <= 5; index++) put(journal, 0, index, 8);
  journal.putSnapshotMark(0, 3, 2);
  put(journal, 0, 4, 8, 2);
  await journal.flush();
  assert.equal(entriesOf((await reopened(disk.crash())).get(0)), "4:2*8");
});

Deno.test("Journal.open() drops all that came before a RaftSnapshot that replaces the log", async () => {
  for (const [index, term] of [[3, 1], [3, 2], [5, 1], [9, 2]] as const) {
    const disk = newDisk();
    const { journal } = await open(disk);
    for (let next = 1; next <= 5; next++) put(journal, 0, next, 8);
    put(journal, 1, 1, 8);
    journal.putHardState(0, 4, "2/s");
    journal.putSnapshotMark(0, index, term, true);
    assert.throws(() => put(journal, 0, index + 2, 8), /invariant/, "the log ends at the mark");
    await journal.flush();
    const crashed = disk.crash();
    const found = await open(crashed);
    const { entries, ...state } = found.groups.get(0) ?? assert.fail();
    assert.equal(entries.length, 0);
    assert.deepEqual(state, {
      term: 4,
      votedFor: "2/s",
      snapshotIndex: index,
      snapshotTerm: term,
    });
    assert.equal(entriesOf(found.groups.get(1)), "1:1*8", "another group's stay");
    put(found.journal, 0, index + 1, 9, 2);
    await found.journal.close();
    assert.equal(entriesOf((await reopened(crashed)).get(0)), `${index + 1}:2*9`);
  }
});

Deno.test("Journal.putSnapshotMark() replaces the log at the mark that stands, and not below", async () => {
  const disk = newDisk();
  const { journal } = await open(disk);
  for (let index = 1; index <= 6; index++) put(journal, 0, index, 8);
  journal.putSnapshotMark(0, 3, 1);
  journal.putSnapshotMark(0, 2, 1);
  assert.throws(() => journal.putSnapshotMark(0, 2, 1, true), /invariant: group 0 stands at 3/);
  await journal.flush();
  assert.equal(entriesOf((await reopened(disk.kill())).get(0)), "4:1*8 5:1*8 6:1*8");
  const again = await open(disk.kill());
  again.journal.putSnapshotMark(0, 3, 1, true);
  put(again.journal, 0, 4, 9, 2);
  await again.journal.flush();
  assert.equal(entriesOf((await reopened(disk.kill())).get(0)), "4:2*9");
});

Deno.test("Journal lets segments go when a RaftSnapshot replaced what was in them", async () => {
  const disk = newDisk();
  const { journal } = await open(disk);
  for (let index = 1; index <= 300; index++) {
    put(journal, 0, index, 1_000);
    await journal.flush();
  }
  const { segments, diskBytes } = journal.usage();
  assert.ok(segments > 4, `${segments}`);
  // Nothing above the mark is needed any more, though its index is far below.
  journal.putSnapshotMark(0, 10, 1, true);
  await journal.flush();
  for (let turns = 0; turns < 500; turns++) await Promise.resolve();
  const usage = journal.usage();
  assert.deepEqual([usage.segments, usage.segmentsRemoved], [1, segments - 1]);
  assert.equal(usage.diskBytes, SEGMENT_BYTES);
  assert.ok(diskBytes > usage.diskBytes);
  assert.equal(usage.bytesCopiedForward, 0);
  const found = await open(disk.crash());
  assert.equal(found.journal.usage().diskBytes, SEGMENT_BYTES);
  assert.equal(found.groups.get(0)?.snapshotIndex, 10);
  await found.journal.close();
});

Deno.test("Journal keeps records that are larger than a slab and than a segment", async () => {
  const disk = newDisk();
  const { journal } = await open(disk);
  const lengths = [100, SLAB_BYTES + 1, 100, 3 * SLAB_BYTES, 100, 100];
  for (const [at, length] of lengths.entries()) put(journal, 0, at + 1, length);
  await journal.flush();
  put(journal, 0, 7, 100);
  await journal.flush();
  const found = entriesOf((await reopened(disk.crash())).get(0));
  assert.equal(found, [...lengths, 100].map((length, at) => `${at + 1}:1*${length}`).join(" "));
});

Deno.test("Journal shares a directory with others, each on its own", async () => {
  const disk = newDisk();
  for (const number of [0, 1, 11]) {
    const { journal } = await open(disk, { number });
    put(journal, number, 1, 10 + number);
    await journal.flush();
    await journal.close();
  }
  for (const number of [0, 1, 11]) {
    const groups = await reopened(disk, { number });
    assert.deepEqual([...groups.keys()], [number]);
    assert.equal(entriesOf(groups.get(number)), `1:1*${10 + number}`);
  }
});

Deno.test("Journal.flush() answers undefined when there is nothing to wait for", async () => {
  const disk = newDisk();
  const { journal } = await open(disk, { sync: false });
  assert.equal(journal.flush(), undefined);
  put(journal, 0, 1, 10);
  assert.equal(journal.flush(), undefined);
  journal.putHardState(0, 1, "1/s");
  const voted = journal.flush();
  assert.ok(voted, "a vote is synced always");
  put(journal, 0, 2, 10);
  assert.ok(journal.flush(), "flushes end in order");
  await voted;
  assert.equal((await reopened(disk.kill(), { sync: false })).get(0)?.entries.length, 2);
});

Deno.test("Journal.flush() makes votes durable even when nothing else is", async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const disk = newDisk(seed);
    const { journal } = await open(disk, { sync: false });
    put(journal, 0, 1, 10);
    journal.flush();
    journal.putHardState(0, 7, "2/s");
    await journal.flush();
    const found = (await reopened(disk.crash(), { sync: false })).get(0);
    assert.deepEqual([found?.term, found?.votedFor], [7, "2/s"]);
  }
});

Deno.test("Journal.flush() shares a sync among the batches that waited for it", async () => {
  const disk = newDisk();
  const { journal } = await open(disk);
  const before = journal.usage().syncs;
  const order: number[] = [];
  const flushes = Array.from({ length: 50 }, (_, at) => {
    put(journal, 0, at + 1, 10);
    return journal.flush()?.then(() => order.push(at));
  });
  await Promise.all(flushes);
  assert.equal(journal.usage().syncs - before, 2);
  assert.deepEqual(order, Array.from({ length: 50 }, (_, at) => at));
  assert.equal(journal.flush(), undefined);
  await journal.close();
});

Deno.test("Journal.sealEntry() refuses a gap, and a space that is not the last one", async () => {
  const { journal } = await open(newDisk());
  put(journal, 0, 1, 10);
  assert.throws(() => put(journal, 0, 3, 10), /invariant: group 0/);
  const space = journal.reserve(5);
  journal.reserve(5);
  assert.throws(() => journal.sealEntry(space, 0, 2, 1, "command"), /invariant/);
  await journal.close();
});

const failures = [
  ["a sync fails", (disk: SimDisk) => disk.failAt("sync", 1)],
  ["a write fails", (disk: SimDisk) => disk.failAt("write", 1)],
  ["the disk is full", (disk: SimDisk) => disk.failAt("write", 1, "full")],
] as const;
for (const [what, cause] of failures) {
  Deno.test(`Journal.flush() rejects for good when ${what}`, async () => {
    const disk = newDisk();
    const fatal: Error[] = [];
    const { journal } = await open(disk, { onFatal: (error) => fatal.push(error) });
    for (let turns = 0; turns < 500; turns++) await Promise.resolve();
    put(journal, 0, 1, 10);
    await journal.flush();
    cause(disk);
    put(journal, 0, 2, 10);
    const first = journal.flush();
    put(journal, 0, 3, 10);
    const second = journal.flush();
    const outcomes = await Promise.allSettled([first, second]);
    put(journal, 0, 4, 10);
    outcomes.push(...await Promise.allSettled([journal.flush(), journal.flush(), journal.close()]));
    for (const outcome of outcomes) {
      assert.equal(outcome.status, "rejected");
      assert.equal("reason" in outcome && outcome.reason, fatal[0], "one error for all");
    }
    assert.equal(fatal.length, 1);
    assert.ok(fatal[0] instanceof DiskError);
    const found = entriesOf((await reopened(disk.crash(), { log: () => {} })).get(0));
    assert.ok(found.startsWith("1:1*10"), found);
  });
}

Deno.test("JournalOptions.onFatal hears of the background, and of nothing before open() resolves", async () => {
  const disk = newDisk();
  const fatal: Error[] = [];
  const onFatal = (error: Error) => fatal.push(error);
  disk.failAt("sync", 1);
  await assert.rejects(open(disk, { onFatal }), /made to fail/);
  assert.equal(fatal.length, 0);
  const { journal } = await open(newDisk(), { onFatal });
  await journal.close();
  const other = newDisk();
  const idle = await open(other, { onFatal });
  for (let turns = 0; turns < 500; turns++) await Promise.resolve();
  // The next segment takes the spare one, and in the background another is made.
  other.failAt("open", 1);
  for (let index = 1; index <= 60; index++) put(idle.journal, 0, index, 1_200);
  for (let turns = 0; turns < 500; turns++) await Promise.resolve();
  assert.equal(fatal.length, 1, "before anybody flushes");
  await assert.rejects(idle.journal.close(), /made to fail/);
});

Deno.test("Journal ends when there is no room for the next segment", async () => {
  const disk = newDisk();
  disk.setCapacity(3 * SEGMENT_BYTES);
  const fatal: Error[] = [];
  const { journal } = await open(disk, { onFatal: (error) => fatal.push(error) });
  const filling = async () => {
    for (let index = 1; index < 500; index++) {
      put(journal, 0, index, 1_000);
      await journal.flush();
    }
  };
  await assert.rejects(filling(), { code: "full" });
  assert.equal(fatal.length, 1);
  await assert.rejects(journal.close(), { code: "full" });
});

Deno.test("Journal.open() names the file when a segment in the middle is missing", async () => {
  const disk = newDisk();
  const { journal } = await open(disk);
  for (let index = 1; index <= 200; index++) {
    put(journal, 0, index, 1_000);
    await journal.flush();
  }
  await journal.close();
  const [first, second] = disk.paths();
  await disk.remove(second ?? "");
  await assert.rejects(open(disk), (error: unknown) => {
    return error instanceof JournalDamaged && error.path === second;
  });
  const next = newDisk();
  const other = await open(next);
  for (let index = 1; index <= 200; index++) {
    put(other.journal, 0, index, 1_000);
    await other.journal.flush();
  }
  await other.journal.close();
  await next.remove(first ?? "");
  await assert.rejects(open(next), /damaged at byte 0: entry 1 of group 0 is in no segment/);
});

Deno.test("Journal.open() leaves nothing behind of a torn tail", async () => {
  const disk = newDisk();
  const { journal } = await open(disk);
  put(journal, 0, 1, 100);
  await journal.flush();
  const [path = ""] = disk.paths();
  const tail = disk.content(path).findLastIndex((byte) => byte !== 0) + 1;
  for (let index = 2; index <= 4; index++) {
    put(journal, 0, index, 100);
    journal.flush();
  }
  const killed = disk.kill();
  // The first of the three is lost, and the others are whole.
  const file = await killed.open(path, { create: false });
  await file.write(new Uint8Array(100), tail + 40);
  const lines: string[] = [];
  const found = await open(killed, { log: (line) => lines.push(line) });
  assert.equal(entriesOf(found.groups.get(0)), "1:1*100");
  assert.match(lines.join(), /journal-0-0000000001\.segment: cut off a torn write at byte \d+;/);
  const cut = Number(/byte (\d+)/.exec(lines.join())?.[1]);
  const rest = killed.content(path).subarray(cut + 32);
  assert.ok(rest.every((byte) => byte === 0), "only the write that open() adds");
  await found.journal.close();
});

Deno.test("Journal.open() drops a discarded log when its beginning went with its segment", async () => {
  const disk = newDisk();
  const { journal } = await open(disk);
  for (let index = 1; index <= 100; index++) put(journal, 0, index, 1_000);
  put(journal, 1, 1, 10);
  put(journal, 0, 101, 10);
  await journal.flush();
  journal.putSnapshotMark(0, 20, 9);
  await journal.flush();
  while (journal.usage().segmentsRemoved === 0) await Promise.resolve();
  const groups = await reopened(disk.crash());
  assert.equal(groups.get(0)?.snapshotIndex, 20);
  assert.equal(entriesOf(groups.get(0)), "");
  assert.equal(entriesOf(groups.get(1)), "1:1*10");
});

Deno.test("Journal.open() refuses when there must be one and it is gone", async () => {
  await assert.rejects(open(newDisk(), { mustExist: true }), /journal 0 is gone/);
});

Deno.test("Journal goes on in a new segment when the old one is full, and lets it go", async () => {
  let disk = newDisk();
  let { journal } = await open(disk);
  let index = 0;
  for (let life = 0; life < 5; life++) {
    for (let turn = 0; turn < 300; turn++) {
      put(journal, 0, ++index, 1_000);
      if (turn % 20 === 0) journal.putSnapshotMark(0, index - 10 > 0 ? index - 10 : index, 1);
      await journal.flush();
    }
    for (let turns = 0; turns < 500; turns++) await Promise.resolve();
    assert.ok(journal.usage().diskBytes <= 3 * SEGMENT_BYTES, `${journal.usage().diskBytes}`);
    disk = life % 2 ? disk.kill() : disk.crash();
    const found = await open(disk);
    journal = found.journal;
    assert.equal(found.groups.get(0)?.entries.at(-1)?.index, index);
  }
  await journal.close();
  assert.ok(disk.usedBytes() <= 3 * SEGMENT_BYTES);
});

Deno.test("Journal runs the same, byte for byte, when the seed is the same", async () => {
  const contents = [];
  for (let run = 0; run < 2; run++) {
    const disk = newDisk(9);
    const { journal } = await open(disk, { random: new SimRandom(9) });
    for (let index = 1; index <= 150; index++) {
      put(journal, index % 3, Math.ceil(index / 3), 1_500);
      await journal.flush();
    }
    await journal.close();
    contents.push(disk.paths().map((path) => [path, disk.content(path)]));
  }
  assert.deepEqual(contents[0], contents[1]);
});

Deno.test("Journal works on a real disk", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const options = { directory, random: denoRandom };
    const { journal } = await open(denoDisk, options);
    const flushes = [];
    for (let index = 1; index <= 500; index++) {
      put(journal, index % 2, Math.ceil(index / 2), 1_000);
      if (index % 50 === 0) journal.putSnapshotMark(0, index / 2 - 20, 1);
      flushes.push(journal.flush());
      if (index % 7 === 0) await flushes.at(-1);
    }
    await Promise.all(flushes);
    await journal.close();
    const groups = await reopened(denoDisk, options);
    assert.equal(entriesOf(groups.get(0)).split(" ").length, 20);
    assert.equal(entriesOf(groups.get(1)).split(" ").length, 250);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
