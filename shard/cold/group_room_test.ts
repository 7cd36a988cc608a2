import assert from "node:assert/strict";
import type { Command } from "../../stream/mod.ts";
import { sliceOf } from "../../stream/mod.ts";
import { append, type GivenCold, givenCold } from "../../tests/given/cold.ts";
import { GivenStore } from "../../tests/given/cold_store.ts";
import { appendOf, createOf, openBucketOf } from "../../tests/given/commands.ts";
import { coldSetupOf, givenShard } from "../../tests/given/shard.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const BOUND = { hotBytesPerGroupMax: 20 * KIB, flushMinHotBytes: 8 * KIB };

function submit(given: GivenCold, command: Command) {
  return given.clock.until(given.shard.submit(0, command));
}

for (const isShared of [true, false]) {
  Deno.test(`a group ${isShared ? "of a shared" : "with an own"} store that hangs refuses what adds bytes; others go on`, async () => {
    const store = new GivenStore(isShared);
    const given = await givenCold({ store, groupCount: 2, ...BOUND });
    const { clock, lines } = given;
    const hold = store.hold("put");
    for (let i = 0; i < 3; i++) {
      assert.equal(await append(given, "s0", "x".repeat(7 * KIB)), "appended");
      await clock.run(1100);
    }
    assert.equal(await append(given, "s0", "one more"), "overloaded");
    assert.equal(await append(given, "s0", "one more"), "overloaded");
    const created = await submit(given, createOf("demo/new"));
    assert.deepEqual(created, { unavailable: "overloaded" });
    assert.equal(given.counters.refusals, 3);
    assert.equal(await append(given, "s1", "x".repeat(7 * KIB), 1), "appended");
    const close: Command = {
      type: "append",
      key: "demo/s0",
      contentType: "text/plain",
      closed: true,
    };
    const closed = await submit(given, close);
    assert.ok("ok" in closed && closed.ok === "appended", "adds no bytes");
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? "", /^group 0 waits for the cold store: 21504 bytes .* above 20480$/);
    hold.release();
    await clock.run(1100);
    const again = await submit(given, createOf("demo/new"));
    assert.ok("ok" in again && again.ok === "created");
    assert.match(lines[1] ?? "", /^group 0 has room again: \d+ bytes in memory, writes are taken$/);
    assert.deepEqual([lines.length, given.counters.refusals], [2, 3]);
    assert.deepEqual(given.warnings, lines.slice(0, 1));
    await clock.until(given.open.stop());
  });
}

/** Stages bytes of an object, as if there were so many. */
function stageOf(number: number, at: number, bytes: number, length: number): Command {
  const body = { data: sliceOf(new Uint8Array(bytes)) };
  return { type: "stage", object: { number, term: 1, length }, at, body };
}

Deno.test("pieces of a StreamSnapshot hold no appends up, and are never refused half-way", async () => {
  const store = new GivenStore(false);
  const given = await givenCold({ store, ...BOUND });
  const { clock } = given;
  store.hold("put");
  const whole = 100 * MIB;
  assert.deepEqual(await submit(given, stageOf(1, 0, 64 * KIB, whole)), { ok: "done" });
  assert.equal(await append(given, "s0", "x".repeat(21 * KIB)), "appended");
  assert.equal(await append(given, "s0", "x"), "overloaded");
  assert.deepEqual(await submit(given, stageOf(1, 64 * KIB, 64 * KIB, whole)), { ok: "done" });
  assert.deepEqual(await submit(given, stageOf(1, 0, 64 * KIB, whole)), { ok: "done" });
  const another = await submit(given, stageOf(2, 0, KIB, 29 * MIB));
  assert.deepEqual(another, { unavailable: "overloaded" });
  assert.deepEqual(await submit(given, stageOf(2, 0, KIB, 27 * MIB)), { ok: "done" });
  assert.equal(given.counters.refusals, 2);
  await clock.until(given.open.stop());
});

Deno.test("a StreamSnapshot larger than usual is taken where there is room for appends", async () => {
  const given = await givenCold({ store: new GivenStore(false), ...BOUND });
  assert.deepEqual(await submit(given, stageOf(1, 0, KIB, 500 * MIB)), { ok: "done" });
  const another = await submit(given, stageOf(2, 0, KIB, 500 * MIB));
  assert.deepEqual(another, { unavailable: "overloaded" });
  await given.clock.until(given.open.stop());
});

Deno.test("objects that a memory store keeps count towards the shard's bound", async () => {
  const given = await givenShard({
    hotBytesMax: 100 * KIB,
    cold: coldSetupOf({ flushMinHotBytes: 10 * KIB }),
  });
  const { clock, shard } = given;
  await clock.until(shard.submit(0, openBucketOf("demo")));
  await clock.until(shard.submit(0, createOf("demo/a")));
  for (let i = 0; i < 4; i++) {
    const answer = await clock.until(shard.submit(0, appendOf("demo/a", "x".repeat(30 * KIB))));
    assert.ok("ok" in answer, `append ${i}`);
    await clock.run(1100);
    assert.equal(shard.facts(0).hotBytes, 0);
  }
  const { now, max } = shard.report().hotBytes;
  assert.ok(now > 120 * KIB && now < 130 * KIB && max === 100 * KIB, `${now}`);
  const answer = await clock.until(shard.submit(0, appendOf("demo/a", "x")));
  assert.deepEqual(answer, { unavailable: "overloaded" });
  await clock.until(given.open.stop());
});
