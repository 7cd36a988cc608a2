import assert from "node:assert/strict";
import type { BootstrapStretch } from "../../group/mod.ts";
import { objectKey } from "../../storage/cold/mod.ts";
import { appendOf, createOf, openBucketOf, textOf } from "../../tests/given/commands.ts";
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
