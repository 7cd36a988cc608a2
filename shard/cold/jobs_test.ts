import assert from "node:assert/strict";
import type { Group } from "../../group/mod.ts";
import { copySlices } from "../../stream/mod.ts";
import { putObject } from "../../storage/cold/mod.ts";
import { GivenStore } from "../../tests/given/cold_store.ts";
import { appendOf, createOf, openBucketOf } from "../../tests/given/commands.ts";
import { COLD_FORMATION, coldSetupOf, givenShard } from "../../tests/given/shard.ts";

Deno.test("a shard merges small objects and sweeps what nothing refers to, until it is stopped", async () => {
  const store = new GivenStore(true);
  const groups: Group[] = [];
  const { clock, shard, open, lines } = await givenShard({
    cold: coldSetupOf({ keepsMs: 1_000, flushMinHotBytes: 1 << 30 }),
    coldStore: store,
    onGroup: (group) => groups.push(group),
  });
  const [group] = groups;
  assert.ok(group !== undefined);
  await clock.until(shard.submit(0, openBucketOf("demo")));
  await clock.until(shard.submit(0, createOf("demo/a")));
  for (let i = 0; i < 16; i++) {
    await clock.until(shard.submit(0, appendOf("demo/a", "slow")));
    const { ranges, length, slices } = group.state.cold.planFlush({ maxBytes: 100 });
    const name = await shard.survey(0, { about: "object" });
    assert.ok("number" in name);
    const object = { formation: COLD_FORMATION, group: 0, ...name, bytes: length };
    await putObject(store, object, [copySlices(slices)]);
    await clock.until(
      shard.submit(0, { type: "flush", object: { ...name, length }, ranges }),
    );
    group.state.cold.unpin(name.number);
  }
  assert.equal((await store.numbers()).length, 16);
  await clock.run(130_000);
  assert.deepEqual(await store.numbers(), [17]);
  await clock.until(shard.submit(0, { type: "delete", key: "demo/a" }));
  await clock.run(70_000);
  assert.deepEqual(await store.numbers(), []);
  assert.deepEqual(lines, []);
  await clock.until(open.stop());
});
