import assert from "node:assert/strict";
import type { Answer } from "../../group/mod.ts";
import { appendOf, createOf, openBucketOf } from "../../tests/given/commands.ts";
import { type GivenNode, GivenShards } from "../../tests/given/shards.ts";
import type { GroupOrder, OrderAnswer } from "./mod.ts";
import { CATCH_UP_MS_MAX } from "./membership.ts";

const KEY = "demo/a";

/** Three nodes on disks, of which the first leads. */
async function given(): Promise<GivenShards> {
  const shards = new GivenShards([1, 2, 3]);
  for (const id of [1, 2, 3]) await shards.startOnDisk(id);
  await shards.elected();
  // None gives leaderships back before it has settled, so that the first one keeps it for a test.
  if (shards.leader.id !== 1) {
    await obeyed(shards, shards.leader.id, { order: "transfer", node: 1 });
  }
  await shards.until(() => shards.at(1).group.ready);
  await submit(shards, openBucketOf("demo"), createOf(KEY));
  return shards;
}

async function submit(shards: GivenShards, ...commands: Parameters<GivenShards["submit"]>[0][]) {
  for (const command of commands) {
    const answer: Answer = await shards.submit(command);
    assert.ok("ok" in answer, JSON.stringify(answer));
  }
}

function obey(shards: GivenShards, id: number, order: GroupOrder): Promise<OrderAnswer> {
  return shards.at(id).open.shard.order(0, order);
}

function obeyed(shards: GivenShards, id: number, order: GroupOrder): Promise<OrderAnswer> {
  return shards.clock.until(obey(shards, id, order));
}

function members(...nodes: GivenNode[]): string[] {
  return nodes.map(({ member }) => member);
}

Deno.test("transfer waits until the other one leads, and is refused where it can't be", async () => {
  const shards = await given();
  const transfer = (node: number): GroupOrder => ({ order: "transfer", node });
  assert.deepEqual(await obeyed(shards, 2, transfer(3)), { refused: "not_leader", leader: "1.a" });
  assert.deepEqual(await obeyed(shards, 1, transfer(4)), { refused: "not_a_voter" });
  assert.deepEqual(await obeyed(shards, 1, transfer(1)), { leader: "1.a" });
  assert.deepEqual(await obeyed(shards, 1, transfer(2)), { leader: "2.a" });
  assert.ok(shards.at(2).group.leads);
  shards.kill(3);
  await shards.clock.run(400);
  const beforeMs = shards.clock.monotonicMs();
  assert.deepEqual(await obeyed(shards, 2, transfer(3)), { refused: "transfer_failed" });
  assert.ok(shards.clock.monotonicMs() - beforeMs < 100, "the group does not wait in vain");
  await shards.stop();
});

Deno.test("a store that took another's place is a learner first, and a voter when it has all", async () => {
  const shards = await given();
  const [first, second] = [shards.at(1), shards.at(2)];
  shards.kill(3);
  const learner: GroupOrder = { order: "learner", node: 3 };
  const voters: GroupOrder = { order: "membership", voters: [1, 2, 3] };
  assert.deepEqual(await obeyed(shards, 1, learner), { refused: "node_absent", nodes: [3] });
  assert.deepEqual(await obeyed(shards, 1, voters), { refused: "node_absent", nodes: [3] });
  const third = await shards.startOnDisk(3, "b");
  await shards.clock.run(10_000);
  assert.deepEqual(first.group.status().membership.voters, ["1.a", "2.a", "3.a"], "unasked");
  const asLearner = { voters: members(first, second), learners: members(third) };
  for (const _ of [1, 2]) assert.deepEqual(await obeyed(shards, 1, learner), asLearner);
  const result = await obeyed(shards, 1, voters);
  assert.deepEqual(result, { voters: members(first, second, third), learners: [] });
  assert.deepEqual(await obeyed(shards, 1, voters), result, "it is so already");
  assert.deepEqual(await obeyed(shards, 1, learner), result, "who votes stays a voter");
  shards.kill(2);
  await submit(shards, appendOf(KEY, "by the first and the third"));
  await shards.stop();
});

Deno.test("a node that lacks objects is not let in, and stays a learner", async () => {
  const shards = await given();
  shards.kill(3);
  await shards.startOnDisk(3, "b");
  // Whether it has everything it never says.
  shards.bend = () => new Promise(() => {});
  const beforeMs = shards.clock.monotonicMs();
  const answer = await obeyed(shards, 1, { order: "membership", voters: [1, 2, 3] });
  assert.deepEqual(answer, { refused: "not_caught_up", nodes: [3] });
  assert.ok(shards.clock.monotonicMs() - beforeMs >= CATCH_UP_MS_MAX);
  const { voters, learners } = shards.at(1).group.status().membership;
  assert.deepEqual([voters, learners], [["1.a", "2.a"], ["3.b"]]);
});

Deno.test("voters go and come, and two orders at once do not mix", async () => {
  const shards = await given();
  const to = (...voters: number[]): GroupOrder => ({ order: "membership", voters });
  assert.deepEqual(await obeyed(shards, 2, to(1, 2)), { refused: "not_leader", leader: "1.a" });
  assert.deepEqual(await obeyed(shards, 1, to(1, 2, 9)), { refused: "invalid_node", nodes: [9] });
  const orders = [to(1, 2), to(1, 3)].map((order) => obey(shards, 1, order));
  const [one, other] = await shards.clock.until(Promise.all(orders));
  assert.deepEqual(one, { voters: ["1.a", "2.a"], learners: [] });
  assert.deepEqual(other, { refused: "membership_busy" });
  await shards.clock.run(5_000);
  assert.ok(shards.at(1).group.leads, "the one that went disturbs nobody");
  const back = await obeyed(shards, 1, to(1, 2, 3));
  assert.deepEqual(back, { voters: ["1.a", "2.a", "3.a"], learners: [] });
  await shards.stop();
});

Deno.test("a leader that is to go hands over to one that stays, who is given the order", async () => {
  const shards = await given();
  const order: GroupOrder = { order: "membership", voters: [2, 3] };
  const moved = await obeyed(shards, 1, order);
  assert.ok("refused" in moved && moved.refused === "not_leader", JSON.stringify(moved));
  const { leader } = shards;
  assert.equal(moved.leader, leader.member);
  const done = await obeyed(shards, leader.id, order);
  assert.deepEqual(done, { voters: ["2.a", "3.a"], learners: [] });
  await shards.stop();
});

Deno.test("a leader that nobody of the voters to be can follow goes in the end", async () => {
  const shards = await given();
  assert.ok("voters" in await obeyed(shards, 1, { order: "membership", voters: [1] }));
  const order: GroupOrder = { order: "membership", voters: [2, 3] };
  assert.deepEqual(await obeyed(shards, 1, order), { voters: ["2.a", "3.a"], learners: [] });
  await shards.elected();
  await submit(shards, appendOf(KEY, "without the first"));
  await shards.stop();
});

Deno.test("a drain moves leaderships away, and keeps them away until it is lifted", async () => {
  const shards = await given();
  const drain = (draining: boolean) => shards.clock.until(shards.at(1).open.shard.drain(draining));
  assert.equal(await drain(true), 0);
  await shards.elected();
  const { leader } = shards;
  assert.notEqual(leader.id, 1);
  // Group 0 is the first node's in turn.
  await shards.clock.run(15_000);
  assert.equal(shards.leader.id, leader.id);
  shards.kill(leader.id);
  await shards.elected();
  assert.notEqual(shards.leader.id, 1, "another one can lead");
  assert.equal(await drain(false), 0);
  await shards.until(() => shards.at(1).group.leads, 15_000);
  shards.draining.add(2).add(3);
  assert.equal(await drain(true), 1, "nobody else wants it");
  await shards.stop();
});

Deno.test("a RaftSnapshot is written when it is asked for, and the log before it goes", async () => {
  const shards = await given();
  for (let n = 0; n < 20; n++) await submit(shards, appendOf(KEY, "x".repeat(1_000)));
  await shards.settled();
  for (const id of [1, 2]) {
    const { group } = shards.at(id);
    const { appliedIndex, firstIndex } = group.status();
    // A leader lets go of what all members hold.
    if (id === 2) assert.equal(firstIndex, 1);
    assert.deepEqual(await obeyed(shards, id, { order: "snapshot" }), { index: appliedIndex });
    assert.equal(group.status().snapshotIndex, appliedIndex);
    const firstLeft = appliedIndex + 1;
    assert.deepEqual(await obeyed(shards, id, { order: "purge" }), { firstIndex: firstLeft });
    assert.equal(group.status().firstIndex, firstLeft);
    await submit(shards, appendOf(KEY, "and on"));
  }
  const third = shards.at(3).group.status();
  assert.deepEqual([third.snapshotIndex, third.firstIndex], [0, 1], "it was not asked");
  await shards.stop();
});

Deno.test("in memory a RaftSnapshot is the state, and members that lack what went get it", async () => {
  const shards = new GivenShards([1, 2, 3]);
  for (const id of [1, 2]) await shards.start(id);
  await shards.elected();
  await submit(shards, openBucketOf("demo"), createOf(KEY), appendOf(KEY, "kept"));
  await shards.settled();
  const { id, group } = shards.leader;
  const { appliedIndex: index } = group.status();
  assert.deepEqual(await obeyed(shards, id, { order: "purge" }), { firstIndex: 1 }, "none yet");
  assert.deepEqual(await obeyed(shards, id, { order: "snapshot" }), { index });
  assert.deepEqual(await obeyed(shards, id, { order: "purge" }), { firstIndex: index + 1 });
  const third = await shards.start(3);
  await shards.until(() => third.group.status().appliedIndex >= index);
  assert.equal(third.group.state.stateHash(), group.state.stateHash());
  await shards.stop();
});

Deno.test("flush puts one stream's bytes into objects, and the leader alone does", async () => {
  const shards = await given();
  await submit(shards, createOf("demo/b"), appendOf(KEY, "first"), appendOf("demo/b", "second"));
  const flush: GroupOrder = { order: "flush", key: KEY };
  assert.deepEqual(await obeyed(shards, 2, flush), { refused: "not_leader", leader: "1.a" });
  assert.deepEqual(await obeyed(shards, 1, flush), { flushedBytes: "first".length });
  assert.deepEqual(await obeyed(shards, 1, flush), { flushedBytes: 0 });
  assert.equal(shards.at(1).group.state.hotBytes, "second".length);
  await shards.stop();
});

Deno.test("whoever waits for an order when the node stops is told so", async () => {
  const shards = await given();
  shards.kill(3);
  await shards.startOnDisk(3, "b");
  shards.bend = () => new Promise(() => {});
  const waiting = obey(shards, 1, { order: "membership", voters: [1, 2, 3] });
  await shards.clock.run(1_000);
  const first = shards.at(1);
  first.open.abandon();
  assert.deepEqual(await shards.clock.until(waiting), { refused: "shutting_down" });
  const late = first.open.shard.order(0, { order: "snapshot" });
  assert.deepEqual(await shards.clock.until(late), { refused: "shutting_down" });
});
