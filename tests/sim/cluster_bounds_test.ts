/** What a cluster does at its bounds: it refuses what it must, the rest goes on, and it recovers. */

import assert from "node:assert/strict";
import { ClusterStage } from "./cluster_stage.ts";
import type { SimNode } from "./sim_node.ts";

const KEY = "alpha/one";
const MIB = 1024 * 1024;
/** The disk is looked at every second, what a node says of itself every heartbeat. */
const NOTICED_MS = 2_000;
/** A group is looked after every second, and given away only when that is settled. */
const MOVED_MS = 15_000;
const OVERLOADED = { unavailable: "overloaded" };

function fill(node: SimNode): void {
  node.disk.setCapacity(node.disk.usedBytes() + 100 * MIB);
}

Deno.test("a cluster whose memory is full takes deletes, and then appends again", async () => {
  const stage = new ClusterStage(1, { hotBytesMax: 256 * 1024 });
  await stage.start();
  const [node] = stage.followers();
  await stage.create(node, KEY);
  await stage.create(node, "alpha/two");
  const part = "x".repeat(32 * 1024);
  let taken = 0;
  for (; taken < 20; taken++) {
    const answer = await stage.append(node, KEY, part);
    await stage.clock.run(50);
    if (!("ok" in answer)) {
      assert.deepEqual(answer, OVERLOADED);
      break;
    }
  }
  assert.ok(taken >= 7 && taken < 12, `${taken} appends of 32 KiB fit into 256 KiB`);
  await stage.clock.run(NOTICED_MS);
  for (const one of stage.nodes) assert.equal(await stage.text(one, KEY), part.repeat(taken));
  const removed = await stage.do(
    node,
    ({ streams }) => streams.delete({ type: "delete", key: KEY }),
  );
  assert.ok("ok" in removed, JSON.stringify(removed));
  await stage.clock.run(100);
  assert.ok("ok" in await stage.append(node, "alpha/two", part));
});

Deno.test("a follower whose disk is full acknowledges nothing more, and is caught up later", async () => {
  const stage = new ClusterStage();
  await stage.start();
  const [full, other] = stage.followers();
  await stage.create(other, KEY);
  fill(full);
  await stage.clock.run(NOTICED_MS);
  const { lastIndex } = stage.group(full).status();
  for (const text of ["a", "b", "c"]) assert.ok("ok" in await stage.append(full, KEY, text));
  await stage.clock.run(NOTICED_MS);
  const facts = await stage.do(full, ({ access }) => access.facts(0));
  assert.ok(!("lost" in facts) && !facts.hasRoom);
  assert.equal(stage.group(full).status().lastIndex, lastIndex);
  assert.equal(await stage.text(other, KEY), "abc");
  full.disk.setCapacity(Infinity);
  await stage.clock.run(NOTICED_MS);
  assert.equal(await stage.text(full, KEY), "abc");
});

Deno.test("without room on a majority's disks writes are refused, reads go on, and it recovers", async () => {
  const stage = new ClusterStage();
  await stage.start();
  const leader = stage.leader() as SimNode; // `start` waits for one
  const followers = stage.followers();
  await stage.create(leader, KEY);
  await stage.append(leader, KEY, "before");
  for (const node of followers) fill(node);
  await stage.clock.run(NOTICED_MS);
  for (const node of stage.nodes) {
    assert.deepEqual(await stage.append(node, KEY, "x"), OVERLOADED);
    assert.equal(await stage.text(node, KEY), "before");
  }
  followers[1].disk.setCapacity(Infinity);
  await stage.clock.run(NOTICED_MS);
  assert.ok("ok" in await stage.append(followers[0], KEY, "after"));
  assert.equal(await stage.text(leader, KEY), "beforeafter");
});

Deno.test("a leader whose disk is full hands over to a node that has room", async () => {
  const stage = new ClusterStage();
  await stage.start();
  const full = stage.leader() as SimNode; // `start` waits for one
  await stage.create(full, KEY);
  fill(full);
  await stage.until(() => ![undefined, full].includes(stage.leader()), MOVED_MS);
  await stage.clock.run(NOTICED_MS);
  for (const node of stage.nodes) assert.ok("ok" in await stage.append(node, KEY, "x"));
  await stage.clock.run(MOVED_MS);
  assert.notEqual(stage.leader(), full, "it is given nothing back");
});
