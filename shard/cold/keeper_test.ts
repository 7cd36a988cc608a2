import assert from "node:assert/strict";
import { GroupState, newSlab, sliceOf } from "../../stream/mod.ts";
import { ColdReader } from "../../storage/cold/mod.ts";
import { append, contentOf, type GivenCold, givenCold, only } from "../../tests/given/cold.ts";
import { flush as flushHot } from "../../tests/given/cold_reads.ts";
import { GivenStore } from "../../tests/given/cold_store.ts";

const KIB = 1024;

/** A text that is another one for each number. */
function textOf(number: number, length: number): string {
  return `${number},`.repeat(length).slice(0, length);
}

/** Flushes one object with these bytes. */
async function flush(given: GivenCold, text: string): Promise<void> {
  assert.equal(await append(given, "s0", text), "appended");
  const { clock, shard: access, store } = given;
  await flushHot({ clock, access, store, group: only(given) }, { pins: true });
}

function pinnedOf(given: GivenCold): number[] {
  return only(given).state.cold.pinnedObjects();
}

Deno.test("tick() writes what is pinned, a few at a time and each once, and lets it go", async () => {
  const store = new GivenStore(false);
  const given = await givenCold({ store, flushesMax: 2 });
  const { clock } = given;
  const hold = store.hold("put");
  const { cold } = only(given).state;
  let text = "";
  for (let number = 1; number <= 5; number++) {
    await flush(given, textOf(number, 3 * KIB));
    text += textOf(number, 3 * KIB);
  }
  await clock.run(1000);
  assert.deepEqual([store.askedTo("put").length, cold.pinnedBytes], [2, 15 * KIB]);
  assert.ok(text === await contentOf(only(given), "s0", store), "reads go on from memory");
  const [slice] = cold.pinnedPayload(1);
  assert.ok(slice !== undefined);
  const { slab } = slice;
  assert.equal(slab.live, 15 * KIB + 6 * KIB, "pinned, and two held");
  hold.release();
  await clock.run(200);
  assert.deepEqual([store.askedTo("put").length, store.done.length, store.underWayMax], [5, 5, 2]);
  assert.deepEqual([cold.pinnedBytes, slab.live], [0, 0]);
  assert.ok(text === await contentOf(only(given), "s0", store));
  await clock.until(given.open.stop());
});

Deno.test("a full store leaves bytes in memory, and says so once", async () => {
  const store = new GivenStore(false);
  const given = await givenCold({ store });
  const { clock, lines } = given;
  store.fail("put", "full");
  for (let number = 1; number <= 3; number++) await flush(given, textOf(number, KIB));
  await clock.run(60_000);
  assert.deepEqual(pinnedOf(given), [1, 2, 3]);
  assert.ok(
    given.counters.uploadFailures >= 8 && given.counters.uploadFailures <= 15,
    "with pauses",
  );
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /^cold store given: .*; trying again, its bytes stay in memory$/);
  store.recover();
  await clock.run(31_000);
  assert.deepEqual([pinnedOf(given), store.done.length], [[], 3]);
  assert.deepEqual(lines.slice(1), ["cold store given: works again"]);
  await clock.until(given.open.stop());
});

Deno.test("a crash before a copy is durable writes it at the next start", async () => {
  for (const snapshotLogBytesMin of [1 << 20, 2 * KIB]) {
    const store = new GivenStore(false);
    const setup = { store, directory: "/data", snapshotLogBytesMin };
    const first = await givenCold(setup);
    const { clock } = first;
    store.hold("put");
    for (let number = 1; number <= 3; number++) await flush(first, textOf(number, 3 * KIB));
    await clock.run(1000);
    const snapshots = first.disk.paths().filter((path) => path.startsWith("/data/snapshots/"));
    assert.equal(snapshots.length > 0, snapshotLogBytesMin === 2 * KIB, "of pinned bytes");
    const own = new GivenStore(false);
    const second = await givenCold({
      ...setup,
      store: own,
      disk: first.disk.crash(),
      clock,
      hasStarted: true,
    });
    await clock.run(200);
    assert.deepEqual([pinnedOf(second), own.done.length], [[], 3]);
    const text = [1, 2, 3].map((number) => textOf(number, 3 * KIB)).join("");
    assert.ok(text === await contentOf(only(second), "s0", own));
    await clock.until(second.open.stop());
  }
});

Deno.test("a state that came meanwhile keeps its own pins until they are written", async () => {
  const store = new GivenStore(false);
  const given = await givenCold({ store });
  const { clock } = given;
  const group = only(given);
  const hold = store.hold("put");
  await flush(given, textOf(1, KIB));
  await clock.run(100);
  const before = group.state;
  group.state = await GroupState.import([...before.export()], {
    group: 0,
    formation: "f0000000",
    allocate: newSlab,
    pinsFlushed: true,
  });
  const next = store.hold("put");
  hold.release();
  await clock.run(10);
  assert.equal(store.done.length, 1);
  assert.deepEqual([before.cold.pinnedObjects(), pinnedOf(given)], [[1], [1]]);
  await clock.run(100);
  next.release();
  await clock.run(100);
  assert.deepEqual([store.done.length, pinnedOf(given)], [2, []]);
  assert.ok(textOf(1, KIB) === await contentOf(group, "s0", store));
  await clock.until(given.open.stop());
});

Deno.test("a staged object is written once it is whole, and none that is condemned", async () => {
  const store = new GivenStore(false);
  const given = await givenCold({ store });
  const { clock, shard } = given;
  const stage = (number: number, at: number, bytes: number, length: number) => {
    const body = { data: sliceOf(new Uint8Array(bytes).fill(number)) };
    const object = { number, term: 1, length };
    return clock.until(shard.submit(0, { type: "stage", object, at, body }));
  };
  await stage(1, 0, 500, 1000);
  await stage(2, 0, 300, 300);
  await clock.run(100);
  assert.deepEqual(store.done, ["f0000000/0/000000000002-1.object"]);
  assert.deepEqual(pinnedOf(given), [1]);
  await clock.until(shard.submit(0, { type: "condemn", below: 0, numbers: [1, 3] }));
  await clock.run(100);
  assert.deepEqual([store.done.length, pinnedOf(given)], [1, []]);
  const [, condemned] = await Promise.all([
    stage(4, 0, 300, 300),
    clock.until(shard.submit(0, { type: "condemn", below: 0, numbers: [4] })),
  ]);
  assert.deepEqual(condemned, { ok: "done" });
  await clock.run(100);
  assert.deepEqual([store.done.length, pinnedOf(given)], [1, []]);
  await stage(5, 0, 500, 1000);
  const pieces = await stage(5, 500, 500, 1000);
  assert.deepEqual(pieces, { ok: "done" });
  await clock.run(100);
  assert.deepEqual([store.done.length, pinnedOf(given)], [2, []]);
  await clock.until(given.open.stop());
});

Deno.test("a copy is what was flushed, with zeros for a stream that ended before", async () => {
  const store = new GivenStore(false);
  const given = await givenCold({ store });
  const { clock, shard } = given;
  await append(given, "s0", "kept");
  const object = { number: 1, term: 1, length: 10 };
  const plan = only(given).state.read("demo/s0", 0, 0);
  assert.ok("facts" in plan);
  const { incarnation } = plan.facts ?? {};
  assert.ok(incarnation !== undefined);
  const ranges = [
    { key: "demo/gone", incarnation, from: 0, to: 3, at: 0 },
    { key: "demo/s0", incarnation, from: 0, to: 4, at: 3 },
  ];
  await clock.until(shard.submit(0, { type: "flush", object, ranges }));
  await clock.run(100);
  assert.deepEqual(pinnedOf(given), []);
  const reader = new ColdReader({ store });
  const found: number[] = [];
  const name = { formation: "f0000000", group: 0, number: 1, term: 1, bytes: 10 };
  for await (const part of reader.read(name, 0, 10)) found.push(...part);
  assert.deepEqual(found, [0, 0, 0, ...new TextEncoder().encode("kept"), 0, 0, 0]);
  reader.close();
  await clock.until(given.open.stop());
});

Deno.test("stop() breaks off what hangs, and loses nothing", async () => {
  for (const isDeaf of [false, true]) {
    const store = new GivenStore(false);
    const given = await givenCold({ store });
    const { clock } = given;
    const hold = store.hold("put");
    store.isDeaf = isDeaf;
    await flush(given, textOf(1, KIB));
    await clock.run(100);
    const [slice] = only(given).state.cold.pinnedPayload(1);
    const begunMs = clock.monotonicMs();
    await clock.until(given.open.stop());
    assert.ok(clock.monotonicMs() - begunMs < 1000);
    assert.deepEqual([pinnedOf(given), store.done.length], [[1], 0]);
    hold.release();
    await clock.run(1);
    assert.equal(slice?.slab.live, KIB, "given back, also where the store was deaf");
  }
});
