/** Elections where they go beyond paper and dissertation: to be quick, and without split votes. */

import assert from "node:assert/strict";
import type { Message } from "./mod.ts";
import { failover, FAILOVER_SETTINGS } from "./testing/failover.ts";
import type { Text } from "./testing/machine.ts";
import { heartbeat, Member, only, voteRequest } from "./testing/member.ts";

function preVote(from: string, term: number, lastIndex = 0, lastTerm = 0): Message<Text> {
  return { type: "pre_vote", from, to: "a", term, lastIndex, lastTerm };
}

/** Does `member` grant what is asked? */
function grants(member: Member, message: Message<Text>): boolean {
  return only(member.hear(message).flush(), "pre_vote_response").some(({ granted }) => granted);
}

/** A candidate of term 1, whose own vote is being written. */
function candidate(): Member {
  const a = new Member().pass(100);
  a.flush();
  a.hear({ type: "pre_vote_response", from: "b", to: "a", term: 1, granted: true }).said();
  assert.equal(a.raft.role, "candidate");
  return a;
}

/** A member whose vote for b in term 1 is being written. */
function voter(): Member {
  const a = new Member().pass(100);
  a.flush();
  a.hear(voteRequest("b", 1, 0, 0)).said();
  return a;
}

/** Fails where a group is without a leader for longer, in any of ten runs. */
function failsOverWithin(limitMs: number, more: Partial<typeof FAILOVER_SETTINGS>): void {
  for (let seed = 0; seed < 10; seed++) {
    const waitedMs = failover({ ...FAILOVER_SETTINGS, ...more }, seed);
    assert.ok(waitedMs.length > 0, `nobody led, seed ${seed}`);
    assert.ok(Math.max(...waitedMs) < limitMs, `${Math.max(...waitedMs)} of ${limitMs} ms`);
  }
}

Deno.test("a pre-candidate lets one of lower rank wait, for as long as answers may come", () => {
  const a = new Member().pass(100);
  assert.equal(grants(a, preVote("b", 1)), false);
  a.nowMs += 49;
  assert.equal(grants(a, preVote("b", 1)), false);
  a.nowMs += 1;
  assert.equal(grants(a, preVote("b", 1)), true);
});

Deno.test("a pre-candidate yields to a longer log, whatever the rank", () => {
  const a = new Member().pass(100);
  assert.equal(grants(a, preVote("b", 1, 3, 1)), true);
});

Deno.test("a member that grants a pre-vote does not campaign itself at once", () => {
  const a = new Member();
  a.nowMs = 99;
  a.raft.tick(99);
  a.nowMs = 100;
  a.hear(preVote("b", 1)).flush();
  a.pass(11);
  assert.equal(a.raft.role, "follower");
  a.pass(2);
  assert.equal(a.raft.role, "pre_candidate");
});

Deno.test("a member that is asked with a shorter log than its own campaigns soon", () => {
  const a = new Member({ log: [1], term: 1, settings: { random: () => 0.9 } });
  a.nowMs = 100;
  assert.equal(grants(a, preVote("b", 2)), false);
  a.pass(13);
  assert.equal(a.raft.role, "pre_candidate");
});

Deno.test("a pre-candidate without answers asks again soon, then less often", () => {
  const a = new Member();
  const pauses: number[] = [];
  let lastMs = 0;
  while (pauses.length < 7) {
    if (only(a.pass(0.5).flush(), "pre_vote").length === 0) continue;
    pauses.push(a.nowMs - lastMs);
    lastMs = a.nowMs;
  }
  assert.deepEqual(pauses, [100, 12.5, 25, 50, 100, 100, 100]);
});

Deno.test("a candidate that is refused a vote tries again soon", () => {
  const a = candidate();
  a.flush();
  a.pass(50);
  a.hear({ type: "vote_response", from: "b", to: "a", term: 1, granted: false });
  a.pass(12).flush();
  assert.equal(a.raft.role, "candidate");
  a.pass(1);
  assert.equal(a.raft.role, "pre_candidate");
});

Deno.test("a leader that is heard from calms the retries", () => {
  const a = new Member();
  for (let i = 0; i < 5; i++) a.pass(200).flush();
  a.hear(heartbeat(1)).flush();
  a.pass(100);
  assert.equal(only(a.flush(), "pre_vote").length, 2);
  assert.equal(a.raft.nextTickMs, a.nowMs + 12.5);
});

Deno.test("failover() of 21 groups at once takes below 900 ms", () => {
  const waitedMs: number[] = [];
  for (let seed = 0; seed < 20; seed++) waitedMs.push(...failover(FAILOVER_SETTINGS, seed));
  assert.ok(waitedMs.length > 300, "the dead node led most groups");
  assert.ok(Math.max(...waitedMs) < 900, `the slowest took ${Math.max(...waitedMs)} ms`);
});

Deno.test("failover() between continents takes one election", () => {
  for (const latencyMaxMs of [50, 100, 200]) {
    // Pre-vote, vote and first entry, there and back.
    failsOverWithin(900 + 6 * latencyMaxMs, { latencyMinMs: latencyMaxMs / 2, latencyMaxMs });
  }
});

Deno.test("failover() on slow disks takes one election, however slow they are", () => {
  for (const syncMs of [100, 300, 1_000]) {
    // A candidate's vote, another one's, and the first entry: each waits for a sync under way.
    failsOverWithin(900 + 6 * syncMs, { syncMs });
  }
});

Deno.test("a candidate's timeout begins when its own vote is durable, and takes in as much for others", () => {
  const a = candidate();
  for (let ms = 0; ms < 400; ms += 10) a.pass(10).said();
  assert.equal(a.raft.role, "candidate", "while it is being written");
  assert.equal(only(a.flush(), "vote").length, 2);
  a.pass(899);
  assert.equal(a.raft.role, "candidate", "100 ms, and twice 400");
  a.pass(1);
  assert.equal(a.raft.role, "pre_candidate");
});

Deno.test("a candidate whose disk hung does not wait for others' disks as long", () => {
  const a = candidate();
  a.pass(60_000).flush();
  a.pass(1_699);
  assert.equal(a.raft.role, "candidate", "100 ms, and twice 800");
  a.pass(1);
  assert.equal(a.raft.role, "pre_candidate");
});

Deno.test("a member does not campaign while its vote for another is being written", () => {
  const a = voter();
  for (let ms = 0; ms < 500; ms += 10) a.pass(10).said();
  assert.equal(a.raft.role, "follower");
  assert.equal(a.raft.nextTickMs, Infinity);
  a.flush();
  assert.equal(a.raft.nextTickMs, a.nowMs + 100);
});

Deno.test("a member that gave its vote away grants no pre-vote while it may make a leader", () => {
  const a = voter();
  a.nowMs += 300;
  assert.equal(grants(a, preVote("c", 2)), false, "while it is being written");
  a.flush();
  a.nowMs += 99;
  assert.equal(grants(a, preVote("c", 2)), false, "for an election timeout after that");
  assert.equal(grants(a, preVote("b", 2)), true, "except to the same one");
  a.nowMs += 1;
  assert.equal(grants(a, preVote("c", 2)), true);
});

Deno.test("a candidate grants no pre-vote while it may win, and does once it was refused", () => {
  const a = candidate();
  a.flush();
  a.pass(50);
  assert.equal(grants(a, preVote("c", 2)), false);
  a.hear({ type: "vote_response", from: "b", to: "a", term: 1, granted: false });
  a.nowMs += 13;
  assert.equal(grants(a, preVote("c", 2)), true);
});

Deno.test("a member that is reluctant campaigns four election timeouts after the others", () => {
  const a = new Member();
  a.raft.beReluctant(true);
  a.hear(heartbeat(1)).flush();
  for (let ms = 0; ms < 399; ms++) a.pass(1).flush();
  assert.equal(a.raft.role, "follower");
  for (let ms = 0; ms < 161; ms++) a.pass(1).flush();
  assert.equal(a.raft.role, "pre_candidate");
});

Deno.test("a member that is reluctant campaigns soon where another one lacks its log", () => {
  const a = new Member({ log: [1], term: 1 });
  a.raft.beReluctant(true);
  for (let ms = 0; ms < 200; ms++) a.pass(1).flush();
  assert.equal(a.raft.role, "follower");
  assert.equal(grants(a, preVote("b", 2)), false);
  a.pass(13);
  assert.equal(a.raft.role, "pre_candidate");
  const b = new Member({ log: [1], term: 1 });
  b.raft.beReluctant(true);
  b.pass(200).flush();
  assert.equal(grants(b, preVote("b", 2, 1, 1)), true, "it votes as ever");
});
