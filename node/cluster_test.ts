import assert from "node:assert/strict";
import type { Answer } from "../group/mod.ts";
import { PEER_KINDS } from "../shard/mod.ts";
import { type GivenCluster, givenCluster } from "../tests/given/cluster.ts";
import { appendOf } from "../tests/given/commands.ts";
import { joined } from "../tests/given/bytes.ts";
import { decodeAnswer, encodeSubmit } from "./call_codec.ts";
import { PATIENCE_MS } from "./patience.ts";

const TIME = { about: "time" } as const;
const READ = { key: "demo/a", from: "now", maxBytes: 0, touch: false } as const;

/** Proposes to group 0 through a node; the answer stands in the array once it was given. */
function propose(given: GivenCluster, node: number, id = "a"): Answer[] {
  const answers: Answer[] = [];
  const command = appendOf(`demo/${id}`, "x");
  given.node(node).cluster.propose(0, command, (answer) => answers.push(answer));
  return answers;
}

function said([answer, ...more]: Answer[]): string {
  assert.deepEqual(more, [], "answered more than once");
  if (answer === undefined) return "nothing";
  if ("ok" in answer) return answer.ok;
  return "refused" in answer ? answer.refused : answer.unavailable;
}

Deno.test("propose() asks this node's replica where it leads, and nobody else", () => {
  const given = givenCluster();
  given.elect(1);
  assert.equal(said(propose(given, 1)), "appended");
  assert.deepEqual([given.log, given.calls], [["1 demo/a"], []]);
});

Deno.test("propose() goes to the node that leads, and knows it the next time", async () => {
  const given = givenCluster();
  given.elect(2);
  const answers = propose(given, 1);
  await given.clock.run(10);
  assert.equal(said(answers), "appended");
  assert.ok("ok" in (answers[0] ?? {}) && JSON.stringify(answers[0]).includes('"tail":1'));
  const { asked } = given.node(1).groups;
  const more = [propose(given, 1, "b"), propose(given, 1, "c")];
  await given.clock.run(10);
  assert.deepEqual(more.map(said), ["appended", "appended"]);
  assert.equal(given.node(1).groups.asked, asked, "the hint is fresh");
  assert.deepEqual(given.log, ["2 demo/a", "2 demo/b", "2 demo/c"]);
  await given.clock.run(1_000);
  propose(given, 1);
  assert.equal(given.node(1).groups.asked, asked + 1, "the hint is old");
});

Deno.test("propose() follows the leader when it moves, also to this node", async () => {
  const given = givenCluster();
  given.elect(2);
  propose(given, 1);
  await given.clock.run(10);
  given.elect(3);
  const first = propose(given, 1, "b");
  await given.clock.run(10);
  given.elect(1);
  const second = propose(given, 1, "c");
  await given.clock.run(10);
  assert.deepEqual([said(first), said(second)], ["appended", "appended"]);
  assert.deepEqual(given.log, ["2 demo/a", "3 demo/b", "1 demo/c"]);
  assert.deepEqual(given.calls, ["1 2", "1 2", "1 3", "1 3"]);
});

Deno.test("propose() follows two hints, then waits for the next look", async () => {
  const given = givenCluster();
  given.elect(2);
  given.node(2).groups.beliefs.fill(3);
  const answers = propose(given, 1);
  await given.clock.run(9);
  assert.deepEqual(given.calls, ["1 2", "1 3"]);
  await given.clock.run(4);
  assert.deepEqual(given.calls.length, 2, "a pause");
  given.elect(3);
  await given.clock.run(20);
  assert.equal(said(answers), "appended");
  assert.equal(given.log.length, 1);
});

Deno.test("a command that surely was not sent is sent again", async () => {
  const given = givenCluster();
  given.elect(2);
  given.fates.set(2, "not_sent");
  const answers = propose(given, 1);
  await given.clock.run(100);
  assert.equal(said(answers), "nothing");
  given.fates.clear();
  await given.clock.run(20);
  assert.equal(said(answers), "appended");
  assert.deepEqual(given.log, ["2 demo/a"]);
});

for (const fate of ["lost", "answer_lost"] as const) {
  Deno.test(`a command whose call is unanswered is not sent again: ${fate}`, async () => {
    const given = givenCluster();
    given.elect(2);
    given.fates.set(2, fate);
    const answers = propose(given, 1);
    await given.clock.run(10);
    given.fates.clear();
    await given.clock.run(10_000);
    assert.equal(said(answers), "outcome_unknown");
    assert.deepEqual([given.calls.length, given.log.length], [1, fate === "lost" ? 0 : 1]);
  });
}

Deno.test("a command of which nothing is heard is given up when patience is over", async () => {
  const given = givenCluster();
  given.elect(2);
  given.fates.set(2, "silent");
  const answers = propose(given, 1);
  await given.clock.run(PATIENCE_MS - 1);
  assert.equal(said(answers), "nothing");
  await given.clock.run(200);
  assert.equal(said(answers), "outcome_unknown");
  assert.equal(await given.clock.step(), false, "no timer is left");
});

Deno.test("commands wait for a leader, and keep their order", async () => {
  const given = givenCluster();
  const early = ["a", "b", "c"].map((id) => propose(given, 1, id));
  await given.clock.run(200);
  const late = ["d", "e"].map((id) => propose(given, 1, id));
  await given.clock.run(15);
  const { asked } = given.node(1).groups;
  assert.ok(asked < 30, `one looks for all: ${asked}`);
  given.elect(3);
  await given.clock.run(30);
  assert.deepEqual([...early, ...late].map(said), Array(5).fill("appended"));
  assert.deepEqual(given.log, ["a", "b", "c", "d", "e"].map((id) => `3 demo/${id}`));
});

Deno.test("commands wait for a leader no longer than patience lasts", async () => {
  const given = givenCluster();
  const first = propose(given, 1);
  await given.clock.run(1_000);
  const second = propose(given, 1);
  await given.clock.run(PATIENCE_MS - 1_100);
  assert.deepEqual([said(first), said(second)], ["nothing", "nothing"]);
  await given.clock.run(200);
  assert.deepEqual([said(first), said(second)], ["no_leader", "nothing"]);
  await given.clock.run(1_000);
  assert.equal(said(second), "no_leader");
  assert.equal(await given.clock.step(), false, "no timer is left");
  assert.deepEqual(given.log, []);
});

Deno.test("a leader that stops proves that nothing entered its log; one at a bound is believed", async () => {
  const given = givenCluster();
  given.elect(2);
  given.node(2).groups.obstacle = { unavailable: "stopping" };
  const answers = propose(given, 1);
  await given.clock.run(50);
  assert.equal(said(answers), "nothing");
  given.elect(3);
  await given.clock.run(30);
  assert.equal(said(answers), "appended");
  given.node(3).groups.obstacle = { unavailable: "overloaded" };
  const more = propose(given, 1);
  await given.clock.run(30);
  assert.equal(said(more), "overloaded");
  given.node(3).groups.obstacle = { unavailable: "outcome_unknown" };
  const last = propose(given, 1);
  await given.clock.run(30);
  assert.equal(said(last), "outcome_unknown");
});

Deno.test("an answer that is none leaves the outcome unknown, and a line", async () => {
  const given = givenCluster();
  given.elect(2);
  given.forged = new Uint8Array([1, 2, 3]);
  const answers = propose(given, 1);
  await given.clock.run(30);
  assert.equal(said(answers), "outcome_unknown");
  assert.match(given.lines.join(), /node 2 .*malformed answer/);
});

Deno.test("survey() is answered by the leader, however often it must be asked", async () => {
  const given = givenCluster();
  const { cluster } = given.node(1);
  given.elect(1);
  assert.deepEqual(cluster.survey<"time">(0, TIME), { nowMs: 1 }, "at once where this node leads");
  given.elect(2);
  given.fates.set(2, "answer_lost");
  const asked = Promise.resolve(cluster.survey<"time">(0, TIME));
  await given.clock.run(100);
  given.fates.set(2, "not_sent");
  await given.clock.run(100);
  given.fates.clear();
  assert.deepEqual(await given.clock.until(asked), { nowMs: 2 });
  given.elect(3);
  const moved = Promise.resolve(cluster.survey<"time">(0, TIME));
  assert.deepEqual(await given.clock.until(moved), { nowMs: 3 });
  assert.deepEqual(given.calls.slice(-2), ["1 2", "1 3"], "the hint was fresh, and wrong");
});

Deno.test("survey() says that nobody leads when patience is over", async () => {
  const given = givenCluster();
  given.elect(2);
  for (const fate of ["silent", "not_sent"] as const) {
    given.fates.set(2, fate);
    const begin = given.clock.monotonicMs();
    const asked = Promise.resolve(given.node(1).cluster.survey<"time">(0, TIME));
    assert.deepEqual(await given.clock.until(asked), { unavailable: "no_leader" }, fate);
    const took = given.clock.monotonicMs() - begin;
    assert.ok(took >= PATIENCE_MS && took < PATIENCE_MS + 100, `${took}`);
  }
});

Deno.test("survey() about errands brings some of many", async () => {
  const given = givenCluster();
  given.elect(2);
  const { cluster } = given.node(1);
  const asked = Promise.resolve(cluster.survey<"errands">(0, { about: "errands" }));
  const errands = await given.clock.until(asked);
  assert.ok("unlinks" in errands);
  assert.equal(errands.unlinks.length, 1_000);
});

Deno.test("read() asks this node's replica until somebody leads", async () => {
  const given = givenCluster();
  const { cluster, groups } = given.node(1);
  given.elect(2);
  assert.deepEqual(cluster.read(0, READ), { refused: "stream_not_found" });
  given.elect(undefined);
  const reading = Promise.resolve(cluster.read(0, READ));
  await given.clock.run(1_000);
  given.elect(2);
  assert.deepEqual(await given.clock.until(reading), { refused: "stream_not_found" });
  given.elect(undefined);
  const { asked } = groups;
  const begin = given.clock.monotonicMs();
  const hopeless = Promise.resolve(cluster.read(0, READ));
  assert.deepEqual(await given.clock.until(hopeless), { unavailable: "no_leader" });
  assert.ok(given.clock.monotonicMs() - begin < PATIENCE_MS + 100);
  assert.ok(groups.asked - asked < 150);
  assert.deepEqual(given.calls, [], "reads are never forwarded");
});

Deno.test("answerCall() sends nothing on, and says who leads", () => {
  const given = givenCluster();
  given.elect(3);
  const answers: Answer[] = [];
  const bytes = joined(encodeSubmit(0, appendOf("demo/a", "x")));
  const respond = (answer: Uint8Array) => void answers.push(decodeAnswer(answer));
  const { cluster } = given.node(2);
  cluster.answerCall(PEER_KINDS.SUBMIT, bytes, respond);
  assert.deepEqual(answers, [{ unavailable: "not_leader", leader: "3.store" }]);
  assert.deepEqual(given.calls, []);
  cluster.answerCall(PEER_KINDS.SUBMIT, bytes.subarray(0, 9), respond);
  cluster.answerCall(PEER_KINDS.SURVEY, bytes, respond);
  assert.deepEqual(answers.slice(1), Array(2).fill({ unavailable: "not_leader" }));
  assert.equal(given.lines.length, 2);
});

Deno.test("close() ends all waiting", async () => {
  const given = givenCluster();
  const { cluster } = given.node(1);
  const waiting = propose(given, 1);
  given.node(1).groups.beliefs[1] = 2;
  given.fates.set(2, "silent");
  const underWay: Answer[] = [];
  cluster.propose(1, appendOf("demo/b", "x"), (answer) => underWay.push(answer));
  const reading = Promise.resolve(cluster.read(0, READ));
  const surveying = Promise.resolve(cluster.survey<"time">(0, TIME));
  await given.clock.run(30);
  cluster.close();
  assert.deepEqual([said(waiting), said(underWay)], ["stopping", "outcome_unknown"]);
  await given.clock.run(100);
  assert.deepEqual(await reading, { unavailable: "no_leader" });
  assert.deepEqual(await surveying, { unavailable: "no_leader" });
  assert.equal(said(propose(given, 1)), "stopping");
  assert.equal(await given.clock.step(), false, "no timer is left");
});
