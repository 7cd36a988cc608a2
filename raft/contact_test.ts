import assert from "node:assert/strict";
import { heartbeat, Member, only } from "./testing/member.ts";
import { Text } from "./testing/machine.ts";

Deno.test("silentMs() counts from the last word of a leader", () => {
  const a = new Member().pass(30);
  assert.equal(a.raft.silentMs(40), 40, "from the start where none was heard");
  a.pass(10).follow(1);
  assert.equal(a.raft.silentMs(50), 10);
  a.pass(300);
  assert.equal(a.raft.role, "pre_candidate");
  assert.equal(a.raft.silentMs(340), 300, "while it campaigns, too");
});

Deno.test("silentMs() is 0 for a leader with a quorum, and counts from its end", () => {
  const a = new Member().leadCommitted();
  const { nowMs } = a;
  assert.equal(a.raft.silentMs(nowMs + 90), 0);
  assert.equal(a.raft.hasQuorum(nowMs + 90), true);
  assert.equal(a.raft.silentMs(nowMs + 120), 120, "before any tick");
  assert.equal(a.raft.hasQuorum(nowMs + 120), false);
  a.pass(150);
  assert.equal(a.raft.role, "follower");
  assert.equal(a.raft.silentMs(a.nowMs), 150);
});

Deno.test("silentMs() counts from the change of leaders for one that was deposed", () => {
  const a = new Member().leadCommitted();
  a.confirm("b", a.pass(50).flush());
  a.hear({ type: "append_ack", from: "b", to: "a", term: 9, match: 0 });
  assert.equal(a.raft.leader, undefined);
  assert.equal(a.raft.silentMs(a.nowMs + 7), 7);
});

Deno.test("silentMs() stays 0 for a sole voter", () => {
  const a = new Member({ voters: ["a"] });
  a.raft.campaign();
  a.flush();
  assert.equal(a.raft.silentMs(1e6), 0);
  assert.equal(a.raft.hasQuorum(1e6), true);
});

Deno.test("caughtUp() wants a member that is fed from the log, near its end", () => {
  const a = new Member({ learners: ["d"] }).leadCommitted();
  a.raft.propose(new Text("x"));
  a.flush();
  assert.equal(a.raft.caughtUp("d", 0), false);
  assert.equal(a.raft.caughtUp("d", 1), true);
  assert.equal(a.raft.progress("d")?.match, 1);
  a.ack("d", 2);
  assert.equal(a.raft.caughtUp("d", 0), true);
  const fresh = new Member({ learners: ["d"] }).lead();
  assert.equal(fresh.raft.progress("d")?.state, "probe");
  assert.equal(fresh.raft.caughtUp("d", 100), false, "nothing is known of it yet");
  assert.equal(fresh.raft.caughtUp("nobody", 100), false);
});

Deno.test("transferringTo says whom leadership is handed to, until it is given up", () => {
  const a = new Member().leadCommitted();
  assert.equal(a.raft.transferringTo, undefined);
  a.raft.transferLeadership("b");
  assert.equal(a.raft.transferringTo, "b");
  for (let i = 0; i < 5; i++) a.confirm("c", a.pass(20).flush());
  assert.equal(a.raft.transferringTo, undefined);
});

Deno.test("hasReads and hasReady say what a read needs next", () => {
  const a = new Member().follow(1);
  a.raft.readIndex(1, a.nowMs);
  assert.deepEqual([a.raft.hasReady, a.raft.hasReads], [true, false]);
  const [question] = only(a.flush(), "read_index");
  assert.equal(a.raft.hasReady, false);
  const id = question?.id ?? 0;
  a.hear({ type: "read_index_response", from: "b", to: "a", term: 1, id, index: 3 });
  assert.equal(a.raft.hasReads, true);
  a.raft.takeReads();
  assert.equal(a.raft.hasReads, false);
  a.hear(heartbeat(2));
});
