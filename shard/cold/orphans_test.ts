import assert from "node:assert/strict";
import { objectKey, putObject } from "../../storage/cold/mod.ts";
import { ColdGroup, coldStateOf } from "../../tests/given/cold_group.ts";
import { givenGroup } from "../../tests/given/group.ts";
import { COLD_FORMATION } from "../../tests/given/shard.ts";
import { Orphans } from "./orphans.ts";

const MINUTE = 60_000;

/** Puts an object of which no command speaks. */
function put(all: ColdGroup, number: number, term: number): Promise<void> {
  const bytes = new TextEncoder().encode("lost");
  return putObject(all.store, all.tier.object(0, { number, term, length: 4 }), [bytes]);
}

async function keysOf(all: ColdGroup): Promise<string[]> {
  return (await all.store.keys()).map((key) => key.replace(/^.*\/0*(\d+-\d+).object$/, "$1"));
}

for (const isShared of [true, false]) {
  const kind = isShared ? "shared" : "own";

  Deno.test(`${kind}: Orphans deletes other terms' and condemned objects at once, unknown ones after a while`, async () => {
    const all = await ColdGroup.open({ isShared });
    await all.append("demo/a", "bytes");
    await all.flush();
    await all.run({ type: "condemn", below: 0, numbers: [3] });
    for (const [number, term] of [[1, 7], [3, 1], [5, 1], [6, 2]] as const) {
      await put(all, number, term);
    }
    const orphans = new Orphans(all.parts);
    await all.look(orphans);
    assert.deepEqual(await keysOf(all), ["1-1", "1-7", "3-1", "5-1", "6-2"]);
    await all.wait(MINUTE);
    await all.look(orphans);
    assert.deepEqual(await keysOf(all), ["1-1", "5-1", "6-2"]);
    await all.lookFor(9 * MINUTE, MINUTE, orphans);
    assert.deepEqual(await keysOf(all), ["1-1", "5-1", "6-2"]);
    await all.lookFor(2 * MINUTE, MINUTE, orphans);
    assert.deepEqual(await keysOf(all), ["1-1"]);
    for (const number of [5, 6]) assert.ok(all.group.state.cold.objects.isCondemned(number));
    await all.checkStreams();
    await all.checkObjects();
    await orphans.stop();
  });

  Deno.test(`${kind}: Orphans leaves foreign keys alone, and says so once`, async () => {
    const all = await ColdGroup.open({ isShared });
    const key = (formation: string, group: number) =>
      objectKey({ formation, group, number: 9, term: 1 });
    const foreign = [
      key(COLD_FORMATION, 1),
      key(COLD_FORMATION, 10),
      key("other", 0),
      `${COLD_FORMATION}/0/notes.txt`,
      `${COLD_FORMATION}/0/9-1.object`,
      `${COLD_FORMATION}/0/deeper/000000000009-1.object`,
    ];
    for (const name of foreign) await all.store.put(name, 0, []);
    const orphans = new Orphans(all.parts);
    await all.lookFor(60 * MINUTE, MINUTE, orphans);
    assert.deepEqual(await all.store.keys(), foreign.sort());
    assert.equal(all.lines.length, 1);
    assert.ok(all.store.asked.every((asked) => /^(put|list f0000000\/0\/$)/.test(asked)));
  });

  Deno.test(`${kind}: Orphans spares an upload that is committed meanwhile, and ends one that is late`, async () => {
    const all = await ColdGroup.open({ isShared });
    await all.append("demo/a", "bytes");
    const orphans = new Orphans(all.parts, { firstMs: 0, everyMs: MINUTE });
    const plan = all.group.state.cold.planFlush({ maxBytes: 100 });
    const payload = [new TextEncoder().encode("bytes")];
    const object = { number: 1, term: 1, length: plan.length };
    await putObject(all.store, all.tier.object(0, object), payload);
    const late = { number: 2, term: 1, length: plan.length };
    await putObject(all.store, all.tier.object(0, late), payload);
    await all.lookFor(9 * MINUTE, MINUTE, orphans);
    const answer = await all.run({ type: "flush", object, ranges: plan.ranges });
    assert.ok("ok" in answer && answer.ok === "stored");
    if (!isShared) all.group.state.cold.unpin(1);
    await all.lookFor(3 * MINUTE, MINUTE, orphans);
    assert.deepEqual(await keysOf(all), ["1-1"]);
    await all.checkStreams();
    const refused = await all.run({ type: "flush", object: late, ranges: [] });
    assert.deepEqual(refused, { ok: "condemned" });
  });

  Deno.test(`${kind}: Orphans goes on where a listing or a deletion failed`, async () => {
    for (let step = 0; step < 12; step++) {
      const all = await ColdGroup.open({ isShared });
      for (let number = 1; number <= 6; number++) await put(all, number, 1);
      const orphans = new Orphans(all.parts, { firstMs: 0, everyMs: MINUTE });
      let left = step;
      all.store.fails = () => left-- <= 0;
      await all.lookFor(12 * MINUTE, MINUTE, orphans);
      all.store.recover();
      await all.lookFor(12 * MINUTE, MINUTE, orphans);
      assert.deepEqual(await keysOf(all), []);
      await orphans.stop();
    }
  });
}

Deno.test("Orphans of a follower deletes condemned ones from its own store, and leaves the unknown", async () => {
  for (const isShared of [true, false]) {
    const state = coldStateOf(isShared);
    state.apply({ type: "condemn", below: 5, numbers: [] }, 1, 1000);
    const given = givenGroup({ state, idle: true, voters: ["you", "they"] });
    const all = await ColdGroup.open({ isShared, given });
    for (const number of [4, 5]) await put(all, number, 1);
    const orphans = new Orphans(all.parts);
    await all.lookFor(60 * MINUTE, MINUTE, orphans);
    assert.deepEqual(await keysOf(all), isShared ? ["4-1", "5-1"] : ["5-1"]);
  }
});
