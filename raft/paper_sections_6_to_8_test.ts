/** The paper, "In Search of an Understandable Consensus Algorithm (Extended Version)", §6 to §8. */

import assert from "node:assert/strict";
import { append, logOf, Member, only, voteRequest } from "./testing/member.ts";

Deno.test("§6: a member acts on the newest membership in its log, committed or not", () => {
  const a = new Member();
  const entries = [{
    index: 1,
    term: 1,
    kind: "membership",
    membership: { voters: ["a", "b"], outgoing: [], learners: ["c"] },
  }] as const;
  a.hear({ ...append(1, 0, 0), entries } as ReturnType<typeof append>).flush();
  assert.deepEqual(a.membership.voters, ["a", "b"]);
  a.hear(append(2, 0, 0, [2])).flush();
  assert.deepEqual(a.membership.voters, ["a", "b", "c"], "the one before, once it is cut off");
});

Deno.test("§6: while a membership is joint, entries need a majority of both halves", () => {
  const a = new Member().leadCommitted();
  a.raft.proposeMembership({ voters: ["a", "d", "e"], learners: [] });
  assert.deepEqual(a.membership.outgoing, ["a", "b", "c"]);
  a.flush();
  a.ack("b", 2).ack("c", 2);
  assert.equal(a.raft.commitIndex, 1);
  a.ack("d", 2);
  assert.equal(a.raft.commitIndex, 2);
  assert.deepEqual(a.membership, { voters: ["a", "d", "e"], outgoing: [], learners: [] });
});

Deno.test("§6: new members join without a vote first", () => {
  const a = new Member().leadCommitted();
  a.raft.proposeMembership({ voters: ["a", "b", "c"], learners: ["d"] });
  a.flush();
  a.ack("d", 2);
  assert.equal(a.raft.commitIndex, 1);
  a.ack("b", 2);
  assert.equal(a.raft.commitIndex, 2);
});

Deno.test("§6: a leader that is not part of the new membership steps down once it is committed", () => {
  const a = new Member().leadCommitted();
  a.raft.proposeMembership({ voters: ["b", "c"], learners: [] });
  a.flush();
  a.ack("b", 2);
  assert.equal(a.raft.role, "leader", "it does not count itself");
  a.ack("c", 2);
  assert.equal(a.raft.role, "follower");
  assert.equal(only(a.flush(), "timeout_now").length, 1);
});

Deno.test("§6: who heard from a leader within an election timeout does not vote", () => {
  const a = new Member().pass(50).follow(1);
  a.nowMs += 99;
  assert.deepEqual(a.hear(voteRequest("c", 2, 9, 9)).flush(), []);
  assert.equal(a.raft.term, 1);
  a.nowMs += 1;
  assert.equal(only(a.hear(voteRequest("c", 2, 9, 9)).flush(), "vote_response")[0]?.granted, true);
});

Deno.test("§7: a follower too far behind gets the RaftSnapshot, and entries after it", () => {
  const a = new Member({ term: 1, log: [1, 1, 1] }).leadCommitted();
  a.machine.apply();
  a.machine.snapshot();
  a.raft.release(4);
  a.hear({
    type: "heartbeat_response",
    from: "c",
    to: "a",
    term: 2,
    round: 0,
    sentMs: 0,
    full: true,
  });
  a.raft.proposeMembership({ voters: ["a", "b", "c", "d"], learners: [] });
  a.flush();
  a.hear({
    type: "append_reject",
    from: "d",
    to: "a",
    term: 2,
    rejected: 4,
    hintIndex: 0,
    hintTerm: 0,
  });
  const [snapshot] = only(a.flush(), "snapshot");
  assert.deepEqual([snapshot?.to, snapshot?.mark.index, snapshot?.mark.term], ["d", 4, 2]);
  a.raft.reportSnapshot("d", true);
  assert.deepEqual(a.flush(), [], "nothing more until it answers");
  a.ack("d", 4);
  assert.deepEqual(only(a.flush(), "append").map(({ to, prevIndex }) => [to, prevIndex]), [[
    "d",
    4,
  ]]);
});

Deno.test("§7: a RaftSnapshot replaces a log that does not reach it, and is acknowledged once durable", () => {
  const membership = { voters: ["a", "b"], outgoing: [], learners: [] };
  const a = new Member({ term: 1, log: [1, 1] });
  const mark = { index: 9, term: 2, membership };
  a.hear({ type: "snapshot", from: "b", to: "a", term: 3, mark });
  assert.equal(a.raft.installing, true);
  assert.deepEqual(a.said(), []);
  assert.deepEqual(only(a.flush(), "append_ack").map(({ match }) => match), [9]);
  assert.deepEqual(a.machine.disk.snapshot, mark);
  assert.deepEqual(a.terms, []);
  assert.deepEqual(a.membership, membership);
  assert.equal(a.raft.commitIndex, 9);
});

Deno.test("§7: a RaftSnapshot of what the log holds already leaves the log as it is", () => {
  const membership = { voters: ["a", "b", "c"], outgoing: [], learners: [] };
  const a = new Member({ term: 1, log: [1, 1, 1] });
  const mark = { index: 2, term: 1, membership };
  a.hear({ type: "snapshot", from: "b", to: "a", term: 1, mark }).flush();
  assert.deepEqual(a.machine.disk.entries, logOf(1, 1, 1));
  assert.equal(a.raft.commitIndex, 2);
});

Deno.test("§8: a new leader commits an empty entry of its term at once", () => {
  const a = new Member({ term: 1, log: [1] }).lead();
  const [sent] = only(a.flush(), "append");
  assert.deepEqual(sent?.entries.map((entry) => [entry.kind, entry.term]), [["noop", 2]]);
});

Deno.test("§8: a read waits for the first commit of the term and for a majority to confirm", () => {
  const a = new Member({ settings: { readLease: false } }).lead();
  a.flush();
  a.raft.readIndex(1, a.nowMs);
  const before = a.flush();
  assert.deepEqual(only(before, "heartbeat"), [], "no round before the first commit");
  a.ack("b", 1);
  const asked = a.flush();
  assert.equal(only(asked, "heartbeat").length, 2);
  assert.deepEqual(a.raft.takeReads(), []);
  a.confirm("b", asked);
  assert.deepEqual(a.raft.takeReads(), [{ context: 1, index: 1 }]);
});
