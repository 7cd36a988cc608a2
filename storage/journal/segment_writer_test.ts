import assert from "node:assert/strict";
import { SimClock } from "../../tests/sim/clock.ts";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import { Journal } from "./mod.ts";

/** A journal whose syncs off the event loop take long, and how long each took. */
async function givenSlow() {
  const clock = new SimClock();
  const disk = new SimDisk({ random: new SimRandom(3), clock, latencyMsMax: 20 });
  const tookMs: number[] = [];
  const fatal: Error[] = [];
  const opened = Journal.open({
    disk,
    clock,
    directory: "/data/journal",
    number: 0,
    segmentBytes: 64 << 10,
    sync: true,
    random: new SimRandom(5),
    log: () => {},
    onSync: (durationMs) => tookMs.push(durationMs),
    onFatal: (error) => fatal.push(error),
  });
  const { journal } = await clock.until(opened);
  const put = async (index: number) => {
    const space = journal.reserve(100);
    journal.sealEntry(space, 0, index, 1, "command");
    await clock.until(Promise.resolve(journal.flush()));
  };
  return { clock, disk, journal, tookMs, fatal, put };
}

Deno.test("a journal syncs on the event loop where that is quicker, and all is durable then", async () => {
  const { clock, disk, journal, tookMs, put } = await givenSlow();
  for (let index = 1; index <= 100; index++) await put(index);
  const held = tookMs.filter((ms) => ms === 0).length;
  assert.ok(held > 90 && held < 100, `${held} of ${tookMs.length}`);
  assert.ok(journal.usage().syncs >= 100);
  const after = Journal.open({
    disk: disk.crash(),
    directory: "/data/journal",
    number: 0,
    sync: true,
    random: new SimRandom(6),
    log: () => {},
  });
  assert.equal((await clock.until(after)).groups.get(0)?.entries.length, 100);
});

Deno.test("a sync that fails on the event loop ends the journal as any does", async () => {
  const { disk, journal, tookMs, fatal, put } = await givenSlow();
  for (let index = 1; index <= 10; index++) await put(index);
  assert.equal(tookMs.at(-1), 0);
  disk.failAt("sync", 1);
  await assert.rejects(put(11), { code: "failed" });
  assert.equal(fatal.length, 1);
  await assert.rejects(async () => await journal.flush(), { code: "failed" });
});
