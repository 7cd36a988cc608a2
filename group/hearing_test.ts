import assert from "node:assert/strict";
import { appendOf, createOf, openBucketOf } from "../tests/given/commands.ts";
import { GivenReplicas } from "../tests/given/replicas.ts";
import { Hearing } from "./hearing.ts";
import type { Group, LiveEvent } from "./mod.ts";
import { RAFT_TIMING } from "./raft_timing.ts";

const KEY = "demo/a";
const TIMEOUT_MS = RAFT_TIMING.electionTimeoutMs;

Deno.test("Hearing.isLost() after two election timeouts without a leader", () => {
  const hearing = new Hearing();
  assert.equal(hearing.isLost(5_000, 2 * TIMEOUT_MS, () => assert.fail()), false);
  assert.equal(hearing.isLost(5_000, 2 * TIMEOUT_MS + 1, () => assert.fail()), true);
});

Deno.test("Hearing.isLost() without room asks now and then, and when nobody answers", () => {
  const hearing = new Hearing();
  hearing.hasRoom = false;
  const asked: (() => void)[] = [];
  const lost = (nowMs: number) => hearing.isLost(nowMs, 0, (done) => asked.push(done));
  assert.deepEqual([lost(1_000), lost(1_020)], [false, false]);
  asked[0]?.();
  const againMs = 1_000 + TIMEOUT_MS;
  assert.deepEqual([lost(againMs - 1), asked.length], [false, 1]);
  assert.deepEqual([lost(againMs), lost(againMs + 2 * TIMEOUT_MS)], [false, false]);
  assert.equal(asked.length, 2);
  assert.equal(lost(againMs + 2 * TIMEOUT_MS + 1), true);
  hearing.hasRoom = true;
  asked[1]?.();
  assert.deepEqual([lost(9_000), asked.length], [false, 2]);
});

/** Five replicas, a leader among them, and what a watcher of `demo/a` on `watched` is told. */
async function given(pick: (leader: Group, others: Group[]) => Group) {
  const replicas = new GivenReplicas({ count: 5 });
  const leader = await replicas.elect();
  await replicas.submit(leader, openBucketOf("demo"));
  const created = await replicas.submit(leader, createOf(KEY));
  assert.ok("ok" in created && created.ok === "created");
  const others = replicas.groups.filter((group) => group !== leader);
  const watched = pick(leader, others);
  const events: LiveEvent[] = [];
  let facts: unknown;
  Promise.resolve(watched.watch(KEY, created.facts.incarnation, (event) => events.push(event)))
    .then((found) => facts = found);
  await replicas.until(() => facts);
  return { replicas, leader, others, watched, events };
}

const flags = (events: readonly LiveEvent[]) => events.map(({ ended, lost }) => [ended, lost]);

Deno.test("live reads go on through a change of leaders", async () => {
  const { replicas, leader, others, events } = await given((_, [first]) => first as Group);
  leader.transfer((others[1] as Group).member);
  await replicas.run(2_000);
  await replicas.submit(replicas.leader, appendOf(KEY, "x"));
  await replicas.run(100);
  assert.deepEqual(flags(events), [[false, undefined]]);
});

for (
  const [who, pick] of [
    ["a leader", (leader: Group) => leader],
    ["who follows it", (_: Group, [first]: Group[]) => first as Group],
  ] as const
) {
  Deno.test(`live reads end when a minority is cut off, on ${who}`, async () => {
    const { replicas, leader, others, events } = await given(pick);
    const minority = new Set([leader.member, others[0]?.member]);
    replicas.cut = (from, to) => minority.has(from) !== minority.has(to);
    await replicas.run(700);
    assert.deepEqual(events, [], "an election may yet go well");
    await replicas.run(1_000);
    assert.deepEqual(flags(events), [[true, true]]);
  });
}

Deno.test("live reads end on a replica that is no member any more", async () => {
  const { replicas, leader, watched, events } = await given((_, [first]) => first as Group);
  const voters = replicas.groups.filter((group) => group !== watched).map(({ member }) => member);
  assert.equal(leader.changeMembership({ voters, learners: [] }), undefined);
  await replicas.run(2_500);
  assert.deepEqual(flags(events), [[true, true]]);
});
