/** The paper, "In Search of an Understandable Consensus Algorithm (Extended Version)", §5. */

import assert from "node:assert/strict";
import { append, heartbeat, Member, only, voteRequest } from "./testing/member.ts";
import { Text } from "./testing/machine.ts";

Deno.test("§5.1: a member moves to a newer term that it hears of, whatever its role", () => {
  for (const role of ["follower", "candidate", "leader"]) {
    const a = new Member();
    if (role === "leader") a.lead();
    else if (role === "candidate") a.pass(150);
    a.flush();
    a.hear(append(7, 0, 0)).flush();
    assert.equal(a.raft.role, "follower");
    assert.equal(a.raft.term, 7);
    assert.equal(a.raft.leader, "b");
    assert.deepEqual(a.machine.disk.hardState, { term: 7, votedFor: undefined });
  }
});

Deno.test("§5.1: a request of an older term changes nothing, and is told the newer one", () => {
  const a = new Member({ term: 5, log: [1, 5] });
  const said = a.hear(append(4, 2, 5, [4])).flush();
  assert.deepEqual(a.terms, [1, 5]);
  assert.equal(a.raft.leader, undefined);
  assert.deepEqual(said.map((message) => message.term), [5]);
});

Deno.test("§5.2: a member starts as a follower", () => {
  assert.equal(new Member({ term: 3, log: [1, 3] }).raft.role, "follower");
});

Deno.test("§5.2: a leader sends heartbeats each interval", () => {
  const a = new Member().leadCommitted();
  a.pass(19);
  assert.deepEqual(only(a.flush(), "heartbeat"), []);
  const sent = only(a.pass(1).flush(), "heartbeat");
  assert.deepEqual(sent.map((message) => message.to), ["b", "c"]);
});

Deno.test("§5.2: a follower that hears nothing for an election timeout campaigns in the next term", () => {
  const a = new Member({ term: 2 });
  a.pass(100).flush();
  a.hear({ type: "pre_vote_response", from: "b", to: "a", term: 3, granted: true });
  const requests = only(a.flush(), "vote");
  assert.equal(a.raft.role, "candidate");
  assert.deepEqual(a.machine.disk.hardState, { term: 3, votedFor: "a" });
  assert.deepEqual(requests.map(({ to, term }) => [to, term]), [["b", 3], ["c", 3]]);
});

Deno.test("§5.2: heartbeats keep a follower from campaigning", () => {
  const a = new Member();
  for (let i = 0; i < 10; i++) a.pass(90).hear(heartbeat(1)).flush();
  assert.equal(a.raft.role, "follower");
});

Deno.test("§5.2: a candidate wins with a majority of the full cluster, its own vote included", () => {
  const cases: [number, number, boolean][] = [[1, 0, true], [3, 0, false], [3, 1, true]];
  cases.push([5, 1, false], [5, 2, true], [4, 1, false], [4, 2, true]);
  for (const [size, grants, wins] of cases) {
    const voters = ["a", "b", "c", "d", "e"].slice(0, size);
    const a = new Member({ voters });
    a.pass(100).flush();
    for (const from of voters.slice(1)) {
      a.hear({ type: "pre_vote_response", from, to: "a", term: 1, granted: true });
    }
    a.flush();
    for (const from of voters.slice(1, 1 + grants)) {
      a.hear({ type: "vote_response", from, to: "a", term: 1, granted: true });
      a.hear({ type: "vote_response", from, to: "a", term: 1, granted: true });
    }
    assert.equal(a.raft.role === "leader", wins, `${grants} of ${size}`);
  }
});

Deno.test("§5.2: a member votes once a term, for who asks first, also after a restart", () => {
  const a = new Member({ term: 1, votedFor: "b" });
  a.nowMs = 100;
  const [again] = only(a.hear(voteRequest("b", 1, 0, 0)).flush(), "vote_response");
  const [other] = only(a.hear(voteRequest("c", 1, 0, 0)).flush(), "vote_response");
  assert.equal(again?.granted, true);
  assert.equal(other?.granted, false);
});

Deno.test("§5.2: a vote is spoken of only once it is durable", () => {
  const a = new Member();
  a.nowMs = 100;
  a.hear(voteRequest("b", 1, 0, 0));
  assert.deepEqual(a.said(), []);
  assert.equal(only(a.flush(), "vote_response")[0]?.granted, true);
});

Deno.test("§5.2: a candidate that hears from a leader of its term follows it", () => {
  const a = new Member();
  a.pass(100).flush();
  a.hear({ type: "pre_vote_response", from: "b", to: "a", term: 1, granted: true }).flush();
  assert.equal(a.raft.role, "candidate");
  a.hear(append(1, 0, 0));
  assert.equal(a.raft.role, "follower");
  assert.equal(a.raft.leader, "b");
  assert.equal(a.raft.term, 1);
});

Deno.test("§5.2: after a split vote a candidate tries again in a new term", () => {
  const a = new Member();
  for (const term of [1, 2]) {
    a.pass(200).flush();
    a.hear({ type: "pre_vote_response", from: "b", to: "a", term, granted: true }).flush();
    assert.equal(a.raft.term, term);
  }
});

Deno.test("§5.2: election timeouts are drawn anew, between one and two timeouts", () => {
  const draws = [0, 0.25, 0.5, 0.999];
  let drawn = 0;
  const a = new Member({ settings: { random: () => draws[drawn++ % draws.length] ?? 0 } });
  const waits = new Set<number>();
  for (let i = 0; i < 8; i++) {
    a.hear(heartbeat(1)).flush();
    const wait = a.raft.nextTickMs - a.nowMs;
    assert.ok(wait >= 100 && wait < 200);
    waits.add(wait);
  }
  assert.ok(waits.size > 2);
});

Deno.test("§5.3: a leader appends a command and sends it to everybody, with what comes before", () => {
  const a = new Member().leadCommitted();
  a.raft.propose(new Text("x"));
  const sent = only(a.said(), "append");
  assert.deepEqual(
    sent.map(({ to, prevIndex, prevTerm, entries }) => [to, prevIndex, prevTerm, entries.length]),
    [["b", 1, 1, 1], ["c", 1, 1, 1]],
  );
});

Deno.test("§5.3: an entry is committed once a majority holds it, and then everything before", () => {
  const a = new Member({ voters: ["a", "b", "c", "d", "e"], term: 1, log: [1, 1] }).lead();
  a.flush();
  assert.equal(a.raft.commitIndex, 0);
  a.ack("b", 3);
  assert.equal(a.raft.commitIndex, 0);
  a.ack("c", 3);
  assert.equal(a.raft.commitIndex, 3);
  assert.deepEqual(a.machine.apply().map((entry) => entry.index), [1, 2, 3]);
});

Deno.test("§5.3: a leader does not count itself before its own write is durable", () => {
  const a = new Member().leadCommitted();
  a.raft.propose(new Text("x"));
  a.said();
  a.ack("b", 2);
  assert.equal(a.raft.commitIndex, 1);
  a.flush();
  assert.equal(a.raft.commitIndex, 2);
});

Deno.test("§5.3: followers learn the commit index and apply in order", () => {
  const a = new Member();
  a.hear(append(1, 0, 0, [1, 1, 1], 2)).flush();
  assert.deepEqual(a.machine.apply().map((entry) => entry.index), [1, 2]);
  a.hear({ type: "commit", from: "b", to: "a", term: 1, commit: 3 });
  assert.deepEqual(a.machine.apply().map((entry) => entry.index), [3]);
});

Deno.test("§5.3: a follower acknowledges what is durable, and nothing before", () => {
  const a = new Member();
  a.hear(append(1, 0, 0, [1, 1]));
  assert.deepEqual(a.said(), []);
  assert.deepEqual(only(a.flush(), "append_ack").map((message) => message.match), [2]);
});

Deno.test("§5.3: nor in a term that is not durable, though the entries are", () => {
  const a = new Member();
  a.hear(append(1, 0, 0, [1, 1]));
  a.said();
  a.hear(heartbeat(2));
  a.said();
  a.machine.completeOldest();
  a.hear(append(2, 2, 1));
  assert.deepEqual(only(a.said(), "append_ack"), []);
  assert.deepEqual(only(a.flush(), "append_ack").map(({ term, match }) => [term, match]), [[2, 2]]);
});

Deno.test("§5.3: a follower refuses entries that do not follow its log (figure 7)", () => {
  const cases: [number[], number, number, boolean][] = [
    [[1, 2], 0, 0, true],
    [[1, 2], 1, 1, true],
    [[1, 2], 2, 2, true],
    [[1, 2], 1, 2, false],
    [[1, 2], 3, 3, false],
  ];
  for (const [log, prevIndex, prevTerm, accepted] of cases) {
    const a = new Member({ term: 2, log });
    const said = a.hear(append(3, prevIndex, prevTerm)).flush();
    assert.equal(only(said, "append_ack").length, accepted ? 1 : 0);
    assert.equal(only(said, "append_reject").length, accepted ? 0 : 1);
    assert.deepEqual(a.terms, log);
  }
});

Deno.test("§5.3: conflicting entries go, with all that follow; others stay", () => {
  const cases: [number, number, number[], number[]][] = [
    [2, 2, [3], [1, 2, 3]],
    [1, 1, [3, 4], [1, 3, 4]],
    [0, 0, [1], [1, 2, 3]],
    [0, 0, [3], [3]],
  ];
  for (const [prevIndex, prevTerm, entries, expected] of cases) {
    const a = new Member({ term: 3, log: [1, 2, 3] });
    a.hear(append(4, prevIndex, prevTerm, entries)).flush();
    assert.deepEqual(a.terms, expected);
  }
});

Deno.test("§5.3: a leader goes back to where the logs agree and overwrites from there (figure 7)", () => {
  const leader = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
  const followers = [
    [1, 1, 1, 4, 4, 5, 5, 6, 6],
    [1, 1, 1, 4],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    [1, 1, 1, 4, 4, 4, 4],
    [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  ];
  for (const log of followers) {
    const a = new Member({ term: 7, log: leader }).lead();
    const b = new Member({ term: 7, log });
    let probes = 0;
    let toB = a.flush();
    while (toB.length > 0) {
      probes += only(toB, "append").length;
      for (const message of toB) {
        if (message.to === "b") b.hear({ ...message, from: "b", to: "a" });
      }
      const toA = b.flush();
      for (const message of toA) a.hear({ ...message, from: "b", to: "a" });
      toB = a.flush().filter((message) => message.to === "b");
    }
    assert.deepEqual(b.terms, [...leader, 8]);
    // A probe for each term in which they differ, not for each entry.
    assert.ok(probes <= 6, `${probes} probes`);
  }
});

Deno.test("§5.3: a leader sends again what got lost, until it is acknowledged", () => {
  const a = new Member().leadCommitted();
  a.raft.propose(new Text("x"));
  a.flush();
  for (let i = 0; i < 2; i++) a.confirm("b", a.pass(20).flush());
  const [probe] = only(a.flush(), "append").filter((message) => message.to === "b");
  assert.deepEqual([probe?.prevIndex, probe?.entries.length], [2, 0]);
  a.hear({
    type: "append_reject",
    from: "b",
    to: "a",
    term: 1,
    rejected: 2,
    hintIndex: 1,
    hintTerm: 1,
  });
  const [again] = only(a.flush(), "append");
  assert.deepEqual([again?.prevIndex, again?.entries.length], [1, 1]);
});

Deno.test("§5.4.1: no vote for a log that is less up to date", () => {
  const cases: [number[], number, number, boolean][] = [
    [[1], 1, 1, true],
    [[1], 2, 1, true],
    [[1, 1], 1, 1, false],
    [[1], 1, 2, true],
    [[1, 1], 1, 2, true],
    [[1, 2], 5, 1, false],
  ];
  for (const [log, lastIndex, lastTerm, granted] of cases) {
    const a = new Member({ term: 2, log });
    a.nowMs = 100;
    const [answer] = only(
      a.hear(voteRequest("b", 3, lastIndex, lastTerm)).flush(),
      "vote_response",
    );
    assert.equal(answer?.granted, granted, `${log} against ${lastIndex}/${lastTerm}`);
  }
});

Deno.test("§5.4.2: only entries of the own term are committed by counting (figure 8)", () => {
  const a = new Member({ term: 2, log: [1, 2] }).lead();
  a.said();
  a.ack("b", 2);
  a.ack("c", 2);
  assert.equal(a.raft.commitIndex, 0);
  a.flush();
  a.ack("b", 3);
  assert.equal(a.raft.commitIndex, 3);
});

Deno.test("§5.5: repeated requests are harmless", () => {
  const a = new Member();
  const first = a.hear(append(1, 0, 0, [1, 1], 1)).flush();
  const second = a.hear(append(1, 0, 0, [1, 1], 1)).flush();
  assert.deepEqual(first, second);
  assert.deepEqual(a.terms, [1, 1]);
  a.hear(append(1, 0, 0, [1])).flush();
  assert.deepEqual(a.terms, [1, 1], "an older, shorter one cuts nothing off");
});

Deno.test("§5.6: election timeouts that do not exceed the heartbeat interval are refused", () => {
  assert.throws(() => new Member({ settings: { electionTimeoutMs: 20, heartbeatIntervalMs: 20 } }));
});
