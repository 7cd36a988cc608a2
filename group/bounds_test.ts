import assert from "node:assert/strict";
import { appendOf, createOf, openBucketOf } from "../tests/given/commands.ts";
import { GivenReplicas } from "../tests/given/replicas.ts";
import type { Answer, Group, LiveEvent } from "./mod.ts";

const KEY = "demo/a";
const NOW = { key: KEY, from: "now", maxBytes: 0, touch: false } as const;
const OVERLOADED: Answer = { unavailable: "overloaded" };

/** Three replicas, one of them leading, with the stream `demo/a`. */
async function given() {
  const replicas = new GivenReplicas({ count: 3 });
  const leader = await replicas.elect();
  await replicas.submit(leader, openBucketOf("demo"));
  const created = await replicas.submit(leader, createOf(KEY));
  assert.ok("ok" in created && created.ok === "created");
  const [one, other] = replicas.groups.filter((group) => group !== leader) as [Group, Group];
  const { incarnation } = created.facts;
  return { replicas, leader, one, other, incarnation };
}

function propose(group: Group, text: string): Answer[] {
  const answers: Answer[] = [];
  group.propose(appendOf(KEY, text), (answer) => answers.push(answer));
  return answers;
}

Deno.test("a follower without room acknowledges nothing new, and is caught up later", async () => {
  const { replicas, leader, one } = await given();
  one.acceptEntries(false);
  const { lastIndex } = one.status();
  for (const text of ["a", "b"]) {
    assert.ok("ok" in await replicas.submit(leader, appendOf(KEY, text)));
  }
  await replicas.run(500);
  assert.equal(one.status().lastIndex, lastIndex);
  assert.equal(leader.status().others.find(({ id }) => id === one.member)?.full, true);
  one.acceptEntries(true);
  await replicas.run(500);
  assert.equal(one.state.stateHash(), leader.state.stateHash());
  assert.equal(leader.overloads, 0);
});

Deno.test("a leader is overloaded once no majority has room, until one has it again", async () => {
  const { replicas, leader, one, other } = await given();
  one.acceptEntries(false);
  other.acceptEntries(false);
  const first = propose(leader, "a");
  await replicas.run(300);
  assert.deepEqual(first, [], "it is in the log before anybody says that there is no room");
  assert.deepEqual(propose(leader, "b"), [OVERLOADED]);
  assert.equal(leader.overloads, 1);
  assert.ok("plan" in await leader.read(NOW), "reads go on");
  other.acceptEntries(true);
  await replicas.run(300);
  assert.ok(first[0] !== undefined && "ok" in first[0]);
  assert.ok("ok" in await replicas.submit(leader, appendOf(KEY, "c")));
});

Deno.test("a follower that lacks entries for want of room ends its live reads", async () => {
  const { replicas, leader, one, incarnation } = await given();
  const events: LiveEvent[] = [];
  let watched = false;
  Promise.resolve(one.watch(KEY, incarnation, (event) => events.push(event)))
    .then((facts) => watched = facts !== undefined);
  await replicas.until(() => watched || undefined);
  one.acceptEntries(false);
  await replicas.run(2_000);
  assert.deepEqual(events, [], "as long as nothing is written, it lacks nothing");
  assert.ok("ok" in await replicas.submit(leader, appendOf(KEY, "new")));
  await replicas.run(2_000);
  assert.deepEqual(events.map(({ ended, lost }) => [ended, lost]), [[true, true]]);
  let answer: unknown;
  Promise.resolve(one.watch(KEY, incarnation, () => {})).then((facts) => answer = [facts]);
  await replicas.run(1_000);
  assert.equal(answer, undefined, "nobody is told what the stream was");
  one.acceptEntries(true);
  await replicas.run(500);
  assert.ok(Array.isArray(answer) && answer[0] !== undefined);
});

Deno.test("a leader takes 64 MiB of proposals that nobody acknowledges, and no more", async () => {
  const { replicas, leader, one, other } = await given();
  replicas.cut = (from) => from === leader.member;
  const body = "x".repeat(4 << 20);
  const taken: Answer[][] = [];
  for (let count = 0; count < 15; count++) taken.push(propose(leader, body));
  assert.deepEqual(propose(leader, body + body), [OVERLOADED]);
  assert.ok(taken.every((answers) => answers.length === 0));
  const { uncommittedBytes } = leader.status();
  assert.ok(uncommittedBytes <= 64 << 20, `${uncommittedBytes} bytes`);
  replicas.cut = () => false;
  await replicas.run(2_000);
  assert.ok(taken.every(([answer]) => answer !== undefined && "ok" in answer));
  const after = await replicas.submit(replicas.leader, appendOf(KEY, body));
  assert.ok("ok" in after);
  for (const group of [one, other]) assert.equal(group.overloads, 0);
});

Deno.test("a follower that takes nothing costs its leader no more than what is kept for it", async () => {
  const { replicas, leader, one, other } = await given();
  replicas.cut = (_, to) => to === one.member;
  const body = "x".repeat(256 << 10);
  let kept = 0;
  let underWay = 0;
  for (let count = 0; count < 128; count++) {
    assert.ok("ok" in await replicas.submit(leader, appendOf(KEY, body)));
    if (count % 16 !== 15) continue;
    // Streams come and go: what is left is what Raft keeps.
    assert.ok("ok" in await replicas.submit(leader, { type: "delete", key: KEY }));
    assert.ok("ok" in await replicas.submit(leader, createOf(KEY)));
    for (const group of [leader, other]) kept = Math.max(kept, group.status().logBytes);
    const known = leader.status().others.find(({ id }) => id === one.member);
    underWay = Math.max(underWay, known?.inflightBytes ?? 0);
  }
  // 1 MiB is kept, and an entry is dropped only when the next one is applied; 2 MiB may be under way.
  assert.ok(kept < 2 << 20, `${kept} bytes are kept of 32 MiB`);
  assert.ok(underWay <= (2 << 20) + (512 << 10), `${underWay} bytes are under way`);
});
