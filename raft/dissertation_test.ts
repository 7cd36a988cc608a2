/** Ongaro's dissertation, "Consensus: Bridging Theory and Practice", where it goes beyond the paper. */

import assert from "node:assert/strict";
import type { Entry } from "./mod.ts";
import { append, heartbeat, Member, only, voteRequest } from "./testing/member.ts";
import { Text } from "./testing/machine.ts";

Deno.test("§3.10: a transfer brings the target up to date, then asks it to campaign", () => {
  const a = new Member().leadCommitted();
  a.raft.propose(new Text("x"));
  assert.equal(a.raft.transferLeadership("b"), undefined);
  assert.deepEqual(only(a.flush(), "timeout_now"), []);
  a.ack("b", 2);
  assert.deepEqual(only(a.flush(), "timeout_now").map(({ to }) => to), ["b"]);
});

Deno.test("§3.10: a leader that hands over takes no proposals, for an election timeout at most", () => {
  const a = new Member().leadCommitted();
  a.raft.transferLeadership("b");
  assert.deepEqual(a.raft.propose(new Text("x")), { refused: "transferring", leader: "a" });
  assert.equal(a.raft.transferLeadership("c")?.refused, "transferring");
  for (let i = 0; i < 5; i++) a.confirm("c", a.pass(20).flush());
  assert.ok("index" in a.raft.propose(new Text("x")));
});

Deno.test("§3.10: a member that is asked to campaigns at once, and is not refused for the leader's sake", () => {
  const target = new Member().pass(50).pass(49).follow(1);
  target.nowMs = 100;
  target.hear({ type: "timeout_now", from: "b", to: "a", term: 1 });
  assert.deepEqual(only(target.flush(), "vote").map(({ to, transfer }) => [to, transfer]), [
    ["b", true],
    ["c", true],
  ]);
  const voter = new Member().pass(99).follow(1);
  voter.nowMs = 100;
  const [answer] = only(voter.hear(voteRequest("c", 2, 0, 0, true)).flush(), "vote_response");
  assert.equal(answer?.granted, true);
});

Deno.test("§3.10: only voters can take over", () => {
  const a = new Member({ learners: ["d"] }).leadCommitted();
  assert.equal(a.raft.transferLeadership("d")?.refused, "invalid");
  assert.equal(a.raft.transferLeadership("a")?.refused, "unchanged");
});

Deno.test("§4.1: one voter comes or goes in one step, more go through a joint membership", () => {
  const cases: [string[], string[]][] = [
    [["a", "b", "c", "d"], []],
    [["a", "b"], []],
    [["a", "b", "d"], ["a", "b", "c"]],
    [["a"], ["a", "b", "c"]],
  ];
  for (const [voters, outgoing] of cases) {
    const a = new Member().leadCommitted();
    a.raft.proposeMembership({ voters, learners: [] });
    assert.deepEqual(a.membership, { voters, outgoing, learners: [] });
  }
});

Deno.test("§4.1: no change begins before the one before is committed", () => {
  const a = new Member().leadCommitted();
  a.raft.proposeMembership({ voters: ["a", "b"], learners: [] });
  const second = a.raft.proposeMembership({ voters: ["a", "b", "d"], learners: [] });
  assert.equal("refused" in second && second.refused, "pending");
});

Deno.test("§4.1: nor before the leader committed an entry of its own term", () => {
  const a = new Member().lead();
  const change = a.raft.proposeMembership({ voters: ["a", "b"], learners: [] });
  assert.equal("refused" in change && change.refused, "pending");
});

Deno.test("§4.1: a membership without voters, or with one that is a learner too, is refused", () => {
  const a = new Member().leadCommitted();
  for (const [voters, learners] of [[[], ["a"]], [["a", "b"], ["b"]]] as const) {
    const result = a.raft.proposeMembership({ voters, learners });
    assert.equal("refused" in result && result.refused, "invalid");
  }
  const same = a.raft.proposeMembership({ voters: ["c", "b", "a"], learners: [] });
  assert.equal("refused" in same && same.refused, "unchanged");
});

Deno.test("§4.2.1: learners are fed, and decide nothing", () => {
  const a = new Member({ learners: ["d"] }).leadCommitted();
  a.raft.propose(new Text("x"));
  assert.deepEqual(only(a.flush(), "append").map(({ to }) => to), ["b", "c", "d"]);
  a.ack("d", 2);
  assert.equal(a.raft.commitIndex, 1);
});

Deno.test("§4.2.1: a learner does not campaign", () => {
  const d = new Member({ voters: ["b", "c"], learners: ["a"] });
  d.pass(1000);
  assert.equal(d.raft.role, "follower");
  assert.equal(d.raft.campaign(), false);
});

Deno.test("§4.2.2: a member that left by an uncommitted change campaigns if it must", () => {
  const a = new Member();
  const entry: Entry<Text> = {
    index: 1,
    term: 1,
    kind: "membership",
    membership: { voters: ["b", "c"], outgoing: [], learners: [] },
  };
  const message = append(1, 0, 0);
  assert.ok(message.type === "append");
  a.hear({ ...message, entries: [entry] }).flush();
  a.pass(200);
  assert.equal(a.raft.role, "pre_candidate");
  a.hear(heartbeat(1, 1)).flush();
  a.pass(200);
  assert.equal(a.raft.role, "follower", "not once it is committed");
});

Deno.test("§4.2.3: somebody who was removed cannot depose a leader", () => {
  const a = new Member().leadCommitted();
  assert.deepEqual(a.hear(voteRequest("e", 9, 9, 9)).flush(), []);
  assert.equal(a.raft.role, "leader");
});

Deno.test("§4.3: a joint membership is left by itself, by a new leader too", () => {
  const a = new Member({ voters: ["a", "b"], term: 1 });
  const entry: Entry<Text> = {
    index: 1,
    term: 1,
    kind: "membership",
    membership: { voters: ["a", "c"], outgoing: ["a", "b"], learners: ["b"] },
  };
  const message = append(1, 0, 0);
  assert.ok(message.type === "append");
  a.hear({ ...message, entries: [entry] }).flush();
  a.pass(200).flush();
  for (const type of ["pre_vote_response", "vote_response"] as const) {
    for (const from of ["b", "c"]) {
      assert.notEqual(a.raft.role, "leader");
      a.hear({ type, from, to: "a", term: 2, granted: true });
    }
    a.flush();
  }
  assert.equal(a.raft.role, "leader");
  a.ack("c", 2);
  a.ack("b", 2);
  assert.deepEqual(a.membership, { voters: ["a", "c"], outgoing: [], learners: ["b"] });
});

Deno.test("§6.2: a leader steps down after an election timeout without a majority", () => {
  const a = new Member().leadCommitted();
  a.pass(99);
  assert.equal(a.raft.role, "leader");
  a.pass(1);
  assert.equal(a.raft.role, "follower");
});

Deno.test("§6.4: reads of one turn share a round, whose index is that of the turn", () => {
  const a = new Member({ settings: { readLease: false } }).leadCommitted();
  for (const context of [1, 2, 3]) a.raft.readIndex(context, a.nowMs);
  const asked = a.flush();
  assert.equal(only(asked, "heartbeat").length, 2);
  a.confirm("c", asked);
  assert.deepEqual(a.raft.takeReads().map(({ context, index }) => [context, index]), [
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
});

Deno.test("§6.4: an answer to an earlier round proves nothing for a later question", () => {
  const a = new Member({ settings: { readLease: false } }).leadCommitted();
  const earlier = a.pass(20).flush();
  a.raft.readIndex(1, a.nowMs);
  const asked = a.flush();
  a.confirm("b", earlier);
  assert.deepEqual(a.raft.takeReads(), []);
  a.confirm("b", asked);
  assert.equal(a.raft.takeReads().length, 1);
});

Deno.test("§6.4: a leader that is deposed answers that it does not know", () => {
  const a = new Member({ settings: { readLease: false } }).leadCommitted();
  a.raft.readIndex(1, a.nowMs);
  a.flush();
  a.raft.readIndex(2, a.nowMs);
  a.hear(heartbeat(9));
  assert.deepEqual(a.raft.takeReads(), [
    { context: 1, index: undefined },
    { context: 2, index: undefined },
  ]);
});

Deno.test("§6.4: a follower asks its leader, again when no answer comes, and not another life's", () => {
  const a = new Member().follow(1);
  a.raft.readIndex(1, a.nowMs);
  a.raft.readIndex(2, a.nowMs);
  const [question] = only(a.flush(), "read_index");
  assert.ok(question !== undefined);
  const [again] = only(a.pass(20).flush(), "read_index");
  assert.equal(again?.id, question.id);
  const answer = { type: "read_index_response", from: "b", to: "a", term: 1, index: 7 } as const;
  a.hear({ ...answer, id: question.id + 1 });
  assert.deepEqual(a.raft.takeReads(), []);
  a.hear({ ...answer, id: question.id });
  assert.deepEqual(a.raft.takeReads(), [{ context: 1, index: 7 }, { context: 2, index: 7 }]);
});

Deno.test("§6.4: two lives of a follower ask under different ids", () => {
  const ids = [0.1, 0.2].map((drawn) => {
    const a = new Member({ settings: { random: () => drawn } }).follow(1);
    a.raft.readIndex(1, a.nowMs);
    return only(a.flush(), "read_index")[0]?.id;
  });
  assert.notEqual(ids[0], ids[1]);
});

Deno.test("§6.4: a leader answers its followers", () => {
  const a = new Member({ voters: ["a"], learners: ["b"] });
  a.raft.campaign();
  a.flush();
  a.hear({ type: "read_index", from: "b", to: "a", term: 1, id: 5 });
  assert.deepEqual(only(a.flush(), "read_index_response").map(({ id, index }) => [id, index]), [
    [5, 1],
  ]);
});

Deno.test("§6.4.1: the lease counts from when confirmed heartbeats were sent", () => {
  const a = new Member().leadCommitted();
  const sent = a.pass(20).flush();
  const sentMs = a.nowMs;
  a.nowMs += 50;
  a.confirm("b", sent);
  assert.equal(a.raft.hasLease(sentMs + 89), true);
  assert.equal(a.raft.hasLease(sentMs + 90), false);
});

Deno.test("§6.4.1: no lease once a member was asked to take over, in the rest of the term", () => {
  const a = new Member().leadCommitted();
  a.confirm("b", a.pass(20).flush());
  assert.equal(a.raft.hasLease(a.nowMs), true);
  a.raft.transferLeadership("b");
  for (let i = 0; i < 8; i++) {
    assert.equal(a.raft.hasLease(a.nowMs), false);
    a.confirm("c", a.pass(20).flush());
  }
  assert.equal(a.raft.role, "leader");
});

Deno.test("§6.4.1: no lease where the configuration says so", () => {
  const a = new Member({ settings: { readLease: false } }).leadCommitted();
  a.confirm("b", a.pass(20).flush());
  assert.equal(a.raft.hasLease(a.nowMs), false);
});

Deno.test("§6.4.1: a member that just started votes for nobody: it may have heard from a leader", () => {
  const a = new Member({ term: 1 });
  a.nowMs = 99;
  for (const transfer of [false, true]) {
    assert.deepEqual(a.hear(voteRequest("c", 2, 9, 9, transfer)).flush(), []);
  }
  assert.equal(a.raft.campaign(), false);
  a.hear({ type: "timeout_now", from: "b", to: "a", term: 1 });
  assert.equal(a.raft.role, "follower");
});

Deno.test("§9.6: a member that could not win leaves its term as it is", () => {
  const a = new Member({ term: 4 });
  for (let i = 0; i < 5; i++) a.pass(200).flush();
  assert.equal(a.raft.role, "pre_candidate");
  assert.equal(a.raft.term, 4);
});

Deno.test("§9.6: a pre-vote goes by the log and by who was heard, and changes nothing", () => {
  const a = new Member({ term: 4, log: [4] });
  const ask = (lastIndex: number, lastTerm: number) =>
    only(
      a.hear({ type: "pre_vote", from: "c", to: "a", term: 5, lastIndex, lastTerm }).flush(),
      "pre_vote_response",
    ).map(({ granted, term }) => [granted, term]);
  a.nowMs = 99;
  assert.deepEqual(ask(1, 4), []);
  a.nowMs = 100;
  assert.deepEqual(ask(1, 4), [[true, 5]]);
  assert.deepEqual(ask(1, 3), [[false, 4]]);
  assert.deepEqual(a.machine.disk.hardState, { term: 4, votedFor: undefined });
});

Deno.test("§9.6: a member of an older term learns the newer one from a refused pre-vote", () => {
  const a = new Member({ term: 4 });
  a.pass(200).flush();
  a.hear({ type: "pre_vote_response", from: "b", to: "a", term: 8, granted: false });
  assert.equal(a.raft.term, 8);
  assert.equal(a.raft.role, "follower");
});

Deno.test("§10.2.1: a leader's appends go out while it writes itself", () => {
  const a = new Member().leadCommitted();
  a.raft.propose(new Text("x"));
  assert.equal(only(a.said(), "append").length, 2);
  assert.equal(a.machine.outstanding.length, 1);
});

Deno.test("§10.2.2: appends are pipelined, within what may be under way", () => {
  const a = new Member({ settings: { inflightEntriesMax: 2, messageBytesMax: 1 } }).leadCommitted();
  for (const text of ["x", "y", "z"]) a.raft.propose(new Text(text));
  const toB = () => only(a.flush(), "append").filter(({ to }) => to === "b").length;
  assert.equal(toB(), 2);
  a.ack("b", 2);
  assert.equal(toB(), 1);
});
