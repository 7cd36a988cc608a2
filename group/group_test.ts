import assert from "node:assert/strict";
import { appendOf, createOf, openBucketOf, textOf } from "../tests/given/commands.ts";
import { type GivenGroup, givenGroup } from "../tests/given/group.ts";
import {
  type Answer,
  type Eventually,
  joinSlices,
  type LiveEvent,
  type RaftMessage,
} from "./mod.ts";
import { RAFT_TIMING } from "./raft_timing.ts";

const KEY = "demo/a";

type HeartbeatMessage = Extract<RaftMessage, { type: "heartbeat" }>;

/** A group with the bucket `demo` and the empty stream `demo/a`. */
function withStream(options: Parameters<typeof givenGroup>[0] & { ttlSeconds?: number } = {}) {
  const given = givenGroup(options);
  given.propose(openBucketOf("demo"));
  const [created] = turned(given, given.propose(createOf(KEY, { ttlSeconds: options.ttlSeconds })));
  assert.ok(created !== undefined && "ok" in created && created.ok === "created");
  return Object.assign(given, { incarnation: created.facts.incarnation });
}

function turned<T>(given: GivenGroup, answers: T[]): T[] {
  given.turn();
  return answers;
}

function tailOf(answer: Answer | undefined): number | undefined {
  return answer !== undefined && "facts" in answer ? answer.facts?.tail : undefined;
}

function textIn({ group }: GivenGroup, key = KEY): string {
  const answer = now(group.read({ key, from: "start", maxBytes: 1000, touch: false }));
  return "plan" in answer ? textOf(joinSlices(answer.plan.slices)) : JSON.stringify(answer);
}

/** What a leader answers at once. */
function now<T>(answer: Eventually<T>): T {
  assert.ok(!(answer instanceof Promise));
  return answer;
}

/** One tick, with what the shard does about touches; answers how many commands that took. */
function touched(given: GivenGroup): number {
  given.group.tick();
  const commands = given.group.takeTouched();
  for (const keys of commands) given.propose({ type: "touch", keys });
  while (given.group.dirty) given.turn();
  return commands.length;
}

Deno.test("propose() answers when the entry is durable, and nothing shows before", () => {
  const given = withStream();
  const { group } = given;
  const first = given.propose(appendOf(KEY, "one"));
  const second = given.propose(appendOf(KEY, "two"));
  const readies = group.absorb();
  assert.equal(readies.length, 1, "both go out together");
  assert.deepEqual([first, second], [[], []]);
  assert.equal(textIn(given), "");
  group.complete(readies);
  assert.deepEqual([tailOf(first[0]), tailOf(second[0])], [3, 6]);
  assert.equal(first.length, 1);
  assert.equal(textIn(given), "onetwo");
});

Deno.test("propose() answers batch by batch when two are in flight", () => {
  const given = withStream();
  const { group } = given;
  const first = given.propose(appendOf(KEY, "one"));
  const older = group.absorb();
  const second = given.propose(appendOf(KEY, "two"));
  const newer = group.absorb();
  group.complete(older);
  assert.deepEqual([first.length, second.length], [1, 0]);
  assert.equal(textIn(given), "one");
  group.complete(newer);
  assert.deepEqual([first.length, second.length], [1, 1]);
});

Deno.test("propose() copies the request's bytes, which may then be used for something else", () => {
  for (const decodeOwn of [false, true]) {
    const given = withStream({ decodeOwn });
    const bytes = new TextEncoder().encode("kept");
    const data = { slab: { bytes, live: 0 }, start: 0, end: bytes.length };
    given.propose(appendOf(KEY, "", { body: { data } }));
    bytes.fill(0x21);
    given.turn();
    assert.equal(textIn(given), "kept");
  }
});

Deno.test("propose() refuses when the group does not lead, and nothing enters the log", async () => {
  const given = givenGroup({ idle: true });
  assert.deepEqual(given.propose(openBucketOf("demo")), [
    { unavailable: "not_leader", leader: undefined },
  ]);
  assert.deepEqual(given.log.lines, []);
  const request = { key: KEY, from: "now", maxBytes: 0, touch: false } as const;
  assert.deepEqual(await given.group.read(request), { unavailable: "no_leader" });
});

Deno.test("propose() refuses while nobody has said what time it is, and the group is not ready", () => {
  const given = givenGroup({ idle: true });
  given.group.campaign();
  while (given.group.dirty) given.turn();
  assert.equal(given.group.leads, true);
  assert.equal(given.group.ready, false);
  assert.deepEqual(given.propose(openBucketOf("demo")), [{ unavailable: "not_leader" }]);
  given.group.followWall(given.clock.wallMs());
  assert.equal(given.group.ready, true);
  const [answer] = turned(given, given.propose(openBucketOf("demo")));
  assert.ok(answer !== undefined && "ok" in answer);
});

Deno.test("propose() says overloaded when too much waits, and leaves the rest as it was", () => {
  const given = withStream();
  const empty = { type: "touch", keys: [] } as const;
  const waiting: unknown[][] = [];
  for (let i = 0; i < 16_384; i++) waiting.push(given.propose(empty));
  assert.deepEqual(given.propose(empty), [{ unavailable: "overloaded" }]);
  const entries = given.log.entries.length;
  given.turn();
  assert.ok(waiting.every((answers) => answers.length === 1));
  assert.equal(given.log.entries.length, entries, "a refused command is not sealed");
  assert.equal(turned(given, given.propose(empty)).length, 1);
});

Deno.test("a turn is asked for once, however much is proposed in it", () => {
  const given = withStream();
  const before = given.turns;
  for (let i = 0; i < 10; i++) given.propose(appendOf(KEY, "x"));
  assert.equal(given.turns, before + 1);
  const readies = given.group.absorb();
  given.group.complete(readies);
  assert.equal(given.turns, before + 1, "and none when there is nothing left to write");
  given.propose(appendOf(KEY, "x"));
  assert.equal(given.turns, before + 2);
});

Deno.test("the no-op of a term stands in the journal before what is proposed in it", () => {
  const given = givenGroup({ idle: true });
  given.group.followWall(given.clock.wallMs());
  given.group.campaign();
  while (given.group.dirty) {
    given.propose(openBucketOf("demo"));
    given.turn();
  }
  const entries = given.log.lines.filter((line) => /^(noop|command)/.test(line));
  assert.deepEqual(entries.slice(0, 2), ["noop 1", "command 2"]);
  assert.equal(given.log.lines[0], "term 1 vote me");
});

Deno.test("tick() expires a stream past its deadline, whatever the wall clock says", async () => {
  const given = withStream({ ttlSeconds: 10 });
  const { clock, group } = given;
  clock.wallOffsetMs += 3_600_000;
  group.tick();
  assert.equal(group.dirty, false, "a wall clock that jumps expires nothing");
  await clock.run(10_900);
  group.tick();
  assert.equal(group.dirty, false, "the coarse interval belongs to the deadline");
  await clock.run(200);
  const commands = given.log.entries.length;
  group.tick();
  group.tick();
  given.turn();
  assert.equal(given.log.entries.length, commands + 1, "one command for two ticks");
  assert.match(textIn(given), /stream_not_found/);
});

Deno.test("tick() holds a deadline off when somebody has read or watches", async () => {
  const given = withStream({ ttlSeconds: 10 });
  const { clock, group, incarnation } = given;
  await clock.run(5_000);
  group.read({ key: KEY, from: "now", maxBytes: 0, touch: false });
  assert.equal(touched(given), 0, "HEAD touches nothing");
  group.read({ key: KEY, from: "now", maxBytes: 0, touch: true });
  assert.equal(touched(given), 1);
  group.read({ key: KEY, from: "now", maxBytes: 0, touch: true });
  assert.equal(touched(given), 0, "touches are coarse");
  const watcher = () => {};
  group.watch(KEY, incarnation, watcher);
  for (let second = 0; second < 30; second++) {
    await clock.run(1_000);
    touched(given);
  }
  assert.equal(textIn(given), "", "it is still there");
  group.unwatch(KEY, watcher);
  await clock.run(12_000);
  group.tick();
  given.turn();
  assert.match(textIn(given), /stream_not_found/);
});

Deno.test("watch() tells every byte once, in order, and then that the stream closed", () => {
  const given = withStream();
  given.propose(appendOf(KEY, "before"));
  given.turn();
  const events: LiveEvent[] = [];
  const watcher = (event: LiveEvent) => events.push(event);
  const facts = now(given.group.watch(KEY, given.incarnation, watcher));
  assert.equal(facts?.tail, 6);
  given.propose(appendOf(KEY, "one"));
  given.propose(appendOf(KEY, "two"));
  given.turn();
  given.propose(appendOf(KEY, "end", { closed: true }));
  given.turn();
  assert.deepEqual(
    events.map(({ from, to, slices, closed, ended }) => [
      from,
      to,
      slices && textOf(joinSlices(slices)),
      closed,
      ended,
    ]),
    [[6, 12, "onetwo", false, false], [12, 15, "end", true, false]],
  );
  given.group.unwatch(KEY, watcher);
});

Deno.test("watch() answers undefined when the incarnation is not there", () => {
  const given = withStream();
  assert.equal(given.group.watch(KEY, "another", () => assert.fail()), undefined);
  given.propose(appendOf(KEY, "x"));
  given.turn();
});

Deno.test("close() answers outcome_unknown to whoever waits, once, and ends watches", () => {
  const given = withStream();
  const events: LiveEvent[] = [];
  given.group.watch(KEY, given.incarnation, (event) => events.push(event));
  const answers = given.propose(appendOf(KEY, "one"));
  const readies = given.group.absorb();
  given.group.close();
  assert.deepEqual(answers, [{ unavailable: "outcome_unknown" }]);
  assert.deepEqual(events.map(({ ended }) => ended), [true]);
  given.group.complete(readies);
  assert.equal(answers.length, 1);
});

Deno.test("a follower asks for a turn when it only has to apply, or to answer reads", async () => {
  const given = givenGroup({ idle: true, voters: ["me", "leader"] });
  const { group } = given;
  const told = { from: "leader", to: "me", term: 1 } as const;
  const step = (message: RaftMessage) => group.step(message, given.clock.monotonicMs());
  const entry = { index: 1, term: 1, kind: "noop" } as const;
  step({ ...told, type: "append", prevIndex: 0, prevTerm: 0, entries: [entry], commit: 0 });
  given.turn();
  assert.equal(group.status().appliedIndex, 0);
  step({ ...told, type: "commit", commit: 1 });
  assert.equal(group.dirty, true, "there is something to apply");
  given.turn();
  assert.equal(group.status().appliedIndex, 1);

  const reading = group.read({ key: KEY, from: "start", maxBytes: 1000, touch: false });
  given.turn();
  const question = given.sent.find(({ type }) => type === "read_index");
  assert.ok(question?.type === "read_index");
  step({ ...told, type: "read_index_response", id: question.id, index: 1 });
  assert.equal(group.dirty, true, "there is a read to answer");
  given.turn();
  assert.deepEqual(await reading, { refused: "stream_not_found" });
  assert.equal(group.dirty, false, "and nothing more");
});

Deno.test("a follower is ready once it has caught up, and votes", async () => {
  const given = givenGroup({ idle: true, voters: ["me", "leader"] });
  const { group, clock } = given;
  const step = (message: Omit<HeartbeatMessage, "from" | "to" | "term">) =>
    group.step({ from: "leader", to: "me", term: 1, ...message }, clock.monotonicMs());
  const heartbeat = { type: "heartbeat", round: 1, sentMs: 0, commit: 0 } as const;
  step(heartbeat);
  group.tick();
  given.turn();
  const question = given.sent.find(({ type }) => type === "read_index");
  assert.ok(question?.type === "read_index");
  group.step(
    { from: "leader", to: "me", term: 1, type: "read_index_response", id: question.id, index: 0 },
    clock.monotonicMs(),
  );
  given.turn();
  assert.equal(group.ready, false, "caught up, but without a vote");
  await clock.run(RAFT_TIMING.electionTimeoutMs);
  step(heartbeat);
  assert.equal(group.ready, true);
});

Deno.test("close() makes a group deaf to other nodes, which speak to it a while longer", () => {
  const { group, clock, log } = givenGroup({ idle: true, voters: ["me", "leader"] });
  group.close();
  const entry = { index: 1, term: 1, kind: "noop" } as const;
  const told = { from: "leader", to: "me", term: 1, prevIndex: 0, prevTerm: 0, commit: 0 } as const;
  group.step({ ...told, type: "append", entries: [entry] }, clock.monotonicMs());
  assert.equal(group.dirty, false);
  assert.deepEqual(group.absorb(), []);
  assert.deepEqual(log.lines, []);
});

Deno.test("a group goes on from what the journal found", async () => {
  const first = withStream();
  first.propose(appendOf(KEY, "kept"));
  first.turn();
  await first.clock.run(1_000);
  const stamp = first.group.nowMs;
  first.propose(appendOf(KEY, "!"));
  first.turn();
  const stored = {
    term: 1,
    votedFor: "me",
    snapshotIndex: 0,
    snapshotTerm: 0,
    entries: first.log.entries,
  };
  const { group } = givenGroup({ stored, idle: true });
  assert.ok(group.nowMs >= stamp, "time goes on from the last stamp");
  const second = givenGroup({ stored });
  assert.equal(textIn(second), "kept!");
  assert.equal(second.group.state.stateHash(), first.group.state.stateHash());
  assert.equal(second.group.logBytes, first.group.logBytes);
  assert.equal(second.log.lines[0], "term 2 vote me");
});

Deno.test("snapshot() stands for what is applied, and compact() for what it covers", () => {
  const given = withStream();
  const { group } = given;
  const before = group.logBytes;
  given.propose(appendOf(KEY, "more"));
  const waiting = group.absorb();
  const { mark } = group.snapshot();
  assert.equal(mark.index, given.log.entries.length - 1);
  assert.deepEqual(mark.membership.voters, ["me"]);
  group.compact(mark, before);
  group.complete(waiting);
  assert.ok(group.logBytes > 0 && group.logBytes < before);
  assert.equal(textIn(given), "more");
});
