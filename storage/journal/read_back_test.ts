import assert from "node:assert/strict";
import { denoDisk, denoRandom } from "../../io/deno.ts";
import type { Disk } from "../../io/mod.ts";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import type { StoredEntry } from "../types.ts";
import { Journal, JournalDamaged, type JournalOptions } from "./mod.ts";
import { READ_BACK_WINDOW_BYTES } from "./read_back.ts";

const DIRECTORY = "/data/journal";
const SEGMENT_BYTES = 64 << 10;
const ALL = Number.MAX_SAFE_INTEGER;

async function open(disk: Disk, options: Partial<JournalOptions> = {}): Promise<Journal> {
  const { journal } = await Journal.open({
    disk,
    directory: DIRECTORY,
    number: 0,
    segmentBytes: SEGMENT_BYTES,
    sync: true,
    random: new SimRandom(5),
    log: (line) => assert.fail(line),
    ...options,
  });
  return journal;
}

function newDisk(): SimDisk {
  return new SimDisk({ random: new SimRandom(1) });
}

function put(journal: Journal, group: number, index: number, length: number, term = 1): void {
  const space = journal.reserve(length);
  space.slab.bytes.fill(index + term, space.start, space.end);
  journal.sealEntry(space, group, index, term, length === 0 ? "noop" : "command");
}

/** `index:term*length` of the entries; their bytes are what `put` put there. */
function told(entries: readonly StoredEntry[] | undefined): string | undefined {
  return entries?.map(({ index, term, kind, payload: { slab, start, end } }) => {
    const payload = slab.bytes.subarray(start, end);
    assert.ok(payload.every((byte) => byte === (index + term) % 256), `payload of ${index}`);
    assert.equal(kind, payload.length === 0 ? "noop" : "command");
    return `${index}:${term}*${payload.length}`;
  }).join(" ");
}

/** From now on reads wait until they are released. */
function holdReads(disk: SimDisk): { begun: Promise<void>; release(): void } {
  const begun = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const opened = disk.open.bind(disk);
  disk.open = async (...options) => {
    const file = await opened(...options);
    const read = file.read.bind(file);
    file.read = async (into, position) => {
      begun.resolve();
      await released.promise;
      return await read(into, position);
    };
    return file;
  };
  return { begun: begun.promise, release: () => released.resolve() };
}

/** Entries `from` to `through`, in as many reads as it takes. */
async function readAll(
  journal: Journal,
  group: number,
  from: number,
  through: number,
  bytesMax: number,
): Promise<number> {
  let reads = 0;
  for (let next = from; next <= through; reads++) {
    const found = await journal.readEntries(group, next, through, bytesMax) ?? [];
    const bytes = found.reduce((sum, { payload: { start, end } }) => sum + end - start, 0);
    assert.ok(found.length === 1 || bytes <= bytesMax, `${bytes} bytes`);
    told(found);
    for (const { index } of found) assert.equal(index, next++);
    assert.ok(found.length > 0, `entry ${next} is missing`);
  }
  return reads;
}

Deno.test("Journal.readEntries() answers as many entries as were asked for", async () => {
  const disk = newDisk();
  const journal = await open(disk);
  for (let index = 1; index <= 6; index++) put(journal, 3, index, index * 10 - 10);
  await journal.flush();
  assert.equal(told(await journal.readEntries(3, 2, 4, ALL)), "2:1*10 3:1*20 4:1*30");
  assert.equal(told(await journal.readEntries(3, 1, 1, ALL)), "1:1*0");
  assert.equal(told(await journal.readEntries(3, 5, 99, ALL)), "5:1*40 6:1*50");
  assert.equal(told(await journal.readEntries(3, 2, 6, 59)), "2:1*10 3:1*20");
  assert.equal(told(await journal.readEntries(3, 2, 6, 60)), "2:1*10 3:1*20 4:1*30");
  assert.equal(told(await journal.readEntries(3, 4, 6, 0)), "4:1*30", "one at least");
  await journal.close();
});

Deno.test("Journal.readEntries() answers undefined when there is nothing to give", async () => {
  const disk = newDisk();
  const journal = await open(disk);
  for (let index = 1; index <= 6; index++) put(journal, 3, index, 10);
  journal.putSnapshotMark(3, 2, 1);
  await journal.flush();
  assert.equal(await journal.readEntries(4, 1, 1, ALL), undefined, "no such group");
  assert.equal(await journal.readEntries(3, 7, 9, ALL), undefined, "not there yet");
  assert.equal(await journal.readEntries(3, 2, 4, ALL), undefined, "covered by a RaftSnapshot");
  assert.equal(await journal.readEntries(3, 5, 4, ALL), undefined, "none asked for");
  assert.equal(told(await journal.readEntries(3, 3, 3, ALL)), "3:1*10");
  await journal.close();
  assert.equal(await journal.readEntries(3, 3, 3, ALL), undefined);
});

Deno.test("Journal.readEntries() gives nothing that is not durable", async () => {
  const disk = newDisk();
  let holding: PromiseWithResolvers<void> | undefined = undefined;
  const opened = disk.open.bind(disk);
  disk.open = async (...options) => {
    const file = await opened(...options);
    const sync = file.sync.bind(file);
    file.sync = () => holding === undefined ? sync() : holding.promise.then(sync);
    return file;
  };
  const journal = await open(disk);
  put(journal, 0, 1, 10);
  await journal.flush();
  put(journal, 0, 2, 10);
  assert.equal(told(await journal.readEntries(0, 1, 2, ALL)), "1:1*10", "not even written");
  assert.equal(await journal.readEntries(0, 2, 2, ALL), undefined);
  holding = Promise.withResolvers();
  const flushed = journal.flush();
  assert.equal(told(await journal.readEntries(0, 1, 2, ALL)), "1:1*10", "written, not synced");
  holding.resolve();
  await flushed;
  assert.equal(told(await journal.readEntries(0, 1, 2, ALL)), "1:1*10 2:1*10");
  await journal.close();
});

Deno.test("Journal.readEntries() gives what was written when nothing is synced", async () => {
  const journal = await open(newDisk(), { sync: false });
  put(journal, 0, 1, 10);
  assert.equal(await journal.readEntries(0, 1, 1, ALL), undefined);
  await journal.flush();
  assert.equal(told(await journal.readEntries(0, 1, 1, ALL)), "1:1*10");
  await journal.close();
});

Deno.test("Journal.readEntries() finds every entry among those of many groups", async () => {
  const disk = newDisk();
  let journal = await open(disk);
  const counts = Array.from({ length: 20 }, () => 0);
  for (let turn = 0; turn < 200; turn++) {
    for (let group = 0; group < counts.length; group++) {
      if ((turn + group) % 3 === 0) continue;
      put(journal, group, counts[group] = (counts[group] ?? 0) + 1, (turn * 37 + group) % 700);
    }
    await journal.flush();
  }
  assert.ok(journal.usage().segments > 10);
  for (let life = 0; life < 2; life++) {
    for (const [group, last] of counts.entries()) {
      for (const from of [1, 2, 63, last - 1, last]) {
        await readAll(journal, group, from, last, 9_999);
      }
    }
    assert.equal(await readAll(journal, 0, 1, counts[0] ?? 0, ALL), 1, "also across segments");
    await journal.close();
    journal = await open(disk.crash());
  }
  await journal.close();
});

Deno.test("Journal.readEntries() reads little of what it does not need", async () => {
  const disk = newDisk();
  const journal = await open(disk, { segmentBytes: 8 << 20 });
  for (let index = 1; index <= 20_000; index++) {
    put(journal, 0, index, 200);
    if (index % 500 === 0) await journal.flush();
  }
  const before = disk.counts.read;
  for (let index = 1; index <= 20_000; index += 1_777) {
    assert.equal(told(await journal.readEntries(0, index, index, ALL)), `${index}:1*200`);
  }
  assert.equal(disk.counts.read - before, Math.ceil(20_000 / 1_777), "one window for each");
  await journal.close();
});

Deno.test("Journal.readEntries() reads records that are larger than its window", async () => {
  const disk = newDisk();
  const journal = await open(disk);
  const window = READ_BACK_WINDOW_BYTES;
  const lengths = [10, window - 40, window - 32, window - 31, 10, 5 * window + 3, window, 10];
  for (const [at, length] of lengths.entries()) {
    put(journal, 0, at + 1, length);
    put(journal, 1, at + 1, length);
  }
  await journal.flush();
  const expected = lengths.map((length, at) => `${at + 1}:1*${length}`);
  assert.equal(told(await journal.readEntries(1, 1, 99, ALL)), expected.join(" "));
  for (const [at, one] of expected.entries()) {
    assert.equal(told(await journal.readEntries(0, at + 1, 99, 0)), one);
  }
  await journal.close();
});

Deno.test("Journal.readEntries() never gives back what was replaced", async () => {
  const disk = newDisk();
  let journal = await open(disk);
  for (let index = 1; index <= 9; index++) put(journal, 0, index, 10);
  await journal.flush();
  put(journal, 0, 4, 20, 2);
  put(journal, 0, 5, 20, 2);
  await journal.flush();
  put(journal, 0, 5, 30, 3);
  await journal.flush();
  const expected = "2:1*10 3:1*10 4:2*20 5:3*30";
  assert.equal(told(await journal.readEntries(0, 2, 9, ALL)), expected);
  assert.equal(await journal.readEntries(0, 6, 9, ALL), undefined);
  await journal.close();
  const crashed = disk.crash();
  journal = await open(crashed);
  assert.equal(told(await journal.readEntries(0, 2, 9, ALL)), expected);
  const held = holdReads(crashed);
  const reading = journal.readEntries(0, 2, 9, ALL);
  await held.begun;
  put(journal, 0, 4, 40, 4);
  held.release();
  assert.equal(told(await reading), "2:1*10 3:1*10", "replaced while it was read");
  const heldAgain = holdReads(crashed);
  const again = journal.readEntries(0, 2, 9, ALL);
  await heldAgain.begun;
  journal.putSnapshotMark(0, 3, 1, true);
  heldAgain.release();
  assert.equal(await again, undefined, "all is void");
  await journal.flush();
  assert.equal(await journal.readEntries(0, 4, 9, ALL), undefined);
  put(journal, 0, 4, 10, 4);
  await journal.flush();
  assert.equal(told(await journal.readEntries(0, 4, 9, ALL)), "4:4*10");
  await journal.close();
});

Deno.test("Journal.readEntries() ends where a RaftSnapshot has come to stand meanwhile", async () => {
  const disk = newDisk();
  const journal = await open(disk);
  for (let index = 1; index <= 9; index++) put(journal, 0, index, 10, index < 4 ? 1 : 2);
  // In a segment that is complete, what can't be found must be damaged.
  for (let index = 1; index <= 70; index++) put(journal, 1, index, 1_000);
  await journal.flush();
  const held = holdReads(disk);
  const reading = journal.readEntries(0, 2, 9, ALL);
  await held.begun;
  // The terms of entries before it are forgotten, too.
  journal.putSnapshotMark(0, 5, 2);
  held.release();
  assert.equal(await reading, undefined);
  await journal.flush();
  assert.equal(told(await journal.readEntries(0, 6, 7, ALL)), "6:2*10 7:2*10");
  await journal.close();
});

Deno.test("Journal.readEntries() follows entries that were copied out of a segment that went", async () => {
  const disk = newDisk();
  const journal = await open(disk);
  for (let index = 1; index <= 9; index++) put(journal, 7, index, 100);
  await journal.flush();
  let last = 0;
  while (journal.usage().segmentsRemoved < 3) {
    for (let count = 0; count < 20; count++) put(journal, 0, ++last, 1_000);
    journal.putSnapshotMark(0, last - 1, 1);
    // Begun before the segment goes, ended whenever it may.
    const reading = journal.readEntries(7, 2, 9, ALL);
    await journal.flush();
    assert.equal(told(await reading)?.split(" ").length, 8);
  }
  assert.ok(journal.usage().bytesCopiedForward >= 900);
  await journal.close();
  const reopened = await open(disk.crash());
  assert.equal(told(await reopened.readEntries(7, 2, 9, ALL))?.split(" ").length, 8);
  await reopened.close();
});

Deno.test("Journal.readEntries() says where when an entry has rotted, and reads others still", async () => {
  const disk = newDisk();
  const journal = await open(disk);
  for (let index = 1; index <= 100; index++) {
    put(journal, 0, index, 1_000);
    await journal.flush();
  }
  const [path = ""] = disk.paths();
  const position = disk.content(path).findIndex((byte, at, all) =>
    byte === 6 && all[at + 500] === 6
  );
  disk.rot(path, position + 3);
  await assert.rejects(journal.readEntries(0, 2, 9, ALL), (error: unknown) => {
    assert.ok(error instanceof JournalDamaged, String(error));
    assert.deepEqual([error.path, error.offset], [path, position - 32]);
    return true;
  });
  assert.equal(await readAll(journal, 0, 6, 100, 5_000) > 10, true);
  disk.rot(path, position + 3);
  assert.equal(await readAll(journal, 0, 1, 100, 5_000) > 10, true);
  // The length of one that is skipped, in a segment that is complete: the walk loses its way.
  disk.rot(path, position - 32 + 6, 3);
  await assert.rejects(journal.readEntries(0, 2, 9, ALL), JournalDamaged);
  disk.rot(path, position - 32 + 6, 3);
  disk.failAt("read", 1);
  await assert.rejects(journal.readEntries(0, 2, 9, ALL), /made to fail/);
  assert.equal(await readAll(journal, 0, 1, 100, 5_000) > 10, true);
  await journal.close();
});

Deno.test("Journal.readEntries() works on a real disk while the journal is written", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const journal = await open(denoDisk, { directory, random: denoRandom });
    const reads = [];
    for (let index = 1; index <= 400; index++) {
      put(journal, 0, index, 700);
      await journal.flush();
      if (index % 50 === 0) reads.push(readAll(journal, 0, 1, index, 20_000));
    }
    await Promise.all(reads);
    await journal.close();
    const reopened = await open(denoDisk, { directory, random: denoRandom });
    await readAll(reopened, 0, 1, 400, 20_000);
    await reopened.close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
