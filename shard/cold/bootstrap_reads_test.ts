import assert from "node:assert/strict";
import type { BootstrapStretch, Group } from "../../group/mod.ts";
import { objectKey } from "../../storage/cold/mod.ts";
import { flush, SHARED_STORE } from "../../tests/given/cold_reads.ts";
import { GivenStore } from "../../tests/given/cold_store.ts";
import { appendOf, createOf, openBucketOf, textOf } from "../../tests/given/commands.ts";
import { givenShard } from "../../tests/given/shard.ts";
import { type GivenNode, GivenShards } from "../../tests/given/shards.ts";

const KEY = "demo/a";

/** All that a bootstrap on a node's replica hands out, message by message; or why it broke off. */
async function bootstrapped(stage: GivenShards, node: GivenNode): Promise<string[] | string> {
  const { shard } = node.open;
  const request = { key: KEY, incarnation: undefined, touch: false };
  const begun = await stage.clock.until(Promise.resolve(shard.beginBootstrap(0, request)));
  assert.ok("bootstrap" in begun);
  const { session } = begun.bootstrap;
  const messages: string[] = [];
  for (;;) {
    const next = await stage.clock.until(Promise.resolve(shard.nextOfBootstrap(0, session)));
    if ("broken" in next) return next.broken;
    const { bytes, ends, isLast } = next as BootstrapStretch;
    let at = 0;
    for (const end of ends) {
      messages.push(textOf(bytes.subarray(at, end)));
      at = end;
    }
    if (isLast) return messages;
  }
}

Deno.test("a bootstrap has a node's missing copy repaired, and breaks off where it can't be", async () => {
  const stage = new GivenShards([1, 2, 3]);
  for (const id of stage.nodeIds) await stage.start(id);
  await stage.elected();
  await stage.submit(openBucketOf("demo"));
  await stage.submit(createOf(KEY));
  for (const text of ["one", "two", "three"]) await stage.submit(appendOf(KEY, text));
  const { leader } = stage;
  const { ranges, length } = leader.group.state.cold.planFlush({ maxBytes: 1 << 20 });
  const object = { ...leader.cold.numbers.take(leader.group), length };
  await stage.submit({ type: "flush", object, ranges });
  await stage.settled();
  await stage.until(() =>
    stage.nodeIds.every((id) => stage.at(id).group.state.cold.pinnedBytes === 0)
  );
  const key = objectKey(stage.object(object.number));
  const node = stage.at(3);
  await node.store.delete(key);
  assert.deepEqual(await bootstrapped(stage, node), ["one", "two", "three"]);
  assert.ok(await node.store.size(key) !== undefined);
  assert.ok(node.lines.some((line) => line.includes("fetched anew")));
  stage.cut = () => true;
  await node.store.delete(key);
  node.open.tier?.reader.forget(stage.object(object.number));
  assert.equal(await bootstrapped(stage, node), "what it needs can't be read");
  stage.cut = () => false;
  await stage.stop();
});

const MIB = 1 << 20;

/** A stream in an object, and another one of 5 MiB. */
async function given() {
  const store = new GivenStore();
  const groups: Group[] = [];
  const { clock, shard, open, lines } = await givenShard({
    cold: SHARED_STORE,
    coldStore: store,
    onGroup: (group) => groups.push(group),
  });
  const [group] = groups;
  assert.ok(group !== undefined);
  const access = shard;
  const flushAll = () => flush({ clock, access, store, group });
  await clock.until(shard.submit(0, openBucketOf("demo")));
  for (const [key, text] of [[KEY, "cold,"], ["demo/large", "x".repeat(5 * MIB)]] as const) {
    await clock.until(shard.submit(0, createOf(key)));
    await clock.until(shard.submit(0, appendOf(key, text)));
    await flushAll();
  }
  return {
    clock,
    shard,
    open,
    store,
    lines,
    flushAll,
    append: (text: string) => clock.until(shard.submit(0, appendOf(KEY, text))),
    read: () => {
      const request = { key: "demo/large", from: 0, maxBytes: 4 * MIB, touch: false };
      return Promise.resolve(shard.read(0, request));
    },
    async begin(key = KEY): Promise<number> {
      const request = { key, incarnation: undefined, touch: false };
      const begun = await clock.until(Promise.resolve(shard.beginBootstrap(0, request)));
      assert.ok("bootstrap" in begun);
      return begun.bootstrap.session;
    },
    next: (session: number) => Promise.resolve(shard.nextOfBootstrap(0, session)),
  };
}

Deno.test("a stretch waits for its turn among cold reads, and is planned anew then", async () => {
  const all = await given();
  const hold = all.store.hold("get");
  await all.append("hot");
  const reads = Array.from({ length: 16 }, () => all.read());
  const session = await all.begin();
  let isThere = false;
  const next = all.next(session).then((found) => {
    isThere = true;
    return found;
  });
  await all.flushAll();
  await all.clock.run(1_000);
  assert.equal(isThere, false);
  const asked = new Set(all.store.askedTo("get"));
  assert.equal(asked.size, 1, "of the large stream's object alone");
  hold.release();
  for (const answer of await all.clock.until(Promise.all(reads))) assert.ok("plan" in answer);
  const found = await all.clock.until(next);
  assert.ok("bytes" in found);
  assert.equal(textOf(found.bytes), "cold,hot");
  assert.deepEqual([[...found.ends], found.isLast], [[5, 8], true]);
  all.open.abandon();
});

Deno.test("bootstraps whose clients take nothing leave all room to reads", async () => {
  const all = await given();
  for (let n = 0; n < 300; n++) {
    const found = await all.clock.until(all.next(await all.begin("demo/large")));
    assert.ok("bytes" in found && found.bytes.length === MIB / 4);
  }
  const beganMs = all.clock.monotonicMs();
  const reads = Array.from({ length: 16 }, () => all.read());
  for (const answer of await all.clock.until(Promise.all(reads))) assert.ok("plan" in answer);
  assert.equal(all.clock.monotonicMs(), beganMs);
  all.open.abandon();
});

Deno.test("a bootstrap breaks off where the store keeps silent for 20 s, and when the shard stops", async () => {
  const all = await given();
  all.store.hold("get");
  const beganMs = all.clock.monotonicMs();
  const lost = { broken: "what it needs can't be read" };
  assert.deepEqual(await all.clock.until(all.next(await all.begin())), lost);
  assert.equal(all.clock.monotonicMs() - beganMs, 20_000);
  assert.equal(all.shard.report().cold?.readFailures, 1);
  const line = "a bootstrap of a stream of group 0 breaks off: cold_unavailable";
  assert.ok(all.lines.includes(line), all.lines.join());
  const next = all.next(await all.begin());
  await all.clock.run(10);
  await all.clock.until(all.open.stop());
  assert.ok("broken" in await all.clock.until(next));
});
