import assert from "node:assert/strict";
import type { ColdSetup } from "../setup.ts";
import { type ColdObject, objectKey } from "../../storage/cold/mod.ts";
import { ColdGroup } from "../../tests/given/cold_group.ts";
import { Merger } from "./merger.ts";
import { Sweeper } from "./sweeper.ts";

const MINUTE = 60_000;
const KIB = 1024;

function given(isShared: boolean, setup: Partial<ColdSetup> = {}): Promise<ColdGroup> {
  return ColdGroup.open({ isShared, setup: { flushMaxBytes: 64 * KIB, keepsMs: 0, ...setup } });
}

function referredTo({ group }: ColdGroup): number[] {
  return [...group.state.cold.objects.all()]
    .filter(({ references }) => references > 0).map(({ number }) => number);
}

/** Flushes of slow streams: a message each, time after time. */
async function flushSlowly(all: ColdGroup, streams: number, times: number, bytes = 40) {
  for (let time = 0; time < times; time++) {
    for (let i = 0; i < streams; i++) {
      await all.append(`demo/${i}`, `${time}.${i};`.padEnd(bytes, "."));
    }
    await all.flush();
  }
}

for (const isShared of [true, false]) {
  const kind = isShared ? "shared" : "own";

  Deno.test(`${kind}: Merger makes few objects and ranges of many of slow streams, and every byte is there`, async () => {
    const all = await given(isShared);
    const merger = new Merger(all.parts, all.numbers);
    const sweeper = new Sweeper(all.parts);
    await all.lookFor(MINUTE, MINUTE, merger);
    for (let round = 0; round < 20; round++) {
      await flushSlowly(all, 5, 10);
      await all.lookFor(2 * MINUTE, MINUTE, merger, sweeper);
    }
    assert.ok(referredTo(all).length <= 50, `${referredTo(all).length} objects`);
    const { mergedBytes, merges } = all.parts.counters;
    const bytes = 5 * 200 * 40;
    assert.ok(merges > 5);
    assert.ok(mergedBytes < 4 * bytes, `${mergedBytes / bytes} times rewritten`);
    const held = [...all.group.state.cold.ranges(new Set(referredTo(all)))].flat();
    assert.ok(held.length < 5 * 60, `${held.length} ranges of 1000`);
    await all.checkStreams();
    await all.lookFor(5 * MINUTE, 30_000, sweeper);
    await all.checkObjects();
    await merger.stop();
  });

  Deno.test(`${kind}: Merger leaves objects alone while there are few, and does not count snapshots`, async () => {
    const all = await given(isShared);
    const merger = new Merger(all.parts, all.numbers);
    await flushSlowly(all, 2, 15);
    for (let i = 0; i < 5; i++) {
      await all.run({
        type: "publish",
        key: "demo/0",
        offset: 40 * i,
        contentType: "text/plain",
        object: { ...all.numbers.take(all.group), length: 3 },
        digest: `${i}`,
      });
    }
    await all.lookFor(10 * MINUTE, MINUTE, merger);
    assert.equal(all.parts.counters.merges, 0);
    await flushSlowly(all, 2, 1);
    await all.lookFor(2 * MINUTE, MINUTE, merger);
    assert.equal(all.parts.counters.merges, 1);
  });

  Deno.test(`${kind}: Merger empties objects that are half dead`, async () => {
    const all = await given(isShared);
    const merger = new Merger(all.parts, all.numbers);
    for (let i = 0; i < 3; i++) {
      await all.append(`demo/dies${i}`, "x".repeat(40 * KIB));
      await all.append(`demo/lives${i}`, "y".repeat(20 * KIB));
      await all.flush();
    }
    await all.delete("demo/dies0");
    await all.lookFor(2 * MINUTE, MINUTE, merger);
    assert.equal(all.parts.counters.merges, 0);
    await all.delete("demo/dies1");
    await all.lookFor(2 * MINUTE, MINUTE, merger);
    assert.equal(all.parts.counters.merges, 1);
    assert.deepEqual(referredTo(all), [3, 4]);
    await all.checkStreams();
  });

  Deno.test(`${kind}: Merger joins ranges where many streams share full objects`, async () => {
    const all = await given(isShared);
    const merger = new Merger(all.parts, all.numbers, { pauseMs: 10 });
    await flushSlowly(all, 300, 16, 100);
    const sources = referredTo(all);
    assert.equal(sources.length, 16);
    await all.lookFor(2 * MINUTE, MINUTE, merger);
    await all.checkStreams();
    const held = [...all.group.state.cold.ranges(new Set(referredTo(all)))].flat();
    assert.ok(referredTo(all).every((number) => !sources.includes(number)));
    assert.ok(held.length < 320, `${held.length} ranges of 300 streams`);
    assert.ok(all.parts.counters.mergedBytes === 300 * 16 * 100, "each byte once");
  });

  Deno.test(`${kind}: Merger waits for more where merging gains nothing`, async () => {
    const all = await given(isShared);
    const merger = new Merger(all.parts, all.numbers);
    // Full of streams that come once.
    for (let time = 0; time < 16; time++) {
      for (let i = 0; i < 300; i++) await all.append(`demo/${time}-${i}`, "once".repeat(20));
      await all.flush();
    }
    const asked = all.store.asked.length;
    await all.lookFor(10 * MINUTE, MINUTE, merger);
    assert.equal(all.store.asked.length, asked);
  });

  Deno.test(`${kind}: Merger that fails at any step loses nothing and leaves nothing`, async () => {
    for (const operation of ["get", "put"]) {
      for (let step = 0; step < 3; step++) {
        const all = await given(isShared);
        await flushSlowly(all, 3, 20);
        let left = step;
        all.store.fails = (asked) => asked === operation && left-- <= 0;
        const merger = new Merger(all.parts, all.numbers);
        await all.lookFor(5 * MINUTE, MINUTE, merger);
        await all.checkStreams().catch(() => {});
        all.store.recover();
        await all.lookFor(5 * MINUTE, MINUTE, merger);
        assert.ok(referredTo(all).length < 5);
        await all.checkStreams();
        assert.equal(all.lines.length, left < 0 ? 1 : 0);
        await merger.stop();
      }
    }
  });
}

Deno.test("Merger does without a source that is damaged", async () => {
  const all = await given(true);
  await flushSlowly(all, 2, 17);
  const merger = new Merger(all.parts, all.numbers);
  const [, second = ""] = await all.store.keys();
  const size = await all.store.size(second) ?? 0;
  await all.store.stored.put(second, size, [new Uint8Array(size)]);
  await all.lookFor(5 * MINUTE, MINUTE, merger);
  assert.deepEqual(referredTo(all).slice(0, 1), [2]);
  assert.equal(referredTo(all).length, 2);
  assert.match(all.lines.join(), /^cold merge: given: .*damaged/);
});

Deno.test("Merger has a damaged source repaired where it can be, and goes on with it", async () => {
  const all = await given(true);
  await flushSlowly(all, 2, 17);
  const [, second = ""] = await all.store.keys();
  const size = await all.store.size(second) ?? 0;
  const whole = await all.store.stored.get(second, 0, size);
  await all.store.stored.put(second, size, [new Uint8Array(size)]);
  const repaired: string[] = [];
  const repair = async (object: ColdObject) => {
    repaired.push(objectKey(object));
    await all.store.stored.put(second, size, [whole]);
    return "repaired" as const;
  };
  const merger = new Merger({ ...all.parts, repair }, all.numbers);
  await all.lookFor(2 * MINUTE, MINUTE, merger);
  assert.deepEqual(repaired, [second]);
  assert.deepEqual(referredTo(all), [18]);
  await all.checkStreams();
});

Deno.test("Merger proposes nothing before a majority has its object, where nodes have stores of their own", async () => {
  const all = await given(false);
  await flushSlowly(all, 2, 20);
  const spread: number[] = [];
  let isWell = false;
  const parts = {
    ...all.parts,
    spread(_: unknown, { number }: { number: number }) {
      assert.ok(all.store.asked.at(-1)?.startsWith("put"));
      assert.equal(all.group.state.cold.objects.get(number), undefined);
      spread.push(number);
      return Promise.resolve(isWell);
    },
  };
  const merger = new Merger(parts, all.numbers);
  await all.lookFor(3 * MINUTE, MINUTE, merger);
  assert.equal(spread.length, 2);
  assert.equal(referredTo(all).length, 20);
  isWell = true;
  await all.lookFor(MINUTE, MINUTE, merger);
  assert.deepEqual(referredTo(all), spread.slice(-1));
});

Deno.test("Merger's object whose number was condemned is deleted, and made anew", async () => {
  const all = await given(true);
  await flushSlowly(all, 2, 20);
  const merger = new Merger(all.parts, all.numbers);
  let condemned = 0;
  all.store.fails = (operation) => {
    if (operation === "put" && condemned++ === 0) {
      all.given.propose({ type: "condemn", below: 0, numbers: [21] });
    }
    return false;
  };
  await all.lookFor(2 * MINUTE, MINUTE, merger);
  assert.equal(referredTo(all).length, 20);
  assert.equal((await all.store.numbers()).length, 20);
  assert.equal(all.parts.counters.refusals, 0, "no writes were");
  await all.lookFor(MINUTE, MINUTE, merger);
  assert.deepEqual(referredTo(all), [22]);
  await all.checkStreams();
});

Deno.test("Merger leaves out what is deleted while it merges", async () => {
  const all = await given(true);
  await flushSlowly(all, 3, 20);
  const merger = new Merger(all.parts, all.numbers);
  all.store.fails = (operation) => {
    if (operation === "put") all.given.propose({ type: "delete", key: "demo/1" });
    return false;
  };
  await all.lookFor(2 * MINUTE, MINUTE, merger);
  all.expected.delete("demo/1");
  await all.checkStreams();
  assert.deepEqual(referredTo(all), [21]);
  assert.equal(all.group.state.cold.objects.get(21)?.references, 2);
});
