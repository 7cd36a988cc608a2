import assert from "node:assert/strict";
import type { Group } from "../../group/mod.ts";
import { joinSlices } from "../../group/mod.ts";
import type { Command, PublishSnapshot } from "../../stream/mod.ts";
import { flush, outcomeOf, OWN_STORE, SHARED_STORE } from "../../tests/given/cold_reads.ts";
import { GivenStore } from "../../tests/given/cold_store.ts";
import { appendOf, bodyOf, createOf, openBucketOf, textOf } from "../../tests/given/commands.ts";
import { givenShard } from "../../tests/given/shard.ts";
import { SimClock } from "../../tests/sim/clock.ts";

const KEY = "demo/a";
const JSON_TYPE = { contentType: "application/json" };

/** A JSON stream of three messages in one range of an object, `1,`, `22,` and `333,`. */
async function flushed(cold = SHARED_STORE, pins = false) {
  const clock = new SimClock();
  const store = new GivenStore();
  const groups: Group[] = [];
  const onGroup = (group: Group) => void groups.push(group);
  const given = await givenShard({ clock, cold, coldStore: store, onGroup, decodeOwn: true });
  const [group] = groups;
  assert.ok(group !== undefined);
  const submit = (command: Command) => clock.until(given.shard.submit(0, command));
  await submit(openBucketOf("demo"));
  await submit(createOf(KEY, JSON_TYPE));
  for (const text of ["1,", "22,", "333,"]) await submit(appendOf(KEY, text, JSON_TYPE));
  const key = await flush({ clock, access: given.shard, store, group }, { pins });
  const publishAt = (offset: number): PublishSnapshot => ({
    type: "publish",
    key: KEY,
    offset,
    contentType: "text/plain",
    object: { number: group.state.cold.nextNumber, term: 1, length: 1 },
    digest: "d",
  });
  return { ...given, clock, store, group, submit, publishAt, key: key ?? "" };
}

function forkAt(key: string, offset: number, subOffset: number): Command {
  const fork = { source: KEY, offset, subOffset };
  return createOf(key, { ...JSON_TYPE, fork, body: bodyOf('"own",') });
}

for (const pins of [false, true]) {
  const where = pins ? "pinned" : "an object's";
  Deno.test(`a fork and a snapshot within ${where} range are proven, or refused`, async () => {
    const given = await flushed(pins ? OWN_STORE : SHARED_STORE, pins);
    const { shard, submit, publishAt } = given;
    assert.equal(outcomeOf(await submit(forkAt("demo/f", 3, 0))), "offset_not_boundary");
    assert.equal(outcomeOf(await submit(forkAt("demo/f", 2, 3))), "fork_sub_offset_invalid");
    assert.equal(outcomeOf(await submit(forkAt("demo/f", 2, 1))), "created");
    assert.equal(outcomeOf(await submit(forkAt("demo/f", 2, 1))), "existed");
    const request = { key: "demo/f", from: "start", maxBytes: 100, touch: false } as const;
    const answer = await given.clock.until(Promise.resolve(shard.read(0, request)));
    assert.ok("plan" in answer);
    assert.equal(textOf(joinSlices(answer.plan.slices)), '1,22,"own",');
    const refused = await submit(publishAt(3));
    assert.ok("refused" in refused && refused.facts?.tail === 9);
    assert.equal(refused.refused, "offset_not_boundary");
    assert.equal(outcomeOf(await submit(publishAt(5))), "published");
    assert.equal(outcomeOf(await submit(forkAt("demo/g", 2, 0))), "offset_trimmed");
    given.open.abandon();
  });
}

Deno.test("what can't be proven for want of an object is an answer, and changes nothing", async () => {
  const { store, key, submit, publishAt, clock, group, open } = await flushed();
  const stored = await store.get(key, 0, await store.size(key) ?? 0);
  await store.delete(key);
  const lost = { unavailable: "cold_damaged", object: key };
  assert.deepEqual(await submit(forkAt("demo/f", 2, 1)), lost);
  assert.deepEqual(await submit(publishAt(5)), lost);
  await store.put(key, stored.length, [stored]);
  const hold = store.hold("get");
  const beganMs = clock.monotonicMs();
  assert.equal(outcomeOf(await submit(publishAt(5))), "cold_unavailable");
  const tookMs = clock.monotonicMs() - beganMs;
  assert.ok(tookMs < 5_000, "before whoever forwarded it gives up");
  assert.deepEqual(group.state.find("demo/f"), { refused: "stream_not_found" });
  assert.equal(group.state.snapshot(KEY), undefined);
  hold.release();
  assert.equal(outcomeOf(await submit(publishAt(5))), "published");
  open.abandon();
});

Deno.test("a command whose proof is under way when the shard stops is answered", async () => {
  const { store, shard, publishAt, clock, open } = await flushed();
  store.hold("get");
  const answer = shard.submit(0, publishAt(5));
  await clock.run(10);
  await clock.until(open.stop());
  assert.deepEqual(await clock.until(answer), { unavailable: "stopping" });
});
