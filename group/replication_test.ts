import assert from "node:assert/strict";
import { appendOf, createOf, openBucketOf, textOf } from "../tests/given/commands.ts";
import { GivenReplicas } from "../tests/given/replicas.ts";
import { type Answer, type Group, joinSlices, type LiveEvent, type ReadAnswer } from "./mod.ts";
import { GroupState, newSlab } from "../stream/mod.ts";

const KEY = "demo/a";
const READ = { key: KEY, from: "start", maxBytes: 10_000, touch: false } as const;

/** Three replicas, a leader among them, and the empty stream `demo/a`. */
async function withStream(options: { retainedBytesMax?: number; count?: number } = {}) {
  const replicas = new GivenReplicas({ count: 3, ...options, voters: 3 });
  const leader = await replicas.elect();
  await replicas.submit(leader, openBucketOf("demo"));
  await replicas.submit(leader, createOf(KEY));
  const followers = replicas.groups.filter((group) => group !== leader);
  return { replicas, leader, followers, follower: followers[0] as Group };
}

async function textIn(replicas: GivenReplicas, group: Group): Promise<string> {
  let answer: ReadAnswer | undefined;
  Promise.resolve(group.read(READ)).then((given) => answer = given);
  const found = await replicas.until(() => answer);
  return "plan" in found ? textOf(joinSlices(found.plan.slices)) : JSON.stringify(found);
}

function isolate(replicas: GivenReplicas, group: Group): void {
  replicas.cut = (from, to) => from === group.member || to === group.member;
}

/** RaftSnapshots arrive whole and at once; answers who was sent one. */
function transferAtOnce(replicas: GivenReplicas): string[] {
  const sent: string[] = [];
  replicas.onSnapshot = (from, message) => {
    sent.push(message.to);
    const { mark, chunks } = from.snapshot();
    const pieces = [...chunks].map((piece) => piece.slice());
    const options = { group: 0, formation: "f0000000", allocate: newSlab };
    const receiver = replicas.groups.find(({ member }) => member === message.to) as Group;
    GroupState.import(pieces, options).then((state) => {
      assert.ok(receiver.install({ ...message, mark }, state, replicas.clock.monotonicMs()));
      from.reportSnapshot(message.to, true);
    });
  };
  return sent;
}

Deno.test("what a leader acknowledges lies on all replicas, and every one of them reads it", async () => {
  const { replicas, leader } = await withStream();
  for (const text of ["one", "two", "three"]) {
    const answer = await replicas.submit(leader, appendOf(KEY, text));
    assert.ok("ok" in answer);
  }
  for (const group of replicas.groups) assert.equal(await textIn(replicas, group), "onetwothree");
  const hashes = new Set(replicas.groups.map(({ state }) => state.stateHash()));
  assert.equal(hashes.size, 1);
});

Deno.test("a replica that does not lead takes no command, and says who does", async () => {
  const { replicas, leader, follower } = await withStream();
  const answer = await replicas.submit(follower, appendOf(KEY, "x"));
  assert.deepEqual(answer, { unavailable: "not_leader", leader: leader.member });
  assert.deepEqual(follower.lead(), { unavailable: "not_leader", leader: leader.member });
  assert.equal(leader.lead(), undefined);
});

Deno.test("a follower that lags does not answer before it has what was acknowledged", async () => {
  const { replicas, leader, followers } = await withStream();
  const [late, other] = followers as [Group, Group];
  isolate(replicas, late);
  assert.ok("ok" in await replicas.submit(leader, appendOf(KEY, "new")));
  let answer: ReadAnswer | undefined;
  Promise.resolve(late.read(READ)).then((given) => answer = given);
  await replicas.run(100);
  assert.equal(answer, undefined, "nothing is said before it is sure");
  replicas.cut = () => false;
  const found = await replicas.until(() => answer);
  assert.ok("plan" in found && textOf(joinSlices(found.plan.slices)) === "new");
  assert.equal(await textIn(replicas, other), "new");
});

Deno.test("a replica that is cut off refuses reads in the end, and ends its live reads", async () => {
  const { replicas, follower } = await withStream();
  const found = follower.state.find(KEY);
  assert.ok("incarnation" in found);
  const events: LiveEvent[] = [];
  let watched: unknown;
  Promise.resolve(follower.watch(KEY, found.incarnation, (event) => events.push(event)))
    .then((facts) => watched = facts);
  await replicas.until(() => watched);
  isolate(replicas, follower);
  await replicas.run(2_000);
  assert.deepEqual(events.map(({ ended }) => ended), [true]);
  let answer: ReadAnswer | undefined;
  Promise.resolve(follower.read(READ)).then((given) => answer = given);
  assert.deepEqual(await replicas.until(() => answer), { unavailable: "no_leader" });
});

Deno.test("a watch misses nothing that is applied before its caller has heard that it began", async () => {
  const { replicas, leader, follower } = await withStream();
  const found = follower.state.find(KEY);
  assert.ok("incarnation" in found);
  const events: LiveEvent[] = [];
  const watching = follower.watch(KEY, found.incarnation, (event) => events.push(event));
  replicas.settleAtOnce();
  leader.propose({ type: "delete", key: KEY }, () => {});
  replicas.settleAtOnce();
  assert.ok("refused" in follower.state.find(KEY));
  assert.notEqual(await watching, undefined);
  await replicas.settle();
  assert.deepEqual(events.map(({ ended }) => ended), [true]);
});

Deno.test("a leader that is cut off answers nothing from its replica, and what it took is not known", async () => {
  const { replicas, leader } = await withStream();
  isolate(replicas, leader);
  const lost: Answer[] = [];
  leader.propose(appendOf(KEY, "lost"), (answer) => lost.push(answer));
  await replicas.run(3_000);
  const next = replicas.groups.find((group) => group !== leader && group.leads);
  assert.ok(next !== undefined, "the others go on");
  assert.ok("ok" in await replicas.submit(next, appendOf(KEY, "kept")));
  const refused = leader.read(READ);
  assert.deepEqual(await refused, { unavailable: "no_leader" });
  assert.deepEqual(lost, []);
  replicas.cut = () => false;
  await replicas.run(3_000);
  assert.deepEqual(lost, [{ unavailable: "not_leader", leader: replicas.leader.member }]);
  assert.equal(await textIn(replicas, leader), "kept");
});

Deno.test("a command whose fate is not learnt within 5 s has an unknown outcome", async () => {
  const { replicas, leader } = await withStream();
  isolate(replicas, leader);
  const answer = await replicas.submit(leader, appendOf(KEY, "lost"));
  assert.deepEqual(answer, { unavailable: "outcome_unknown" });
});

Deno.test("transfer() hands over at once, and commands meanwhile enter no log", async () => {
  const { replicas, leader, follower } = await withStream();
  const beganMs = replicas.clock.monotonicMs();
  assert.equal(leader.transfer(follower.member), undefined);
  const answer = await replicas.submit(leader, appendOf(KEY, "x"));
  assert.ok("unavailable" in answer && answer.unavailable === "not_leader");
  await replicas.until(() => follower.leads || undefined);
  assert.ok(replicas.clock.monotonicMs() - beganMs < 100);
  assert.ok("ok" in await replicas.submit(follower, appendOf(KEY, "y")));
  assert.equal(await textIn(replicas, leader), "y");
});

Deno.test("a follower too far behind for the log takes over a RaftSnapshot, and goes on from it", async () => {
  const { replicas, leader, followers } = await withStream({ retainedBytesMax: 100 });
  const [late] = followers as [Group];
  isolate(replicas, late);
  for (let n = 0; n < 20; n++) {
    assert.ok("ok" in await replicas.submit(leader, appendOf(KEY, `${n},`)));
  }
  const transfers = transferAtOnce(replicas);
  replicas.cut = () => false;
  await replicas.run(2_000);
  assert.deepEqual(transfers, [late.member]);
  assert.ok("ok" in await replicas.submit(replicas.leader, appendOf(KEY, "after")));
  await replicas.run(200);
  assert.equal(late.state.stateHash(), leader.state.stateHash());
  assert.match(await textIn(replicas, late), /^0,1,.*19,after$/);
});

Deno.test("install() leaves a RaftSnapshot alone that brings nothing new", async () => {
  const { replicas, leader, follower } = await withStream();
  const { mark, chunks } = leader.snapshot();
  const pieces = [...chunks].map((piece) => piece.slice());
  const options = { group: 0, formation: "f0000000", allocate: newSlab };
  const state = await GroupState.import(pieces, options);
  const { term } = leader.status();
  const message = {
    from: leader.member,
    to: follower.member,
    term,
    type: "snapshot",
    mark,
  } as const;
  const before = follower.state;
  assert.equal(follower.install(message, state, replicas.clock.monotonicMs()), false);
  assert.equal(follower.state, before);
});

Deno.test("changeMembership() brings a learner up, which then votes", async () => {
  const { replicas, leader } = await withStream({ count: 4 });
  const { voters } = leader.status().membership;
  const transfers = transferAtOnce(replicas);
  assert.equal(leader.changeMembership({ voters, learners: ["4.a"] }), undefined);
  await replicas.run(1_000);
  assert.equal(replicas.at(4).state.stateHash(), leader.state.stateHash());
  assert.deepEqual(transfers, ["4.a"], "the others hold the whole log, so it left memory");
  assert.equal(leader.changeMembership({ voters: [...voters, "4.a"], learners: [] }), undefined);
  await replicas.run(1_000);
  assert.deepEqual(replicas.at(4).status().membership.voters, [...voters, "4.a"]);
  assert.equal(leader.changeMembership({ voters: [...voters, "4.a"], learners: [] }), "unchanged");
});
