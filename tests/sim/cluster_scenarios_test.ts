/**
 * What the simulation of clusters found, told as short scenarios: each was once wrong.
 */

import assert from "node:assert/strict";
import { ClusterStage } from "./cluster_stage.ts";
import { appendOf } from "./stage.ts";

const KEY = "alpha/one";

Deno.test("a stream expires in a cluster that reads without a lease", async () => {
  const stage = new ClusterStage(1, {}, { readLease: false });
  await stage.start();
  await stage.create(stage.node(1), KEY, { ttlSeconds: 1 });
  assert.equal(await stage.text(stage.node(2), KEY), "");
  await stage.clock.run(3_000);
  for (const node of stage.nodes) assert.equal(await stage.text(node, KEY), "stream_not_found");
});

Deno.test("a leader whose wall clock jumps ends no stream before its time", async () => {
  const stage = new ClusterStage();
  await stage.start();
  await stage.create(stage.node(1), KEY, { ttlSeconds: 60 });
  const [leader] = stage.nodes.filter((node) => node === stage.leader());
  assert.ok(leader !== undefined);
  leader.machine.wallOffsetMs += 3_600_000;
  await stage.clock.run(2_000);
  for (const node of stage.nodes) assert.equal(await stage.text(node, KEY), "");
});

Deno.test("a new cluster stamps nothing before a majority of clocks agrees", async () => {
  const stage = new ClusterStage();
  for (const node of stage.nodes) node.machine.wallOffsetMs += node.id * 3_600_000;
  await stage.clock.until(Promise.all(stage.nodes.map((node) => node.start())));
  await stage.clock.run(2_000);
  assert.equal(stage.leader(), undefined);
  const early = await stage.create(stage.node(1), KEY, { ttlSeconds: 60 });
  assert.deepEqual(early, { unavailable: "no_leader" });
  // Whoever leads: two agree from now on.
  stage.node(2).machine.wallOffsetMs = stage.node(3).machine.wallOffsetMs;
  await stage.until(() => stage.leader() !== undefined);
  await stage.create(stage.node(1), KEY, { ttlSeconds: 60 });
  await stage.clock.run(2_000);
  assert.equal(await stage.text(stage.node(1), KEY), "");
});

for (const oneWay of [false, true]) {
  const how = oneWay ? "does not hear" : "has no link to";
  Deno.test(`a node that ${how} a leader alone does its work all the same, before long`, async () => {
    const stage = new ClusterStage(1, { groups: 3 });
    await stage.start();
    await stage.clock.run(10_000);
    const [far, leader] = [stage.node(1), stage.node(3)];
    const led = leader.groups.filter((group) => group.leads).map(({ id }) => id);
    assert.equal(led.length, 1, "every node leads one group");
    stage.network.cut(leader.id, far.id, { oneWay });
    await stage.clock.run(15_000);
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 6; n++) {
        const answer = await stage.create(far, `alpha/${round}-${n}`);
        assert.ok("ok" in answer, JSON.stringify(answer));
      }
      await stage.clock.run(1_000);
    }
    stage.network.heal();
    // Who led it has it back: nodes lead as many groups as the others.
    await stage.until(() => leader.groups.some((group) => group.leads), 30_000);
  });
}

Deno.test("a node in memory that lost everything votes again, though the log's beginning is gone", async () => {
  const stage = new ClusterStage(1, {}, { memory: true });
  await stage.start();
  const [follower] = stage.followers();
  await stage.create(follower, KEY);
  let text = "";
  for (let at = 0; at < 50; at++) {
    await stage.append(follower, KEY, `${at};`);
    text += `${at};`;
  }
  // What all members hold leaves the leader's memory.
  await stage.clock.run(1_000);
  follower.kill();
  await stage.clock.run(500);
  await stage.clock.until(follower.start());
  const votes = () => {
    const leader = stage.leader();
    const voters = leader && stage.group(leader).status().membership.voters;
    return voters?.includes(stage.group(follower).member) ?? false;
  };
  await stage.until(votes, 10_000);
  assert.equal(await stage.text(follower, KEY), text);
});

Deno.test("a leader stamps nothing earlier than what it took over and has yet to apply", async () => {
  const stage = new ClusterStage();
  // Ahead, but not by so much that others disagree.
  for (const node of stage.nodes) node.machine.wallOffsetMs += node.id === 1 ? 900 : 0;
  await stage.start();
  const first = stage.node(1);
  const [, next] = stage.nodes.filter((node) => node === first || node !== stage.leader());
  assert.ok(next !== undefined);
  await stage.create(first, KEY);
  if (stage.leader() !== first) {
    const leader = stage.leader();
    assert.ok(leader !== undefined);
    stage.group(leader).transfer(stage.group(first).member);
    await stage.until(() => stage.leader() === first);
  }
  await stage.clock.run(1_000);
  for (let round = 0; round < 5; round++) {
    const begun = first.call(({ streams }) => streams.append(appendOf(KEY, "first;")));
    stage.group(first).transfer(stage.group(next).member);
    while (!stage.group(next).leads) await stage.clock.step();
    await stage.append(next, KEY, "next;");
    await stage.clock.until(begun);
    stage.group(next).transfer(stage.group(first).member);
    await stage.until(() => stage.leader() === first);
  }
  assert.equal(await stage.text(next, KEY), "first;next;".repeat(5));
});

for (const syncMsMin of [900, 1_500]) {
  Deno.test(`leaders stay where they are while every sync takes ${syncMsMin} ms`, async () => {
    const stage = new ClusterStage(1, { groups: 4 });
    for (const { disk } of stage.nodes) disk.syncMsMin = syncMsMin;
    await stage.start();
    const isLed = () => stage.node(1).groups.every(({ id }) => stage.leader(id) !== undefined);
    await stage.until(isLed);
    for (let n = 0; n < 8; n++) await stage.create(stage.node(1), `alpha/${n}`);
    // Leaderships go where they belong meanwhile.
    await stage.clock.run(120_000);
    const terms = () => stage.node(1).groups.map((group) => group.status().term);
    const before = terms();
    for (let round = 0; round < 30; round++) {
      for (let n = 0; n < 8; n++) await stage.append(stage.node(1 + n % 3), `alpha/${n}`, "x");
    }
    assert.deepEqual(terms(), before);
  });
}

Deno.test("a node whose disk hangs leads nothing before long, and does so again when it is well", async () => {
  const stage = new ClusterStage(1, { groups: 3 });
  await stage.start();
  await stage.clock.run(10_000);
  const [node, other] = [stage.node(1), stage.node(2)];
  const led = () => node.groups.filter((group) => group.leads).length;
  assert.equal(led(), 1, "every node leads one group");
  for (let n = 0; n < 12; n++) await stage.create(other, `alpha/${n}`);
  node.disk.syncMsMin = 40_000;
  // Whoever has to write says nothing more: the first ones may be lost with it.
  for (let n = 0; n < 12; n++) {
    other.call(({ streams }) => streams.append(appendOf(`alpha/${n}`, "a")));
  }
  await stage.clock.run(6_000);
  assert.equal(led(), 0);
  const begunMs = stage.clock.monotonicMs();
  for (let n = 0; n < 12; n++) {
    const answer = await stage.append(other, `alpha/${n}`, "b");
    assert.ok("ok" in answer, JSON.stringify(answer));
  }
  assert.ok(stage.clock.monotonicMs() - begunMs < 1_000, "the others' disks are well");
  node.disk.syncMsMin = 0;
  await stage.clock.run(120_000);
  assert.equal(led(), 1);
});

Deno.test("live reads end on a node whose disk hangs, and not on others", async () => {
  const stage = new ClusterStage(1);
  await stage.start();
  const created = await stage.create(stage.node(1), KEY);
  assert.ok("facts" in created && created.facts !== undefined, JSON.stringify(created));
  const { incarnation } = created.facts;
  const ended: number[] = [];
  for (const node of stage.nodes) {
    const found = await stage.do(node, async ({ streams }) => ({
      feed: await streams.watch(KEY, incarnation),
    }));
    assert.ok("feed" in found && found.feed !== undefined);
    found.feed.add({ onBatch: () => {}, onEnd: () => ended.push(node.id) });
  }
  const [follower] = stage.followers();
  follower.disk.syncMsMin = 60_000;
  await stage.append(stage.node(1), KEY, "x");
  await stage.clock.run(4_000);
  assert.deepEqual(ended, []);
  await stage.clock.run(3_000);
  assert.deepEqual(ended, [follower.id]);
});
