import assert from "node:assert/strict";
import { type Group, joinSlices, type LiveEvent } from "../group/mod.ts";
import { objectKey, putObject } from "../storage/cold/mod.ts";
import { appendOf, bodyOf, createOf, openBucketOf, textOf } from "../tests/given/commands.ts";
import { OWN_STORE } from "../tests/given/cold_reads.ts";
import { GivenStore } from "../tests/given/cold_store.ts";
import { givenShard, keyIn } from "../tests/given/shard.ts";
import { encodeRequest } from "./cold/requests.ts";
import { Mailbox, Neighbourhood } from "./mod.ts";
import type { Parcel } from "./parcel.ts";

const LOCAL = keyIn(0, 2, "demo/s");
const REMOTE = keyIn(1, 2, "demo/s");

/** What leaves through a port, as it is sent. */
function noted(port: MessagePort): Parcel[] {
  const parcels: Parcel[] = [];
  const post = port.postMessage.bind(port);
  port.postMessage = (parcel: Parcel) => {
    parcels.push(structuredClone(parcel));
    post(parcel);
  };
  return parcels;
}

/** Two shards with a group each, a line between them, and all groups as the first one sees them. */
async function line(more: Parameters<typeof givenShard>[0] = {}) {
  const two = { shardCount: 2, groupCount: 2, journalCount: 2 };
  const near = await givenShard({ ...two, index: 0 });
  const far = await givenShard({ ...two, ...more, index: 1 });
  const shards = [near, far];
  const { port1, port2 } = new MessageChannel();
  const parcels = noted(port1);
  const backwards = noted(port2);
  const boxes = [
    new Mailbox(port1, near.shard, (callback) => near.clock.defer(callback)),
    new Mailbox(port2, far.shard, (callback) => far.clock.defer(callback)),
  ];
  const access = new Neighbourhood(near.shard, near.clock, (group) => {
    assert.equal(group, 1);
    return boxes[0] as Mailbox;
  });
  /** Moves both shards on until `outcome` is there. */
  const until = async <T>(outcome: Promise<T> | T): Promise<T> => {
    let over = false;
    Promise.resolve(outcome).finally(() => over = true);
    for (let turn = 0; !over && turn < 200; turn++) {
      for (const { clock } of shards) await clock.run(1);
      // A port delivers in a macrotask of its own.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assert.ok(over, "nothing came of it");
    return await outcome;
  };
  const told = async (events: LiveEvent[], count: number) => {
    await until((async () => {
      while (events.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
    })());
  };
  for (const group of [0, 1]) await until(access.submit(group, openBucketOf("demo")));
  for (const key of [LOCAL, REMOTE]) {
    await until(access.submit(key === LOCAL ? 0 : 1, createOf(key)));
  }
  const close = () => {
    for (const box of boxes) box.close();
    for (const { open } of shards) open.abandon();
  };
  return { access, until, told, parcels, backwards, close };
}

function read(key: string) {
  return { key, from: "start", maxBytes: 1_000_000, touch: false } as const;
}

Deno.test("a Neighbourhood serves its own group at once, and another shard's over the line", async () => {
  const { access, until, close } = await line();
  const body = "é".repeat(50_000);
  for (const [group, key] of [[0, LOCAL], [1, REMOTE]] as const) {
    const appended = await until(access.submit(group, appendOf(key, body)));
    assert.ok("ok" in appended && appended.ok === "appended");
    assert.equal(appended.facts.tail, 100_000);
    const pending = access.read(group, read(key));
    assert.equal(pending instanceof Promise, group === 1);
    const answer = await until(pending);
    assert.ok("plan" in answer);
    assert.equal(textOf(joinSlices(answer.plan.slices)), body);
    const facts = await until(access.facts(group));
    assert.deepEqual([facts.id, facts.streams, facts.ready], [group, 1, true]);
  }
  const refused = await until(access.submit(1, appendOf("demo/none", "x")));
  assert.deepEqual(refused, { refused: "stream_not_found" });
  close();
});

Deno.test("calls of one turn leave in one parcel, and each gets its own answer", async () => {
  const { access, until, parcels, close } = await line();
  parcels.length = 0;
  const tails = [..."abcdefgh"].map(async (letter) => {
    const answer = await access.submit(1, appendOf(REMOTE, letter));
    return "facts" in answer ? answer.facts?.tail : undefined;
  });
  const list = access.survey<"streams">(1, {
    about: "streams",
    bucket: "demo",
    page: { prefix: "", after: "", limit: 10 },
  });
  assert.deepEqual(await until(Promise.all(tails)), [1, 2, 3, 4, 5, 6, 7, 8]);
  const listed = await until(list);
  assert.ok(!("unavailable" in listed));
  assert.equal(listed.length, 1);
  assert.deepEqual(parcels.map(({ calls }) => calls.length), [9]);
  close();
});

Deno.test("watch() over the line tells each byte once, until unwatch()", async () => {
  const { access, until, told, backwards, close } = await line();
  const found = await until(access.read(1, read(REMOTE)));
  assert.ok("plan" in found);
  const { incarnation } = found.plan.facts;
  const events: LiveEvent[] = [];
  const watcher = (event: LiveEvent) => void events.push(event);
  const facts = await until(access.watch(1, REMOTE, incarnation, watcher));
  assert.equal(facts?.tail, 0);
  for (const text of ["one", "two"]) await until(access.submit(1, appendOf(REMOTE, text)));
  await told(events, 2);
  assert.deepEqual(
    events.map(({ from, to, slices }) => [from, to, textOf(joinSlices(slices ?? []))]),
    [[0, 3, "one"], [3, 6, "two"]],
  );
  access.unwatch(1, REMOTE, watcher);
  await until(access.submit(1, appendOf(REMOTE, "three")));
  assert.equal(events.length, 2);
  assert.equal(backwards.flatMap((parcel) => parcel.events).length, 2, "the owner forgot it, too");
  close();
});

Deno.test("watch() over the line answers undefined when the incarnation is not there", async () => {
  const { access, until, close } = await line();
  assert.equal(await until(access.watch(1, REMOTE, "another", () => assert.fail())), undefined);
  await until(access.submit(1, appendOf(REMOTE, "x")));
  close();
});

Deno.test("a watch ends once when its stream does, and unwatch() is harmless then", async () => {
  const { access, until, told, close } = await line();
  const found = await until(access.read(1, read(REMOTE)));
  assert.ok("plan" in found);
  const events: LiveEvent[] = [];
  const watcher = (event: LiveEvent) => void events.push(event);
  await until(access.watch(1, REMOTE, found.plan.facts.incarnation, watcher));
  await until(access.submit(1, { type: "delete", key: REMOTE }));
  await told(events, 1);
  access.unwatch(1, REMOTE, watcher);
  await until(access.submit(1, createOf(REMOTE)));
  await until(access.submit(1, appendOf(REMOTE, "x")));
  assert.deepEqual(events.map(({ ended }) => ended), [true]);
  close();
});

Deno.test("what another node asks about objects goes to the group's shard", async () => {
  const { access, until, parcels, close } = await line();
  const ask = (group: number) =>
    access.answerCold("2.a", encodeRequest({ ask: "whole", group, index: 0 }));
  const sent = parcels.length;
  assert.deepEqual(await until(ask(0)), new Uint8Array(0), "a single node answers nobody");
  assert.equal(parcels.length, sent);
  assert.deepEqual(await until(ask(1)), new Uint8Array(0));
  assert.deepEqual(parcels.slice(sent).flatMap(({ calls }) => calls.map(({ verb }) => verb)), [
    "cold",
  ]);
  await assert.rejects(ask(2), /group 2/);
  await assert.rejects(access.answerCold("2.a", new Uint8Array(3)), /group -1/);
  close();
});

Deno.test("a fork's read says over the line, too, that it reaches the tail", async () => {
  const { access, until, close } = await line();
  await until(access.submit(1, appendOf(REMOTE, "inherited")));
  const key = keyIn(1, 2, "demo/f");
  await until(access.submit(1, createOf(key, { fork: { source: REMOTE, subOffset: 0 } })));
  const answer = await until(access.read(1, read(key)));
  assert.ok("plan" in answer);
  assert.equal(textOf(joinSlices(answer.plan.slices)), "inherited");
  assert.equal(answer.plan.upToDate, true);
  close();
});

Deno.test("cold bytes come over the line, and so do objects and failures", async () => {
  const store = new GivenStore();
  const groups: Group[] = [];
  const cold = {
    cold: OWN_STORE,
    coldStore: store,
    onGroup: (group: Group) => void groups.push(group),
  };
  const { access, until, close } = await line(cold);
  const [group] = groups;
  assert.ok(group !== undefined);
  await until(access.submit(1, appendOf(REMOTE, "cold")));
  const { length, ranges } = group.state.cold.planFlush({ maxBytes: 100 });
  const object = { number: 1, term: group.status().term, length };
  await until(access.submit(1, { type: "flush", object, ranges }));
  assert.equal(textOf(await until(access.fetch(1, object, 1, 2)) as Uint8Array), "ol");
  await assert.rejects(access.fetch(1, object, 4, 1), RangeError);
  const formation = OWN_STORE.formation;
  const name = { formation, group: 1, ...object, bytes: length };
  await putObject(store, name, [new TextEncoder().encode("cold")]);
  group.state.cold.unpin(1);
  const answer = await until(access.read(1, read(REMOTE)));
  assert.ok("plan" in answer && answer.plan.upToDate && answer.plan.cold === undefined);
  assert.equal(textOf(joinSlices(answer.plan.slices)), "cold");
  await store.delete(objectKey(name));
  const lost = { number: 2, term: 1, length: 3 };
  const refused = {
    unavailable: "cold_damaged",
    object: objectKey({ formation, group: 1, ...lost }),
  };
  assert.deepEqual(await until(access.fetch(1, lost, 0, 3)), refused);
  close();
});

Deno.test("a read says over the line, too, with which snapshot its stream begins", async () => {
  const { access, until, close } = await line();
  await until(access.submit(1, appendOf(REMOTE, "before")));
  const object = { number: 1, term: 1, length: 2 };
  const body = bodyOf("{}");
  await until(access.submit(1, { type: "stage", object, at: 0, body }));
  const what = { offset: 6, contentType: "text/plain", digest: "d" };
  await until(access.submit(1, { type: "publish", key: REMOTE, object, ...what }));
  const answer = await until(access.read(1, { ...read(REMOTE), from: "now" }));
  assert.ok("plan" in answer);
  assert.deepEqual(answer.plan.snapshot, { ...what, ...object });
  close();
});
