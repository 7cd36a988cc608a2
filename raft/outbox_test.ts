import assert from "node:assert/strict";
import { append, Member, only } from "./testing/member.ts";

Deno.test("settle() marks nothing durable that was cut off and came back meanwhile", () => {
  const a = new Member();
  a.hear(append(2, 0, 0, [1, 2, 2]));
  a.said();
  a.hear(append(3, 1, 1, [3]));
  a.said();
  a.hear(append(4, 1, 1, [2, 2]));
  a.said();
  assert.equal(a.machine.outstanding.length, 3);
  a.machine.completeOldest();
  assert.equal(a.raft.stableIndex, 1, "entries 2 and 3 of that write are not those of the log");
  a.machine.completeOldest();
  assert.equal(a.raft.stableIndex, 1);
  a.machine.completeOldest();
  assert.equal(a.raft.stableIndex, 3);
});

Deno.test("settle() answers each message with the write that it waits for", () => {
  const a = new Member();
  a.hear(append(1, 0, 0, [1]));
  a.said();
  a.hear(append(1, 1, 1, [1]));
  a.said();
  const matches = () =>
    a.machine.completeOldest().map(({ message }) =>
      message.type === "append_ack" ? message.match : undefined
    );
  assert.deepEqual(matches(), [1]);
  a.hear(append(1, 0, 0, [1]));
  assert.deepEqual(only(a.said(), "append_ack").map(({ match }) => match), [1], "durable already");
  assert.deepEqual(matches(), [2]);
});

Deno.test("stable() of several writes acknowledges the last alone, unless leaders changed between", () => {
  const a = new Member();
  for (const index of [0, 1, 2]) a.hear(append(1, index, Math.min(index, 1), [1])).said();
  const acknowledged = (count: number) =>
    only(a.machine.completeOldest(count).map(({ message }) => message), "append_ack")
      .map(({ term, match }) => [term, match]);
  assert.deepEqual(acknowledged(2), [[1, 2]]);
  a.hear(append(2, 3, 1, [2])).said();
  // What was lost on its way back is sent again, and says less than what was said before.
  a.hear(append(2, 3, 1, [])).said();
  assert.deepEqual(acknowledged(2), [[1, 3], [2, 4]]);
});

Deno.test("stable() refuses a ready out of order", () => {
  const a = new Member();
  a.hear(append(1, 0, 0, [1]));
  a.said();
  a.hear(append(1, 1, 1, [1]));
  a.said();
  const second = a.machine.outstanding[1];
  assert.ok(second !== undefined);
  assert.throws(() => a.raft.stable([second]), /readies become stable in order/);
});
