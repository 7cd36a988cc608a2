import assert from "node:assert/strict";
import { putObject } from "../../storage/cold/mod.ts";
import { ColdGroup, coldStateOf } from "../../tests/given/cold_group.ts";
import { givenGroup } from "../../tests/given/group.ts";
import { SimClock } from "../../tests/sim/clock.ts";
import { Sweeper } from "./sweeper.ts";

const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE;

function objectsOf({ group }: ColdGroup): number[] {
  return [...group.state.cold.objects.all()].map(({ number }) => number);
}

for (const isShared of [true, false]) {
  const kind = isShared ? "shared" : "own";

  Deno.test(`${kind}: Sweeper deletes an object keepsMs after the last reference went, not before`, async () => {
    const all = await ColdGroup.open({ isShared });
    const sweeper = new Sweeper(all.parts);
    await all.append("demo/a", "aaaa");
    await all.append("demo/b", "bbbb");
    await all.flush();
    await all.append("demo/b", "more");
    await all.flush();
    await all.delete("demo/a");
    await all.lookFor(2 * HOUR, 30 * SECOND, sweeper);
    assert.deepEqual(await all.store.numbers(), [1, 2]);
    await all.delete("demo/b");
    await all.lookFor(HOUR - MINUTE, 30 * SECOND, sweeper);
    assert.deepEqual(await all.store.numbers(), [1, 2]);
    await all.lookFor(2 * MINUTE, 30 * SECOND, sweeper);
    assert.deepEqual(await all.store.numbers(), []);
    assert.deepEqual(objectsOf(all), []);
    assert.equal(all.parts.counters.deletedObjects, 2);
    await sweeper.stop();
  });

  Deno.test(`${kind}: Sweeper leaves what a fork inherits until the last fork goes`, async () => {
    const all = await ColdGroup.open({ isShared, setup: { keepsMs: MINUTE } });
    const sweeper = new Sweeper(all.parts);
    await all.append("demo/a", "inherited");
    await all.flush();
    await all.fork("demo/f", "demo/a");
    await all.delete("demo/a");
    await all.lookFor(HOUR, 30 * SECOND, sweeper);
    await all.checkStream("demo/f");
    assert.deepEqual(await all.store.numbers(), [1]);
    await all.delete("demo/f");
    await all.lookFor(2 * MINUTE, 30 * SECOND, sweeper);
    assert.deepEqual(await all.store.numbers(), []);
  });

  Deno.test(`${kind}: Sweeper goes on where a store, a leader or a process failed`, async () => {
    for (let step = 0; step < 8; step++) {
      const all = await ColdGroup.open({ isShared, setup: { keepsMs: 0 } });
      for (const key of ["demo/a", "demo/b", "demo/c", "demo/d", "demo/e", "demo/f"]) {
        await all.append(key, key);
        await all.flush();
        await all.delete(key);
      }
      let left = step;
      all.store.fails = () => left-- <= 0;
      let sweeper = new Sweeper(all.parts);
      await all.lookFor(2 * MINUTE, 30 * SECOND, sweeper);
      assert.equal(all.lines.length, step < 6 ? 1 : 0, "one line for a streak of failures");
      // Whoever sweeps next knows nothing of this one.
      await sweeper.stop();
      sweeper = new Sweeper(all.parts);
      all.store.recover();
      await all.lookFor(2 * MINUTE, 30 * SECOND, sweeper);
      assert.deepEqual(await all.store.numbers(), []);
      assert.deepEqual(objectsOf(all), []);
    }
  });
}

Deno.test("Sweeper deletes what is condemned from a follower's own store, and nothing from a shared one", async () => {
  for (const isShared of [true, false]) {
    const clock = new SimClock();
    const state = coldStateOf(isShared);
    const startMs = clock.wallMs();
    for (const [i, number] of [1, 2, 3].entries()) {
      state.apply(
        { type: "flush", object: { number, term: 1, length: 0 }, ranges: [] },
        i + 1,
        startMs,
      );
    }
    const condemn = { type: "condemn", below: 0, numbers: [1, 3] } as const;
    state.apply(condemn, 4, startMs);
    const given = givenGroup({ clock, state, idle: true, voters: ["you", "they"] });
    const all = await ColdGroup.open({ isShared, given });
    for (const number of [1, 2, 3]) {
      await putObject(all.store, all.tier.object(0, { number, term: 1, length: 0 }), []);
    }
    const sweeper = new Sweeper(all.parts);
    await all.lookFor(HOUR - MINUTE, 30 * SECOND, sweeper);
    assert.deepEqual(await all.store.numbers(), [1, 2, 3]);
    await all.lookFor(2 * MINUTE, 30 * SECOND, sweeper);
    assert.deepEqual(await all.store.numbers(), isShared ? [1, 2, 3] : [2]);
    const deletions = all.store.asked.filter((asked) => asked.startsWith("delete"));
    assert.equal(deletions.length, isShared ? 0 : 2, "each is deleted once");
  }
});

Deno.test("Sweeper without a store lets go of what lies in memory alone, a minute after it was of use", async () => {
  const all = await ColdGroup.open({ isShared: false });
  const { tier: _, ...parts } = all.parts;
  const sweeper = new Sweeper(parts);
  const { cold } = all.group.state;
  await all.append("demo/a", "bytes");
  const names = [1, 2].map((number) => ({ number, term: 1, length: 4 }));
  const data = { slab: { bytes: new Uint8Array(4), live: 0 }, start: 0, end: 4 };
  for (const object of names) {
    await all.run({ type: "stage", object, at: 0, body: { data: { ...data } } });
  }
  const [object] = names;
  assert.ok(object !== undefined);
  const published = { offset: 5, contentType: "text/plain", digest: "d" };
  await all.run({ type: "publish", key: "demo/a", object, ...published });
  await all.lookFor(MINUTE - 5 * SECOND, SECOND, sweeper);
  assert.deepEqual(objectsOf(all), [1, 2]);
  assert.equal(cold.pinnedBytes, 8);
  await all.lookFor(15 * SECOND, SECOND, sweeper);
  assert.deepEqual(objectsOf(all), [1]);
  assert.equal(cold.pinnedBytes, 4);
  const entries = all.given.log.entries.length;
  await all.lookFor(HOUR, 5 * SECOND, sweeper);
  assert.deepEqual(objectsOf(all), [1]);
  assert.ok(all.given.log.entries.length <= entries + 2, "a quiet group's log does not grow");
  await all.delete("demo/a");
  await all.lookFor(MINUTE + 15 * SECOND, SECOND, sweeper);
  assert.deepEqual([objectsOf(all), cold.pinnedBytes], [[], 0]);
  assert.deepEqual(all.store.asked, []);
  await sweeper.stop();
});

Deno.test("Sweeper raises the watermark to what was next some time ago, but not over what is being staged", async () => {
  const all = await ColdGroup.open({ isShared: true });
  const sweeper = new Sweeper(all.parts);
  const { cold } = all.group.state;
  for (const key of ["demo/a", "demo/b", "demo/c"]) {
    await all.append(key, "bytes");
    await all.flush();
  }
  await all.lookFor(8 * MINUTE, 30 * SECOND, sweeper);
  await all.append("demo/d", "bytes");
  await all.flush();
  assert.equal(cold.watermark, 1);
  await all.lookFor(3 * MINUTE, 30 * SECOND, sweeper);
  assert.equal(cold.watermark, 4);
  const object = { number: 6, term: 1, length: 60 };
  const data = { slab: { bytes: new Uint8Array(2), live: 0 }, start: 0, end: 2 };
  for (let at = 0; at < 30; at++) {
    await all.run({ type: "stage", object, at: 2 * at, body: { data } });
    await all.append("demo/d", "bytes");
    if (at < 3) await all.flush();
    await all.lookFor(MINUTE, 30 * SECOND, sweeper);
  }
  assert.equal(cold.watermark, 6);
  await all.lookFor(2 * HOUR, 30 * SECOND, sweeper);
  assert.equal(cold.watermark, cold.nextNumber);
  await all.checkStreams();
  const entries = all.given.log.entries.length;
  await all.lookFor(HOUR / 2, 30 * SECOND, sweeper);
  assert.equal(all.given.log.entries.length, entries, "a quiet group's log does not grow");
});

Deno.test("Sweeper keeps what was published while it had it condemned", async () => {
  const all = await ColdGroup.open({ isShared: true, setup: { keepsMs: 0 } });
  await all.append("demo/a", "bytes");
  const object = { ...all.numbers.take(all.group), length: 2 };
  const data = { slab: { bytes: new Uint8Array(2), live: 0 }, start: 0, end: 2 };
  await putObject(all.store, all.tier.object(0, object), [data.slab.bytes]);
  await all.run({ type: "stage", object, at: 0, body: { data } });
  const sweeper = new Sweeper(all.parts, { everyMs: SECOND });
  await all.look(sweeper);
  await all.wait(2 * SECOND);
  const answers = all.given.propose({
    type: "publish",
    key: "demo/a",
    offset: 5,
    object,
    contentType: "text/plain",
    digest: "digest",
  });
  await all.look(sweeper);
  assert.ok(answers[0] !== undefined && "ok" in answers[0] && answers[0].ok === "published");
  assert.ok(all.group.state.cold.objects.isCondemned(object.number));
  await all.lookFor(10 * SECOND, SECOND, sweeper);
  assert.deepEqual(await all.store.numbers(), [object.number]);
});

Deno.test("a flush whose number was condemned under its feet is refused, and nothing is lost", async () => {
  const all = await ColdGroup.open({ isShared: true });
  await all.append("demo/a", "one", "two");
  const late = all.numbers.take(all.group);
  const { ranges, length } = all.group.state.cold.planFlush({ maxBytes: 100 });
  await all.run({ type: "condemn", below: 0, numbers: [late.number] });
  const refused = await all.run({ type: "flush", object: { ...late, length }, ranges });
  assert.deepEqual(refused, { ok: "condemned" });
  await all.checkStream("demo/a");
  const [number, answer] = await all.flush();
  assert.ok("ok" in answer && answer.ok === "stored");
  assert.ok(number > late.number);
  await all.checkStream("demo/a");
});
