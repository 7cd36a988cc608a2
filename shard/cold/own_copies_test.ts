import assert from "node:assert/strict";
import {
  checkObject,
  ColdError,
  type ColdObject,
  MemoryColdStore,
  objectKey,
  putObject,
  storedBytes,
} from "../../storage/cold/mod.ts";
import { appendOf, createOf, openBucketOf } from "../../tests/given/commands.ts";
import { COLD_FORMATION } from "../../tests/given/shard.ts";
import { type GivenNode, GivenShards } from "../../tests/given/shards.ts";
import type { OwnCopies } from "./own_copies.ts";
import { decodeRequest, encodeRequest } from "./requests.ts";

const KEY = "demo/a";
/** Three objects of so much are more log than is kept for who lags: they get a RaftSnapshot. */
const MESSAGES = 20;
const MESSAGE_BYTES = 300_000;
const OBJECTS = 3;

function ownOf(node: GivenNode): OwnCopies {
  const { own } = node.cold;
  assert.ok(own !== undefined);
  return own;
}

/** Writes what a node has pinned into its store, as every replica does. */
async function keep(stage: GivenShards, node: GivenNode): Promise<void> {
  const { cold } = node.group.state;
  for (const number of cold.pinnedObjects()) {
    const payload = [...cold.pinnedPayload(number)].map(({ slab, start, end }) =>
      slab.bytes.slice(start, end)
    );
    await stage.clock.until(putObject(ownOf(node).store, stage.object(number), payload));
    cold.unpin(number);
  }
}

/** Appends and flushes, and has the nodes write their copies; answers the object. */
async function flush(stage: GivenShards, keepers: readonly number[]): Promise<ColdObject> {
  const { leader } = stage;
  for (let n = 0; n < MESSAGES; n++) {
    const text = `${n} `.padEnd(MESSAGE_BYTES, "abc");
    assert.ok("ok" in await stage.submit(appendOf(KEY, text)));
  }
  const { ranges, length } = leader.group.state.cold.planFlush({ maxBytes: 8 << 20 });
  const object = { ...leader.cold.numbers.take(leader.group), length };
  const answer = await stage.submit({ type: "flush", object, ranges });
  assert.ok("ok" in answer && answer.ok === "stored", JSON.stringify(answer));
  await stage.settled();
  for (const id of keepers) await keep(stage, stage.at(id));
  return stage.object(object.number);
}

/** Nodes that run, of which some vote, with a stream. */
async function given(
  running: readonly number[],
  nodeIds = running,
  keepsMs = Number.MAX_SAFE_INTEGER,
): Promise<GivenShards> {
  const stage = new GivenShards(nodeIds);
  stage.keepsMs = keepsMs;
  for (const id of running) await stage.start(id);
  await stage.elected();
  await stage.submit(openBucketOf("demo"));
  await stage.submit(createOf(KEY));
  return stage;
}

/** Several objects; who comes later gets a RaftSnapshot that refers to them. */
async function flushAll(stage: GivenShards, keepers: readonly number[]): Promise<ColdObject[]> {
  const objects: ColdObject[] = [];
  while (objects.length < OBJECTS) objects.push(await flush(stage, keepers));
  for (const id of keepers) {
    const { group } = stage.at(id);
    const { mark, chunks } = group.snapshot();
    for (const _ of chunks);
    group.compact(mark, group.logBytes);
  }
  return objects;
}

/** Calls for parts of an object that were made. */
function partsAsked(stage: GivenShards, object: ColdObject): number[] {
  const offsets: number[] = [];
  for (const { request } of stage.asked) {
    const asked = decodeRequest(request);
    if (asked.ask === "part" && asked.number === object.number) offsets.push(asked.offset);
  }
  return offsets;
}

const holds = (node: GivenNode, object: ColdObject) =>
  checkObject(node.store, object).then(() => true, () => false);

Deno.test("a learner gets every object, is no voter before, and has all when the others are gone", async () => {
  const stage = await given([1, 2, 3]);
  const objects = await flushAll(stage, [1, 2, 3]);
  let isHeld = true;
  stage.bend = ({ from, request }, answer) =>
    from === 3 && isHeld && decodeRequest(request).ask === "part"
      ? Promise.resolve({ failed: "unanswered" })
      : answer();
  stage.kill(3);
  await stage.elected();
  const back = await stage.start(3, "b");
  await stage.until(() => stage.leader.group.status().membership.learners.includes("3.b"));
  await stage.until(() => back.open.shard.facts(0).coldLacking === OBJECTS);
  await stage.clock.run(10_000);
  assert.equal(back.group.caughtUp, true);
  assert.deepEqual(stage.leader.group.status().membership.learners, ["3.b"]);
  assert.equal(back.open.shard.facts(0).caughtUp, false);
  assert.equal(back.open.shard.facts(0).ready, false);
  isHeld = false;
  await stage.until(() => stage.leader.group.status().membership.voters.includes("3.b"), 60_000);
  assert.equal(back.open.shard.facts(0).coldLacking, 0);
  assert.equal(back.open.shard.facts(0).caughtUp, true);
  stage.kill(1);
  stage.kill(2);
  for (const object of objects) assert.ok(await holds(back, object));
  await stage.stop();
});

Deno.test("a node asks for nothing that its store has, and for each part of what it lacks once", async () => {
  const stage = await given([1, 2, 3]);
  const objects = await flushAll(stage, [1, 2, 3]);
  const store = new MemoryColdStore();
  const [first, ...others] = objects;
  assert.ok(first !== undefined);
  const { store: source } = stage.at(3);
  for (const object of others) {
    const bytes = await source.get(objectKey(object), 0, storedBytes(object));
    await store.put(objectKey(object), bytes.length, [bytes]);
  }
  stage.kill(3);
  await stage.elected();
  const back = await stage.start(3, "b", store);
  await stage.until(() => stage.leader.group.status().membership.voters.includes("3.b"));
  assert.ok(await holds(back, first));
  assert.deepEqual(partsAsked(stage, first), [0, 1, 2, 3, 4, 5].map((n) => n << 20));
  for (const object of others) assert.deepEqual(partsAsked(stage, object), []);
  await stage.stop();
});

Deno.test("what only memory holds yet is given as a store would", async () => {
  const stage = await given([1, 2, 3]);
  for (const id of [1, 2]) {
    stage.at(id).store.put = () => Promise.reject(new ColdError("full", "", undefined, "no room"));
  }
  const [object] = await flushAll(stage, [3]);
  assert.ok(object !== undefined);
  const { store } = ownOf(stage.at(3));
  await store.delete(objectKey(object));
  await stage.until(() => stage.at(3).open.shard.facts(0).coldLacking === 0);
  assert.ok(await holds(stage.at(3), object));
  assert.equal(await holds(stage.at(1), object), false);
  await stage.stop();
});

Deno.test("repair() puts a damaged object anew, once for all who ask, and says where nobody can", async () => {
  const stage = await given([1, 2, 3]);
  const object = await flush(stage, [1, 2, 3]);
  const node = stage.at(2);
  await stage.clock.run(1_000);
  const key = objectKey(object);
  const bytes = await node.store.get(key, 0, storedBytes(object));
  const rotten = bytes.with(1_000_000, 255 ^ (bytes[1_000_000] ?? 0));
  const rot = (id: number) => stage.at(id).store.put(key, rotten.length, [rotten]);
  await rot(2);
  // The leader's is rotten as well: what it gives is never put.
  await rot(1);
  assert.equal(await holds(node, object), false);
  const own = ownOf(node);
  const repairs = [own.repair(object), own.repair(object)];
  assert.deepEqual(await stage.clock.until(Promise.all(repairs)), ["repaired", "repaired"]);
  assert.ok(await holds(node, object));
  const offsets = partsAsked(stage, object).filter((offset) => offset === 3 << 20);
  assert.equal(offsets.length, 1, "fetched once");
  assert.equal(node.lines.filter((line) => line.includes("fetched anew")).length, 1);
  await rot(2);
  await rot(3);
  assert.equal(await stage.clock.until(own.repair(object)), "lost");
  assert.equal(node.open.shard.facts(0).coldLacking, 1, "it is tried again");
  assert.ok(node.open.shard.facts(0).ready, "and the node stays ready");
  await stage.at(3).store.put(key, bytes.length, [bytes]);
  await stage.until(() => node.open.shard.facts(0).coldLacking === 0);
  assert.ok(await holds(node, object));
  await stage.stop();
});

Deno.test("a copy that is gone is lost once all other voters say so, and out of reach before", async () => {
  const stage = await given([1, 2, 3]);
  const object = await flush(stage, [1, 2, 3]);
  const node = stage.at(3);
  const key = objectKey(object);
  const { shard } = node.open;
  const read = async () => {
    node.open.tier?.reader.forget(object);
    const request = { key: KEY, from: 0, maxBytes: 100, touch: false };
    const answer = await stage.clock.until(Promise.resolve(shard.read(0, request)));
    return "unavailable" in answer ? answer.unavailable : "read";
  };
  const whole = await stage.at(2).store.get(key, 0, storedBytes(object));
  const rotten = whole.with(500, 255 ^ (whole[500] ?? 0));
  const put = (id: number, bytes: Uint8Array) => stage.at(id).store.put(key, bytes.length, [bytes]);
  await put(3, rotten);
  await put(1, rotten);
  stage.bend = ({ to }, answer) => to === 2 ? Promise.resolve({ failed: "unanswered" }) : answer();
  assert.equal(await read(), "cold_unavailable", "2 is silent");
  stage.bend = (call, answer) => call.to === 2 ? Promise.resolve(new Uint8Array(0)) : answer();
  assert.equal(await read(), "cold_unavailable", "2 can't say");
  stage.bend = (_call, answer) => answer();
  assert.equal(await read(), "read");
  assert.ok(await holds(node, object));
  await put(3, rotten);
  await stage.at(1).store.delete(key);
  await put(2, rotten.subarray(0, 100));
  assert.equal(await read(), "cold_damaged", "missing, and cut short");
  await put(2, rotten);
  assert.equal(await read(), "cold_damaged", "missing, and rotten");
  stage.kill(2);
  await stage.elected();
  assert.equal(await read(), "cold_unavailable", "2 is down");
  await stage.stop();
});

Deno.test("a peer that lies, says too much, or never ends does no harm", async () => {
  const stage = await given([1, 2, 3]);
  const object = await flush(stage, [1, 2, 3]);
  const { store } = ownOf(stage.at(3));
  const lies: ((answer: Uint8Array) => Uint8Array)[] = [
    () => new Uint8Array(0),
    (answer) => new Uint8Array(answer.length),
    (answer) => new Uint8Array(answer.length + 1),
    () => new Uint8Array(50 << 20),
    (answer) => answer.subarray(1),
    (answer) => answer.with(answer.length - 1, 255 ^ (answer[answer.length - 1] ?? 0)),
  ];
  for (const lie of lies) {
    stage.asked.length = 0;
    stage.bend = async (_call, answer) => lie(await answer());
    await store.delete(objectKey(object));
    await stage.clock.run(3_000);
    assert.equal(await store.size(objectKey(object)), undefined);
    assert.ok(stage.asked.length > 0 && stage.asked.length < 40, `${stage.asked.length}`);
    stage.bend = async ({ to }, answer) => to === 1 ? lie(await answer()) : await answer();
    await stage.until(() => stage.at(3).open.shard.facts(0).coldLacking === 0);
    assert.ok(await holds(stage.at(3), object), "the other one gives it");
  }
  await stage.stop();
});

Deno.test("a source that goes down half-way is left for another", async () => {
  const stage = await given([1, 2, 3]);
  const object = await flush(stage, [1, 2, 3]);
  const { store } = ownOf(stage.at(3));
  stage.bend = ({ to, request }, answer) => {
    const asked = decodeRequest(request);
    if (asked.ask === "part" && asked.offset >= 2 << 20) {
      stage.cut = (one, other) => [one, other].sort().join() === `${to},3`;
    }
    return answer();
  };
  await store.delete(objectKey(object));
  await stage.until(() => stage.asked.length > 0);
  await stage.clock.run(1_000);
  stage.bend = (_call, answer) => answer();
  await stage.until(() => stage.at(3).open.shard.facts(0).coldLacking === 0);
  assert.ok(await holds(stage.at(3), object));
  assert.equal(new Set(stage.asked.map(({ to }) => to)).size, 2);
  await stage.stop();
});

Deno.test("an object that is condemned while it comes stays for reads that began before", async () => {
  const stage = await given([1, 2, 3]);
  const object = await flush(stage, [1, 2, 3]);
  const { store } = ownOf(stage.at(3));
  await store.delete(objectKey(object));
  await stage.submit({ type: "delete", key: KEY });
  await stage.submit({ type: "condemn", below: 0, numbers: [object.number] });
  await stage.settled();
  assert.equal(await stage.clock.until(ownOf(stage.at(3)).repair(object)), "repaired");
  assert.ok(await holds(stage.at(3), object));
  await stage.stop();
});

Deno.test("an object that is condemned while it comes leaves nothing behind", async () => {
  const stage = await given([1, 2, 3], [1, 2, 3], 0);
  const object = await flush(stage, [1, 2, 3]);
  const node = stage.at(3);
  const { store } = ownOf(node);
  stage.bend = async (_call, answer) => {
    await new Promise<void>((resolve) => stage.clock.setTimer(10_000, resolve));
    return await answer();
  };
  await store.delete(objectKey(object));
  await stage.until(() => stage.asked.length > 0);
  const repair = ownOf(node).repair(object);
  await stage.submit({ type: "delete", key: KEY });
  await stage.submit({ type: "condemn", below: 0, numbers: [object.number] });
  await stage.settled();
  assert.equal(node.open.shard.facts(0).coldLacking, 0);
  assert.notEqual(await stage.clock.until(repair), "repaired");
  assert.equal(await store.size(objectKey(object)), undefined);
  // The same where somebody waits for it.
  stage.bend = (_call, answer) => answer();
  await stage.clock.until(ownOf(node).repair(object));
  assert.equal(await store.size(objectKey(object)), undefined);
  await stage.stop();
});

Deno.test("spread() has a majority take an object that nothing refers to, or says no", async () => {
  const stage = await given([1, 2, 3]);
  const { leader } = stage;
  const own = ownOf(leader);
  const payload = stage.random.bytes(3_000_000);
  const merged = { ...leader.cold.numbers.take(leader.group), length: payload.length };
  assert.equal(await stage.clock.until(own.spread(leader.group, merged)), false, "not here");
  const object: ColdObject = {
    formation: COLD_FORMATION,
    group: 0,
    ...merged,
    bytes: merged.length,
  };
  await putObject(own.store, object, [payload]);
  const [one, other] = stage.nodeIds.filter((id) => id !== leader.id).map((id) => stage.at(id));
  assert.ok(one !== undefined && other !== undefined);
  stage.cut = (from, to) => from === one.id || to === one.id;
  assert.equal(await stage.clock.until(own.spread(leader.group, merged)), true);
  assert.ok(await holds(other, object));
  assert.equal(await holds(one, object), false);
  const asked = stage.asked.filter(({ from }) => from === other.id);
  assert.ok(asked.every(({ to }) => to === leader.id), "from who told it");
  await stage.stop();
});

Deno.test("spread() ends when no majority takes it, and when the shard stops", async () => {
  const stage = await given([1, 2, 3]);
  const { leader } = stage;
  const own = ownOf(leader);
  const merged = { ...leader.cold.numbers.take(leader.group), length: 10 };
  const object: ColdObject = { formation: COLD_FORMATION, group: 0, ...merged, bytes: 10 };
  await putObject(own.store, object, [new Uint8Array(10)]);
  stage.bend = () => Promise.resolve(new Uint8Array(0));
  assert.equal(await stage.clock.until(own.spread(leader.group, merged)), false);
  assert.ok(stage.asked.length > 10 && stage.asked.length < 200, "told again, now and then");
  const last = own.spread(leader.group, merged);
  await stage.stop();
  assert.equal(await stage.clock.until(last, 10), false);
});

Deno.test("answer() refuses what is malformed or beyond any object, before it does anything", async () => {
  const stage = await given([1]);
  const object = await flush(stage, [1]);
  const node = stage.at(1);
  const gets: number[] = [];
  const get = node.store.get.bind(node.store);
  node.store.get = (key, start, length) => {
    gets.push(length);
    return get(key, start, length);
  };
  const answer = (bytes: Uint8Array) =>
    node.open.shard.answerCold(0, "2.a", bytes).catch((error) => String(error));
  const { number, term, bytes: length } = object;
  const part = { ask: "part", group: 0, number, term, length, offset: 0, partBytes: 100 } as const;
  const good = encodeRequest(part);
  assert.equal((await answer(good)).length, 100);
  const malformed = [
    new Uint8Array(0),
    good.subarray(0, good.length - 1),
    Uint8Array.of(...good, 0),
    good.with(0, 9),
    encodeRequest({ ...part, partBytes: 0 }),
    encodeRequest({ ...part, partBytes: (1 << 20) + 1 }),
    encodeRequest({ ...part, partBytes: 2 ** 52 }),
    good.with(good.length - 8, 255),
  ];
  for (const bytes of malformed) assert.match(String(await answer(bytes)), /malformed/);
  const beyond = [
    { ...part, offset: storedBytes(object) },
    { ...part, offset: 2 ** 52 },
    { ...part, length: 0, offset: 128 },
  ];
  for (const request of beyond) assert.equal((await answer(encodeRequest(request))).length, 0);
  assert.deepEqual(gets, [100]);
  const absent = [{ ...part, number: 99 }, { ...part, term: 99 }, {
    ...part,
    length: 2 ** 50,
    offset: 2 ** 49,
  }];
  for (const request of absent) assert.equal((await answer(encodeRequest(request))).length, 0);
  // Nobody has this node make room for what no object can be, or take what is another's number.
  const takes = [
    { number: 50, term: 1, length: 2 ** 50 },
    { number, term: term + 1, length },
    { number, term, length: length + 1 },
  ];
  await stage.submit({ type: "condemn", below: 0, numbers: [60] });
  for (const name of [...takes, { number: 60, term: 1, length: 10 }]) {
    const request = encodeRequest({ ask: "take", group: 0, ...name });
    assert.equal((await answer(request)).length, 0, JSON.stringify(name));
  }
  await stage.stop();
});

Deno.test("on disk a wiped node gets all again, and one that kept its data asks for nothing", async () => {
  const stage = new GivenShards([1, 2, 3]);
  for (const id of stage.nodeIds) await stage.startOnDisk(id);
  await stage.elected();
  await stage.submit(openBucketOf("demo"));
  await stage.submit(createOf(KEY));
  const objects = await flushAll(stage, [1, 2, 3]);
  stage.kill(3);
  await stage.elected();
  const wiped = await stage.startOnDisk(3, "b");
  const { leader } = stage;
  const isWhole = () =>
    ownOf(leader).learners.isWhole(leader.group, "3.b", stage.clock.monotonicMs());
  assert.equal(isWhole(), false);
  stage.bend = ({ request }, answer) =>
    decodeRequest(request).ask === "part" ? Promise.resolve(new Uint8Array(0)) : answer();
  leader.group.changeMembership({ voters: ["1.a", "2.a"], learners: ["3.b"] });
  await stage.until(() => wiped.open.shard.facts(0).coldLacking === OBJECTS);
  for (let ms = 0; ms < 5_000; ms += 1_000) {
    await stage.clock.run(1_000);
    assert.equal(isWhole(), false);
  }
  stage.bend = (_call, answer) => answer();
  await stage.until(isWhole);
  for (const object of objects) assert.ok(await stage.clock.until(holds(wiped, object)));
  assert.ok(wiped.open.shard.facts(0).caughtUp);
  const disk = stage.kill(3);
  // What it said before is soon of no account.
  await stage.clock.run(4_000);
  assert.equal(isWhole(), false);
  stage.asked.length = 0;
  const back = await stage.startOnDisk(3, "b", disk);
  await stage.until(() => back.open.shard.facts(0).caughtUp);
  assert.equal(back.open.shard.facts(0).coldLacking, 0);
  for (const object of objects) assert.deepEqual(partsAsked(stage, object), []);
  await stage.stop();
});
