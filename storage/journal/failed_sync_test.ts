import assert from "node:assert/strict";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import { Journal } from "./mod.ts";

const DISKS = 20;

function open(disk: SimDisk) {
  return Journal.open({
    disk,
    directory: "/data/journal",
    number: 0,
    segmentBytes: 32 << 10,
    sync: true,
    random: new SimRandom(5),
    log: () => {},
  });
}

function put(journal: Journal, index: number): void {
  const space = journal.reserve(3_000);
  space.slab.bytes.fill(index, space.start, space.end);
  journal.sealEntry(space, 0, index, 1, "command");
}

Deno.test("Journal.open() writes again what a failed sync left in the page cache alone", async () => {
  for (let seed = 1; seed <= DISKS; seed++) {
    const failing = new SimDisk({ random: new SimRandom(seed) });
    const first = await open(failing);
    put(first.journal, 1);
    await first.journal.flush();
    put(first.journal, 2);
    failing.failAt("sync", 1);
    await assert.rejects(async () => await first.journal.flush());
    // The next process finds the second entry, relies on it, and adds one more.
    const disk = failing.kill();
    const second = await open(disk);
    assert.equal(second.groups.get(0)?.entries.length, 2);
    put(second.journal, 3);
    await second.journal.flush();
    const third = await open(disk.crash());
    assert.equal(third.groups.get(0)?.entries.length, 3, `disk ${seed}`);
    await third.journal.close();
  }
});
