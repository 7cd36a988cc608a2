import assert from "node:assert/strict";
import { PendingReads } from "./reads.ts";

function given() {
  const reads = new PendingReads();
  const ended: [string, boolean][] = [];
  const ask = (name: string, nowMs = 0) => reads.add(nowMs, (proven) => ended.push([name, proven]));
  return { reads, ended, ask };
}

Deno.test("PendingReads asks once for all reads of a turn, and anew after it", () => {
  const { reads, ended, ask } = given();
  const first = ask("a");
  assert.equal(ask("b"), undefined);
  reads.close();
  const second = ask("c");
  assert.ok(first !== undefined && second !== undefined && second !== first);
  reads.answered([{ context: first, index: 7 }]);
  reads.applied(6);
  assert.deepEqual(ended, []);
  reads.applied(7);
  assert.deepEqual(ended, [["a", true], ["b", true]]);
  reads.answered([{ context: second, index: 3 }]);
  reads.applied(7);
  assert.deepEqual(ended.slice(2), [["c", true]]);
  assert.ok(reads.empty);
});

Deno.test("PendingReads refuses what Raft refuses, and later reads ask again", () => {
  const { reads, ended, ask } = given();
  const context = ask("a");
  reads.refuse(context ?? -1);
  assert.deepEqual(ended, [["a", false]]);
  const next = ask("b");
  assert.notEqual(next, undefined);
  reads.answered([{ context: next ?? -1, index: undefined }]);
  assert.deepEqual(ended.slice(1), [["b", false]]);
});

Deno.test("PendingReads.answered() is deaf to contexts that it does not know", () => {
  const { reads, ended, ask } = given();
  const context = ask("a") ?? -1;
  reads.answered([{ context: context + 5, index: 1 }]);
  reads.applied(100);
  assert.deepEqual(ended, []);
});

Deno.test("PendingReads.expire() refuses after 5 s, and refuseAll() everybody", () => {
  const { reads, ended, ask } = given();
  ask("a", 0);
  reads.close();
  ask("b", 1_000);
  reads.expire(5_000);
  assert.deepEqual(ended, [["a", false]]);
  reads.refuseAll();
  assert.deepEqual(ended, [["a", false], ["b", false]]);
});

Deno.test("a read may ask again while it is refused", () => {
  const reads = new PendingReads();
  let asked = 0;
  const again = (proven: boolean) => {
    if (!proven && ++asked < 3) reads.add(0, again);
  };
  reads.add(0, again);
  for (let round = 0; round < 3; round++) reads.refuseAll();
  assert.equal(asked, 3);
  assert.ok(reads.empty);
});
