import assert from "node:assert/strict";
import type { Group } from "../../group/mod.ts";
import type { Slab } from "../../stream/types.ts";
import { append, contentOf, type GivenCold, givenCold, only } from "../../tests/given/cold.ts";
import { GivenStore } from "../../tests/given/cold_store.ts";
import { appendOf, bodyOf, createOf, openBucketOf } from "../../tests/given/commands.ts";
import { GivenReplicas } from "../../tests/given/replicas.ts";
import { coldSetupOf } from "../../tests/given/shard.ts";
import { SimDisk } from "../../tests/sim/disk.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import { HotBytes } from "../hot_bytes.ts";
import { ColdCounters } from "./counters.ts";
import { Flusher } from "./flusher.ts";
import { ObjectNumbers } from "./numbers.ts";
import { StoreHealth } from "./store_health.ts";
import { ColdTier } from "./tier.ts";

const KIB = 1024;
/** A group is flushed from 10 KiB on, 20 KiB at a time. */
const FLUSHES = { flushMinHotBytes: 10 * KIB, flushMaxBytes: 20 * KIB };

/** The slab that the last bytes of a stream lie in. */
function slabOf(group: Group, name: string): Slab {
  const plan = group.state.read(`demo/${name}`, "start", 1 << 24);
  assert.ok("slices" in plan);
  const last = (plan.cold?.pieces ?? plan.slices).at(-1);
  assert.ok(last !== undefined && "slab" in last);
  return last.slab;
}

/** How many bytes of each group are hot, in KiB. */
function hotOf({ groups }: GivenCold): number[] {
  return groups.map(({ state }) => state.hotBytes / KIB);
}

for (const isShared of [true, false]) {
  const kind = isShared ? "shared" : "own";

  Deno.test(`${kind}: look() flushes a group at its threshold, and goes on while it is above`, async () => {
    const given = await givenCold({ store: new GivenStore(isShared), ...FLUSHES });
    const { clock, store } = given;
    const { state } = only(given);
    let text = "";
    for (const letter of "abcdef") {
      await append(given, "s0", letter.repeat(9 * KIB));
      text += letter.repeat(9 * KIB);
      if (letter !== "a") continue;
      await clock.run(3000);
      assert.deepEqual([store.askedTo("put").length, state.hotBytes], [0, 9 * KIB]);
    }
    await clock.run(1100);
    assert.equal(state.hotBytes, 0, "three flushes of 18 KiB in one look");
    assert.deepEqual([state.cold.objects.count, store.done.length], [3, 3]);
    assert.equal(state.cold.pinnedBytes, 0);
    assert.ok(text === await contentOf(only(given), "s0", store));
    const { flushes, flushedBytes, uploadFailures } = given.counters;
    assert.deepEqual([flushes, flushedBytes, uploadFailures], [3, 54 * KIB, 0]);
    await clock.until(given.open.stop());
  });

  Deno.test(`${kind}: look() flushes what has waited for five minutes, however little it is`, async () => {
    const given = await givenCold({ store: new GivenStore(isShared), ...FLUSHES });
    await append(given, "s0", "little");
    await given.clock.run(299_000);
    assert.equal(only(given).state.hotBytes, 6);
    await given.clock.run(3_000);
    assert.deepEqual([only(given).state.hotBytes, given.store.done.length], [0, 1]);
    await given.clock.until(given.open.stop());
  });

  Deno.test(`${kind}: look() flushes the largest groups while memory is short`, async () => {
    const given = await givenCold({
      store: new GivenStore(isShared),
      groupCount: 3,
      hotBytesMax: 20 * KIB,
      ...FLUSHES,
      flushesMax: 1,
    });
    await append(given, "s0", "a".repeat(3 * KIB), 0);
    await append(given, "s1", "b".repeat(6 * KIB), 1);
    await append(given, "s2", "c".repeat(5 * KIB), 2);
    await given.clock.run(2000);
    assert.deepEqual(hotOf(given), [3, 6, 5]);
    await append(given, "s0", "a".repeat(1.5 * KIB), 0);
    await given.clock.run(2000);
    assert.deepEqual(hotOf(given), [4.5, 0, 5]);
    await given.clock.until(given.open.stop());
  });
}

Deno.test("a flush takes no more ranges than may be applied at once, and another one follows at once", async () => {
  const store = new GivenStore(true);
  const given = await givenCold({ store, ...FLUSHES, flushMinHotBytes: 2 * KIB });
  const { clock, shard } = given;
  const { state } = only(given);
  const streams = 5 * KIB;
  const command = (n: number) => createOf(`demo/t${n}`, { body: bodyOf("x") });
  const made = Array.from({ length: streams }, (_, n) => shard.submit(0, command(n)));
  await clock.until(Promise.all(made));
  await clock.run(1100);
  const lengths = [...state.cold.objects.all()].map(({ length }) => length);
  assert.deepEqual(lengths, [2 * KIB, 2 * KIB], "in one look");
  assert.equal(state.hotBytes, KIB, "below the threshold");
  await clock.until(given.open.stop());
});

Deno.test("appends go on while an upload hangs, and its bytes are held until it ends", async () => {
  const store = new GivenStore(true);
  const given = await givenCold({ store, ...FLUSHES });
  const { clock } = given;
  const group = only(given);
  const hold = store.hold("put");
  await append(given, "s0", "a".repeat(12 * KIB));
  const slab = slabOf(group, "s0");
  await clock.run(1100);
  assert.deepEqual([store.askedTo("put").length, slab.live], [1, 24 * KIB]);
  for (let i = 0; i < 9; i++) assert.equal(await append(given, "s0", "b".repeat(KIB)), "appended");
  await clock.run(5000);
  assert.deepEqual([store.askedTo("put").length, group.state.hotBytes], [1, 21 * KIB]);
  hold.release();
  await clock.run(100);
  assert.ok(slab === slabOf(group, "s0"), "or the test would show nothing");
  assert.deepEqual([group.state.hotBytes, slab.live], [9 * KIB, 9 * KIB]);
  assert.ok("a".repeat(12 * KIB) + "b".repeat(9 * KIB) === await contentOf(group, "s0", store));
  await clock.until(given.open.stop());
});

Deno.test("no more groups are flushed at a time than there may be, and each once", async () => {
  const store = new GivenStore(true);
  const given = await givenCold({ store, groupCount: 5, ...FLUSHES, flushesMax: 2 });
  const hold = store.hold("put");
  for (let group = 0; group < 5; group++) {
    await append(given, `s${group}`, "x".repeat((11 + group) * KIB), group);
  }
  await given.clock.run(3000);
  const largest = store.askedTo("put").map((key) => key.split("/")[1]);
  assert.deepEqual(largest.sort(), ["3", "4"]);
  hold.release();
  await given.clock.run(100);
  assert.deepEqual([store.underWayMax, store.askedTo("put").length], [2, 5]);
  assert.deepEqual(hotOf(given), [0, 0, 0, 0, 0]);
  await given.clock.until(given.open.stop());
});

Deno.test("an upload that fails is repeated under its key, with pauses, and told of once", async () => {
  const store = new GivenStore(true);
  const given = await givenCold({ store, ...FLUSHES });
  const { clock } = given;
  const group = only(given);
  store.fail("put", "unavailable");
  await append(given, "s0", "a".repeat(12 * KIB));
  const slab = slabOf(group, "s0");
  await clock.run(61_000);
  const attempts = store.askedTo("put").length;
  assert.ok(attempts >= 9 && attempts <= 12, `${attempts} attempts in a minute`);
  assert.equal(new Set(store.askedTo("put")).size, 1);
  assert.equal(given.counters.uploadFailures, attempts);
  await append(given, "s0", "b");
  store.recover();
  await clock.run(31_000);
  assert.deepEqual([group.state.hotBytes, slab.live, given.counters.flushes], [1, 1, 1]);
  assert.equal(new Set(store.askedTo("put")).size, 1);
  const [failed = "", works = "", ...more] = given.lines;
  assert.match(
    failed,
    /^cold store given: f0000000\/0\/0{11}1-\d+\.object: put was made to fail; trying/,
  );
  assert.deepEqual([works, more], ["cold store given: works again", []]);
  assert.deepEqual(given.warnings, [failed]);
  await clock.until(given.open.stop());
});

Deno.test("a number that was condemned meanwhile is given up for another one", async () => {
  const store = new GivenStore(true);
  const given = await givenCold({ store, ...FLUSHES });
  const { clock } = given;
  const { state } = only(given);
  const hold = store.hold("put");
  await append(given, "s0", "a".repeat(12 * KIB));
  await clock.run(1100);
  await clock.until(given.shard.submit(0, { type: "condemn", below: 5, numbers: [5] }));
  hold.release();
  await clock.run(100);
  assert.deepEqual(store.done.map((key) => key.split("/")[2]?.split("-")[0]), [
    "000000000001",
    "000000000006",
  ]);
  assert.deepEqual([...state.cold.objects.all()].map(({ number }) => number), [6]);
  assert.deepEqual([state.hotBytes, given.counters.flushes], [0, 1]);
  assert.ok("a".repeat(12 * KIB) === await contentOf(only(given), "s0", store));
  await clock.until(given.open.stop());
});

Deno.test("a stream that ended while it was uploaded leaves a hole", async () => {
  const store = new GivenStore(true);
  const given = await givenCold({ store, ...FLUSHES });
  const { clock, shard } = given;
  await clock.until(shard.submit(0, createOf("demo/gone")));
  const hold = store.hold("put");
  await append(given, "gone", "a".repeat(6 * KIB));
  await append(given, "s0", "b".repeat(6 * KIB));
  const slab = slabOf(only(given), "s0");
  await clock.run(1100);
  await clock.until(shard.submit(0, { type: "delete", key: "demo/gone" }));
  hold.release();
  await clock.run(100);
  const [object] = only(given).state.cold.objects.all();
  assert.deepEqual([object?.length, object?.liveBytes, slab.live], [12 * KIB, 6 * KIB, 0]);
  assert.ok("b".repeat(6 * KIB) === await contentOf(only(given), "s0", store));
  // All of one may be gone: then nothing goes round and round.
  const next = store.hold("put");
  await append(given, "s0", "c".repeat(11 * KIB));
  await clock.run(1100);
  await clock.until(shard.submit(0, { type: "delete", key: "demo/s0" }));
  next.release();
  await clock.run(5000);
  assert.deepEqual([given.counters.flushes, given.counters.flushedBytes], [2, 6 * KIB]);
  assert.equal(slab.live, 0);
  await clock.until(given.open.stop());
});

Deno.test("a crash between upload and commit loses nothing", async () => {
  const store = new GivenStore(true);
  const setup = { store, directory: "/data", ...FLUSHES };
  const first = await givenCold(setup);
  await append(first, "s0", "a".repeat(12 * KIB));
  while (store.done.length === 0) await first.clock.step();
  assert.equal(only(first).state.cold.objects.count, 0);
  const disk = first.disk.crash();
  const second = await givenCold({ ...setup, disk, clock: first.clock, hasStarted: true });
  await first.clock.run(2000);
  assert.deepEqual([only(second).state.hotBytes, store.done.length], [0, 2]);
  assert.equal(new Set(store.done).size, 2, "another term's key");
  assert.ok("a".repeat(12 * KIB) === await contentOf(only(second), "s0", store));
  await first.clock.until(second.open.stop());
});

Deno.test("stop() breaks off what hangs, and loses nothing", async () => {
  for (const isDeaf of [false, true]) {
    const store = new GivenStore(true);
    const given = await givenCold({ store, directory: "/data", ...FLUSHES });
    const { clock } = given;
    const hold = store.hold("put");
    store.isDeaf = isDeaf;
    await append(given, "s0", "a".repeat(12 * KIB));
    const slab = slabOf(only(given), "s0");
    await clock.run(1100);
    const begunMs = clock.monotonicMs();
    await clock.until(given.open.stop());
    assert.ok(clock.monotonicMs() - begunMs < 1000);
    hold.release();
    await clock.run(1);
    assert.equal(slab.live, 12 * KIB, "given back, also where the store was deaf");
    const again = await givenCold({
      store,
      directory: "/data",
      ...FLUSHES,
      disk: given.disk,
      clock,
      hasStarted: true,
    });
    assert.ok("a".repeat(12 * KIB) === await contentOf(only(again), "s0", store));
    await clock.until(again.open.stop());
  }
});

/** Three replicas of a group, the leader's bytes hot, and a flusher for each on one shared store. */
async function givenFlushers() {
  const replicas = new GivenReplicas({ count: 3 });
  const { clock } = replicas;
  const store = new GivenStore(true);
  const random = new SimRandom(3);
  const io = { clock, random, disk: new SimDisk({ random }) };
  const tier = await ColdTier.open(coldSetupOf(FLUSHES), {
    ...io,
    openCold: () => Promise.resolve(store),
  });
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const flushers = replicas.groups.map((group) => {
    const counters = new ColdCounters();
    const parts = { tier, groups: [group], clock, random, counters, log };
    const health = new StoreHealth(store.name, counters, log);
    return new Flusher(parts, new ObjectNumbers(), health);
  });
  const hot = new HotBytes(1 << 30, log);
  const look = () => {
    for (const flusher of flushers) flusher.tick();
    for (const flusher of flushers) flusher.look(clock.monotonicMs(), hot);
  };
  const leader = await replicas.elect();
  await replicas.submit(leader, openBucketOf("demo"));
  await replicas.submit(leader, createOf("demo/a"));
  await replicas.submit(leader, appendOf("demo/a", "a".repeat(12 * KIB)));
  await replicas.run(100);
  return { replicas, store, leader, look, lines };
}

Deno.test("who leads alone flushes, and breaks off once it leads no more", async () => {
  const { replicas, store, leader, look, lines } = await givenFlushers();
  const hold = store.hold("put");
  look();
  await replicas.run(100);
  assert.deepEqual(store.askedTo("put").length, 1);
  const slab = slabOf(leader, "a");
  const other = replicas.groups.find((group) => group !== leader) as Group;
  assert.equal(leader.transfer(other.member), undefined);
  await replicas.run(1000);
  assert.ok(other.leads && !leader.leads);
  assert.equal(store.underWay, 1);
  look();
  await replicas.run(100);
  assert.deepEqual([store.underWay, store.askedTo("put").length], [1, 2], "the new leader's");
  assert.equal(slab.live, 12 * KIB);
  hold.release();
  await replicas.run(200);
  assert.equal(store.done.length, 1);
  for (const { state } of replicas.groups) assert.equal(state.hotBytes, 0);
  assert.deepEqual(lines, []);
});
