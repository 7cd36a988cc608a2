import assert from "node:assert/strict";
import { Leaders, type ReplicaReport } from "./leaders.ts";
import { ReplicaLog } from "./raft_logs.ts";

function logOf(...terms: number[]): ReplicaLog {
  const log = new ReplicaLog();
  log.terms = terms;
  return log;
}

function report(member: string, term: number, more: Partial<ReplicaReport> = {}): ReplicaReport {
  return { group: 0, member, term, isLeader: false, commitIndex: 0, log: undefined, ...more };
}

Deno.test("Leaders.look() tells when a replica begins to lead", () => {
  const leaders = new Leaders();
  const lead = { isLeader: true, log: logOf(1, 2), commitIndex: 2 };
  assert.equal(leaders.look(report("1.a", 1)), false);
  assert.equal(leaders.look(report("1.a", 2, lead)), true);
  assert.equal(leaders.look(report("1.a", 2, lead)), false);
  assert.equal(leaders.look(report("2.b", 3, lead)), true);
  assert.equal(leaders.committed(0), 2);
  assert.equal(leaders.committedTerm(0), 2);
});

Deno.test("Leaders.look() throws when a term has two leaders", () => {
  const leaders = new Leaders();
  leaders.look(report("1.a", 3, { isLeader: true }));
  assert.throws(() => leaders.look(report("2.b", 3, { isLeader: true })), /two leaders, 1.a and/);
});

Deno.test("Leaders.look() throws when a leader lacks what was committed before its term", () => {
  const leaders = new Leaders();
  leaders.look(report("1.a", 2, { commitIndex: 2, log: logOf(1, 2) }));
  const lead = { isLeader: true, log: logOf(1, 1, 3) };
  assert.throws(() => leaders.look(report("2.b", 3, lead)), /without entry 2 of term 2/);
});

Deno.test("Leaders.look() lets an outdated leader lack what a later term committed", () => {
  const leaders = new Leaders();
  leaders.look(report("1.a", 4, { commitIndex: 2, log: logOf(1, 4) }));
  leaders.look(report("2.b", 3, { isLeader: true, log: logOf(1, 3) }));
});

Deno.test("Leaders.look() throws when an index is committed with two terms", () => {
  const leaders = new Leaders();
  leaders.look(report("1.a", 2, { commitIndex: 1, log: logOf(1) }));
  assert.throws(
    () => leaders.look(report("2.b", 2, { commitIndex: 1, log: logOf(2) })),
    /entry 1 was committed in terms 1 and 2/,
  );
});

Deno.test("Leaders.look() throws when a replica takes a commit back", () => {
  const leaders = new Leaders();
  leaders.look(report("1.a", 1, { commitIndex: 2, log: logOf(1, 1) }));
  assert.throws(() => leaders.look(report("1.a", 1, { commitIndex: 1 })), /had committed 2/);
  leaders.forget("1.a");
  leaders.look(report("1.a", 1, { commitIndex: 1, log: logOf(1, 1) }));
});

Deno.test("Leaders.look() throws when a replica has committed what it does not hold", () => {
  const leaders = new Leaders();
  assert.throws(
    () => leaders.look(report("1.a", 1, { commitIndex: 2, log: logOf(1) })),
    /committed 2 without it/,
  );
});
