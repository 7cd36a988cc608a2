import assert from "node:assert/strict";
import { type Group, joinSlices, type ReadRequest } from "../../group/mod.ts";
import { objectKey, putObject, storedParts } from "../../storage/cold/mod.ts";
import { HEADER_BYTES } from "../../storage/cold/object.ts";
import { type Command, mergePacked, sliceOf } from "../../stream/mod.ts";
import { flush, outcomeOf, OWN_STORE, SHARED_STORE } from "../../tests/given/cold_reads.ts";
import { GivenStore } from "../../tests/given/cold_store.ts";
import { joined } from "../../tests/given/bytes.ts";
import { appendOf, createOf, openBucketOf, textOf } from "../../tests/given/commands.ts";
import { COLD_FORMATION, givenShard } from "../../tests/given/shard.ts";
import { SimClock } from "../../tests/sim/clock.ts";
import { SimRandom } from "../../tests/sim/random.ts";
import { ColdCounters } from "./counters.ts";
import type { RepairOutcome } from "./object_bytes.ts";
import { ColdReads } from "./reads.ts";
import { owned } from "./pieces.ts";
import { ColdTier } from "./tier.ts";

const KEY = "demo/a";
const WHOLE = 4 << 20;

async function givenCold(cold = SHARED_STORE, clock = new SimClock()) {
  const store = new GivenStore();
  const groups: Group[] = [];
  const given = await givenShard({
    clock,
    cold,
    coldStore: store,
    onGroup: (group) => groups.push(group),
  });
  const group = groups[0];
  assert.ok(group !== undefined);
  const submit = (command: Command) => clock.until(given.shard.submit(0, command));
  await submit(openBucketOf("demo"));
  return { ...given, access: given.shard, clock, store, group, submit };
}

type Given = Awaited<ReturnType<typeof givenCold>>;

function from(offset: ReadRequest["from"], maxBytes = WHOLE, key = KEY): ReadRequest {
  return { key, from: offset, maxBytes, touch: false };
}

async function textAt(given: Given, request: ReadRequest): Promise<string> {
  const answer = await given.clock.until(Promise.resolve(given.shard.read(0, request)));
  if (!("plan" in answer)) return JSON.stringify(answer);
  assert.ok(answer.plan.slices.length <= 1, "in one piece");
  return textOf(joinSlices(answer.plan.slices));
}

/** Three flushed messages and a hot one. */
async function mixed(cold = SHARED_STORE): Promise<{ given: Given; keys: string[] }> {
  const given = await givenCold(cold);
  await given.submit(createOf(KEY));
  const keys: string[] = [];
  for (const text of ["one ", "two ", "three "]) {
    await given.submit(appendOf(KEY, text));
    keys.push(await flush(given) ?? "");
  }
  await given.submit(appendOf(KEY, "four"));
  return { given, keys };
}

Deno.test("a read spans objects and memory", async () => {
  const { given, keys } = await mixed();
  assert.equal(await textAt(given, from("start")), "one two three four");
  assert.equal(await textAt(given, from(5)), "wo three four");
  assert.equal(await textAt(given, from(5, 4)), "wo ", "to the end of a message");
  assert.equal(await textAt(given, from(5, 2)), "wo", "or within one");
  assert.deepEqual([...new Set(given.store.askedTo("get"))].sort(), keys.sort());
  given.open.abandon();
});

Deno.test("a read of hot bytes is answered at once, and asks the store for nothing", async () => {
  const { given } = await mixed();
  const answer = given.shard.read(0, from(14));
  assert.ok(!(answer instanceof Promise) && "plan" in answer);
  assert.equal(textOf(joinSlices(answer.plan.slices)), "four");
  assert.deepEqual(given.store.askedTo("get"), []);
  given.open.abandon();
});

Deno.test("a read holds what is hot, whatever is flushed and deleted while the store is slow", async () => {
  const { given } = await mixed();
  const hold = given.store.hold("get");
  const answer = Promise.resolve(given.shard.read(0, from("start")));
  await flush(given);
  await given.submit({ type: "delete", key: KEY });
  hold.release();
  const found = await given.clock.until(answer);
  assert.ok("plan" in found);
  assert.equal(textOf(joinSlices(found.plan.slices)), "one two three four");
  given.open.abandon();
});

Deno.test("a plan whose slices were looked up keeps them, whatever is flushed", async () => {
  const { given } = await mixed();
  const answer = given.shard.read(0, from(14));
  assert.ok(!(answer instanceof Promise) && "plan" in answer);
  assert.equal(textOf(joinSlices(answer.plan.slices)), "four");
  await flush(given);
  assert.equal(textOf(joinSlices(answer.plan.slices)), "four");
  given.open.abandon();
});

Deno.test("an own store's bytes are read from memory until they are unpinned", async () => {
  const given = await givenCold(OWN_STORE);
  await given.submit(createOf(KEY));
  await given.submit(appendOf(KEY, "cold "));
  await flush(given);
  await given.submit(appendOf(KEY, "pinned "));
  const key = await flush(given, { pins: true });
  await given.submit(appendOf(KEY, "hot"));
  assert.equal(await textAt(given, from("start")), "cold pinned hot");
  assert.ok(!(given.shard.read(0, from(5)) instanceof Promise));
  given.group.state.cold.unpin(2);
  const refused = { unavailable: "cold_damaged", object: key };
  assert.equal(await textAt(given, from("start")), JSON.stringify(refused), "it was never put");
  given.open.abandon();
});

Deno.test("a message of 5 MiB comes whole in JSON, and in part else", async () => {
  const given = await givenCold();
  const text = "x".repeat(5 << 20);
  for (const [key, contentType] of [["demo/j", "application/json"], ["demo/o", "text/plain"]]) {
    await given.submit(createOf(key ?? "", { contentType }));
    const body = key === "demo/j" ? `"${text}",` : text;
    await given.submit(appendOf(key ?? "", body, { contentType }));
    await given.submit(appendOf(key ?? "", "1,", { contentType }));
  }
  await flush(given);
  for (const [key, length] of [["demo/j", (5 << 20) + 3], ["demo/o", WHOLE]] as const) {
    const answer = await given.clock.until(
      Promise.resolve(given.shard.read(0, from("start", WHOLE, key))),
    );
    assert.ok("plan" in answer);
    const [slice, ...others] = answer.plan.slices;
    assert.equal(slice?.slab.bytes.byteLength, length, "no more memory than the answer has");
    assert.equal(slice.slab.bytes.buffer.byteLength, length);
    assert.deepEqual([others, answer.plan.upToDate], [[], false]);
  }
  given.open.abandon();
});

Deno.test("reads beyond what may be under way wait, and are answered alike", async () => {
  const given = await givenCold();
  await given.submit(createOf(KEY));
  await given.submit(appendOf(KEY, "x".repeat(5 << 20)));
  await flush(given);
  const hold = given.store.hold("get");
  const read = () => Promise.resolve(given.shard.read(0, from("start")));
  const answers = Promise.all(Array.from({ length: 20 }, read));
  await given.clock.run(1);
  hold.release();
  for (const answer of await given.clock.until(answers)) {
    assert.ok("plan" in answer);
    assert.deepEqual([answer.plan.next, answer.plan.upToDate], [WHOLE, false]);
    assert.equal(answer.plan.slices[0]?.end, WHOLE);
  }
  given.open.abandon();
});

Deno.test("a damaged object is an answer that names it, and one line for the operator", async () => {
  const { given, keys } = await mixed();
  const [, key = ""] = keys;
  await given.store.rot(key, 129);
  for (let reader = 0; reader < 3; reader++) {
    const refused = { unavailable: "cold_damaged", object: key };
    assert.equal(await textAt(given, from("start")), JSON.stringify(refused));
  }
  assert.equal(await textAt(given, from(8)), "three four", "the others are whole");
  assert.deepEqual(given.lines.filter((line) => line.includes(key)).length, 1);
  await given.clock.run(61_000);
  await textAt(given, from("start"));
  assert.deepEqual(given.lines.filter((line) => line.includes(key)).length, 2);
  given.open.abandon();
});

Deno.test("a store that fails or keeps silent is an answer, and the next read asks again", async () => {
  for (const kind of ["unavailable", "full", "denied", "no_bucket"] as const) {
    const { given } = await mixed();
    given.store.fail("get", kind, 1);
    assert.equal(await textAt(given, from("start")), `{"unavailable":"cold_unavailable"}`);
    assert.equal(await textAt(given, from("start")), "one two three four");
    assert.equal(given.shard.report().cold?.readFailures, 1);
    given.open.abandon();
  }
  const { given } = await mixed();
  const hold = given.store.hold("get");
  assert.equal(await textAt(given, from("start")), `{"unavailable":"cold_unavailable"}`);
  assert.ok(given.clock.monotonicMs() >= 20_000);
  hold.release();
  assert.equal(await textAt(given, from("start")), "one two three four");
  given.open.abandon();
});

Deno.test("a read under way when the shard stops is answered", async () => {
  const { given } = await mixed();
  given.store.hold("get");
  const answer = Promise.resolve(given.shard.read(0, from("start")));
  await given.clock.run(10);
  await given.clock.until(given.open.stop());
  assert.deepEqual(await given.clock.until(answer), { unavailable: "stopping" });
  assert.equal(given.shard.report().cold?.readFailures, 0, "the store is not at fault");
});

/** Joins the first two flushed ranges in an object of their own; answers what refers to it. */
async function merge({ group, store }: Given): Promise<Command> {
  const [one, two] = [...group.state.cold.ranges(new Set([1, 2]))].flat();
  assert.ok(one !== undefined && two !== undefined);
  const packed = await Promise.all([one, two].map(async ({ piece }) => {
    const object = { formation: COLD_FORMATION, group: 0, ...piece, bytes: piece.objectBytes };
    const stored = joined(await Array.fromAsync(storedParts(store, object)));
    const at = HEADER_BYTES + piece.at;
    return { packed: stored.subarray(at, at + piece.length), rowBytes: piece.rowBytes };
  }));
  const merged = mergePacked(packed);
  assert.ok(merged !== undefined);
  const { parts, rowBytes } = merged;
  const length = joined(parts).length;
  const object = { number: 9, term: group.status().term, length };
  await putObject(store, { formation: COLD_FORMATION, group: 0, ...object, bytes: length }, parts);
  const { key, incarnation, piece: { rangeFrom } } = one;
  const range = { key, incarnation, from: rangeFrom, to: two.piece.rangeTo, at: 0, rowBytes };
  return { type: "repack", object, sources: [1, 2], ranges: [range] };
}

Deno.test("a read whose object was replaced and deleted meanwhile finds the other one", async () => {
  const { given, keys } = await mixed();
  const repack = await merge(given);
  const hold = given.store.hold("get");
  const answer = Promise.resolve(given.shard.read(0, from("start")));
  await given.clock.run(1);
  assert.equal(outcomeOf(await given.submit(repack)), "stored");
  for (const key of keys.slice(0, 2)) await given.store.delete(key);
  hold.release();
  const found = await given.clock.until(answer);
  assert.ok("plan" in found);
  assert.equal(textOf(joinSlices(found.plan.slices)), "one two three four");
  assert.deepEqual(given.lines, [], "nothing was wrong");
  given.open.abandon();
});

Deno.test("ColdReads repairs a damaged object, where it can", async () => {
  const { given, keys } = await mixed();
  const { clock, store, group, lines } = given;
  const [key = ""] = keys;
  const whole = await store.get(key, 0, await store.size(key) ?? 0);
  const tier = await ColdTier.open(SHARED_STORE, {
    clock,
    disk: given.disk,
    random: new SimRandom(1),
    openCold: () => Promise.resolve(store),
  });
  const repairs: string[] = [];
  let outcome: RepairOutcome = "repaired";
  const counters = new ColdCounters();
  const reads = new ColdReads({
    tier,
    clock,
    counters,
    log: (line) => lines.push(line),
    async repair(object) {
      repairs.push(objectKey(object));
      await new Promise<void>((resolve) => clock.setTimer(5, resolve));
      if (outcome === "repaired") await store.put(key, whole.length, [whole]);
      return outcome;
    },
  });
  const read = () => Promise.resolve(group.read(from("start"), reads.complete));
  await store.delete(key);
  const answer = await clock.until(read());
  assert.ok("plan" in answer);
  assert.equal(textOf(joinSlices(answer.plan.slices)), "one two three four");
  assert.deepEqual([repairs, lines, counters.readFailures], [[key], [], 0]);
  tier.reader.forget({ formation: COLD_FORMATION, group: 0, number: 1, term: 1, bytes: 4 });
  await store.rot(key, HEADER_BYTES);
  outcome = "lost";
  const refused = { unavailable: "cold_damaged", object: key };
  assert.deepEqual(await clock.until(read()), refused);
  assert.deepEqual([repairs.length, counters.readFailures], [2, 1]);
  outcome = "out_of_reach";
  assert.deepEqual(await clock.until(read()), { unavailable: "cold_unavailable" });
  assert.match(lines.at(-1) ?? "", /damaged here, and not every other node can be asked$/);
  tier.close();
  given.open.abandon();
});

Deno.test("fetch() gives bytes of objects, from memory while they are pinned there", async () => {
  const given = await givenCold(OWN_STORE);
  const { clock, shard, store, group, submit } = given;
  const data = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251);
  const object = { number: 1, term: group.status().term, length: data.length };
  for (const at of [0, 100_000, 200_000]) {
    const body = { data: sliceOf(data.slice(at, at + 100_000)) };
    assert.equal(outcomeOf(await submit({ type: "stage", object, at, body })), "done");
  }
  const check = async () => {
    for (const [at, length] of [[0, 300_000], [99_999, 2], [250_000, 50_000], [5, 0]] as const) {
      const bytes = await clock.until(shard.fetch(0, object, at, length));
      assert.deepEqual(bytes, data.slice(at, at + length));
    }
  };
  await check();
  assert.equal(store.askedTo("get").length, 0);
  const name = { formation: COLD_FORMATION, group: 0, ...object, bytes: data.length };
  await putObject(store, name, [data]);
  group.state.cold.unpin(1);
  await check();
  assert.ok(store.askedTo("get").length > 0);
  await assert.rejects(shard.fetch(0, object, 299_999, 2), RangeError);
  await assert.rejects(shard.fetch(0, { ...object, length: 2 << 21 }, 0, 2 << 20), RangeError);
  const refused = { unavailable: "cold_damaged", object: objectKey({ ...name, term: 7 }) };
  assert.deepEqual(await clock.until(shard.fetch(0, { ...object, term: 7 }, 0, 1)), refused);
  given.open.abandon();
});

Deno.test("what was fetched or looked up names the snapshot that its stream begins with", async () => {
  const { given } = await mixed();
  const object = { number: 9, term: 1, length: 2 };
  const what = { offset: 4, contentType: "text/plain", digest: "d" };
  const published = await given.submit({ type: "publish", key: KEY, object, ...what });
  assert.ok("ok" in published && published.ok === "published", JSON.stringify(published));
  const plan = given.group.state.read(KEY, 4, WHOLE);
  assert.ok("facts" in plan && "cold" in plan);
  for (
    const answer of [
      owned({ plan }),
      await given.clock.until(Promise.resolve(given.shard.read(0, from(4)))),
      owned(await given.clock.until(Promise.resolve(given.shard.read(0, from("now"))))),
    ]
  ) {
    assert.ok("plan" in answer);
    assert.deepEqual(answer.plan.snapshot, { ...what, ...object });
  }
  await given.clock.until(given.open.stop());
});
