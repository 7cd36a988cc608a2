import assert from "node:assert/strict";
import { type Answer, joinSlices } from "../group/mod.ts";
import { LossyAccess, surveyed } from "../tests/given/access.ts";
import { appendOf, createOf, textOf } from "../tests/given/commands.ts";
import { givenShard, keyIn } from "../tests/given/shard.ts";
import type { CreateStream } from "../stream/mod.ts";
import { Buckets } from "./buckets.ts";
import { Forks } from "./forks.ts";
import { Streams } from "./streams.ts";

const GROUPS = 3;
/** The source lives in group 0; forks of it have their paths in 1 and 2, and one in 0. */
const SOURCE = keyIn(0, GROUPS, "demo/source");
const FORK = keyIn(1, GROUPS, "demo/fork");
const CHILD = keyIn(2, GROUPS, "demo/child");
const NEAR = keyIn(0, GROUPS, "demo/near");

async function given() {
  const { clock, shard } = await givenShard({ groupCount: GROUPS });
  const access = new LossyAccess(shard, clock);
  const buckets = new Buckets(access, clock);
  const forks = new Forks(access, clock);
  const streams = new Streams(access, clock, buckets, forks);
  const put = (key: string, source?: string, more: Partial<CreateStream> = {}) => {
    const fork = source === undefined ? undefined : { source, subOffset: 0 };
    return clock.until(streams.create(createOf(key, { fork, ...more }), "refuse"));
  };
  const post = (key: string, text: string) => clock.until(streams.append(appendOf(key, text)));
  const remove = (key: string) => clock.until(streams.delete({ type: "delete", key }));
  const read = async (key: string) => {
    const request = { key, from: "start", maxBytes: 1_000, touch: false } as const;
    const answer = await clock.until(Promise.resolve(streams.read(request)));
    if ("plan" in answer) return textOf(joinSlices(answer.plan.slices));
    return "refused" in answer ? answer.refused : answer.unavailable;
  };
  const errands = () =>
    [0, 1, 2].map((group) => surveyed<"errands">(shard, group, { about: "errands" }));
  /** What the sweep does for forks. */
  const sweep = async () => {
    for (const [group, { reservations, unlinks }] of errands().entries()) {
      for (const reservation of reservations) await clock.until(forks.resolve(reservation));
      if (unlinks.length > 0) await clock.until(forks.runErrands(group, unlinks));
    }
  };
  await clock.until(buckets.create("demo"));
  assert.equal(said(await put(SOURCE)), "created");
  assert.equal(said(await post(SOURCE, "base.")), "appended");
  return { clock, shard, access, forks, streams, put, post, remove, read, errands, sweep };
}

function said(answer: Answer): string {
  if ("ok" in answer) return answer.ok;
  return "refused" in answer ? answer.refused : answer.unavailable;
}

Deno.test("a fork lives with its source, and its own path leads to it", async () => {
  const { clock, put, post, read, remove, forks, streams } = await given();
  assert.equal(said(await put(FORK, SOURCE)), "created");
  assert.equal(said(await put(FORK, SOURCE)), "existed");
  assert.equal(said(await put(FORK)), "stream_exists");
  assert.equal(said(await post(FORK, "mine")), "appended");
  assert.equal(said(await post(SOURCE, "theirs")), "appended");
  assert.deepEqual([await read(FORK), await read(SOURCE)], ["base.mine", "base.theirs"]);
  assert.equal(await clock.until(forks.whereabouts(FORK)), 0);
  const found = await clock.until(
    Promise.resolve(streams.read({ key: FORK, from: "now", maxBytes: 0, touch: false })),
  );
  assert.ok("plan" in found);
  const feed = await clock.until(
    Promise.resolve(streams.watch(FORK, found.plan.facts.incarnation)),
  );
  assert.equal(feed?.position, 9);
  assert.equal(await clock.until(Promise.resolve(streams.watch(FORK, "another"))), undefined);
  assert.equal(said(await remove(FORK)), "deleted");
  assert.equal(await read(FORK), "stream_not_found");
  assert.equal(await clock.until(forks.whereabouts(FORK)), undefined);
});

Deno.test("a fork of a fork lives with both, and a fork in its home group needs no link", async () => {
  const { clock, access, put, read, forks } = await given();
  await put(FORK, SOURCE);
  assert.equal(said(await put(CHILD, FORK)), "created");
  assert.equal(await clock.until(forks.whereabouts(CHILD)), 0);
  access.sent.length = 0;
  assert.equal(said(await put(NEAR, CHILD)), "created");
  assert.deepEqual(access.sent, ["0 create"]);
  assert.equal(await read(NEAR), "base.");
});

Deno.test("a fork whose source is missing leaves its path free", async () => {
  const { access, put, read, errands } = await given();
  assert.equal(said(await put(FORK, keyIn(2, GROUPS, "demo/none"))), "fork_source_not_found");
  assert.equal(access.sent.at(-1), "1 unlink");
  assert.equal(await read(FORK), "stream_not_found");
  assert.deepEqual(errands().flatMap(({ reservations }) => reservations), []);
  assert.equal(said(await put(FORK)), "created");
});

Deno.test("a fork's path that is taken stays what it is", async () => {
  const { put, post, read } = await given();
  await put(FORK);
  await post(FORK, "plain");
  assert.equal(said(await put(FORK, SOURCE)), "stream_exists");
  assert.equal(await read(FORK), "plain");
});

Deno.test("requests for one path at the same time make one fork", async () => {
  const { clock, streams, read, errands } = await given();
  const fork = () =>
    streams.create(
      createOf(FORK, { fork: { source: SOURCE, subOffset: 0 } }),
      "refuse",
    );
  const answers = await clock.until(Promise.all([fork(), fork(), fork()]));
  assert.deepEqual(answers.map(said).sort(), ["created", "existed", "existed"]);
  assert.equal(await read(FORK), "base.");
  assert.deepEqual(errands().flatMap(({ reservations }) => reservations), []);
});

Deno.test("a fork whose path another one took meanwhile finds that one there", async () => {
  const near = keyIn(1, GROUPS, "demo/near-the-path");
  const far = keyIn(2, GROUPS, "demo/far");
  for (const source of [near, far]) {
    const { clock, access, streams, put, remove } = await given();
    await put(source);
    // What stands at the path is decided where it stands, whatever the source.
    if (source === far) await put(FORK);
    const isLate = (fork: CreateStream["fork"]) => fork?.source === source;
    access.delayMs = (_, command) => command.type === "create" && isLate(command.fork) ? 100 : 0;
    const late = streams.create(
      createOf(FORK, { fork: { source, subOffset: 0 } }),
      "refuse",
    );
    await clock.run(50);
    if (source === far) assert.equal(said(await remove(FORK)), "deleted");
    assert.equal(said(await put(FORK, SOURCE)), "created");
    assert.equal(said(await clock.until(late)), "stream_exists", source);
  }
});

Deno.test("a fork that was cut off at any step is there or not, and its path comes free", async () => {
  const seen = new Set<string>();
  for (let step = 0; step < 4; step++) {
    const stage = await given();
    const { clock, access, streams, put, post, read, sweep, errands } = stage;
    let left = step;
    access.loses = () => left-- <= 0;
    streams.create(createOf(FORK, { fork: { source: SOURCE, subOffset: 0 } }), "refuse");
    await clock.run(100);
    access.loses = () => false;
    assert.equal(await read(FORK), step < 3 ? "stream_not_found" : "base.", `step ${step}`);
    if (step === 1 || step === 2) {
      assert.equal(said(await put(FORK)), "path_reserved", "nobody else may have it yet");
    }
    await sweep();
    await clock.run(11_000);
    await sweep();
    const is = await read(FORK);
    seen.add(is);
    assert.equal(is, step < 2 ? "stream_not_found" : "base.", `step ${step}`);
    assert.deepEqual(errands().map(({ reservations }) => reservations.length), [0, 0, 0]);
    if (step < 2) assert.equal(said(await put(FORK)), "created");
    assert.equal(said(await post(FORK, "!")), "appended");
  }
  assert.equal(seen.size, 2);
});

Deno.test("a create that comes after its reservation was given up makes nothing", async () => {
  const { clock, shard, access, streams, sweep, read, put } = await given();
  let late: (() => void) | undefined;
  access.loses = (group, command) => {
    if (command.type !== "create" || command.reservation === undefined || late) return false;
    late = () => shard.propose(group, command, () => {});
    return true;
  };
  streams.create(createOf(FORK, { fork: { source: SOURCE, subOffset: 0 } }), "refuse");
  await clock.run(11_000);
  await sweep();
  assert.equal(said(await put(FORK)), "created");
  late?.();
  await clock.run(100);
  assert.equal(await read(FORK), "");
  const facts = await shard.facts(0);
  assert.equal(facts.streams, 1, "the source alone");
});

Deno.test("deleting a fork frees its path, cut off at any step", async () => {
  for (let step = 0; step < 4; step++) {
    const { clock, access, streams, put, read, sweep, errands } = await given();
    await put(FORK, SOURCE);
    let left = step;
    access.loses = () => left-- <= 0;
    streams.delete({ type: "delete", key: FORK });
    await clock.run(100);
    access.loses = () => false;
    assert.equal(await read(FORK), step < 2 ? "base." : "stream_not_found", `step ${step}`);
    if (step < 2) continue;
    if (step === 2) assert.equal(said(await put(FORK, SOURCE)), "created", "nobody need wait");
    await sweep();
    assert.deepEqual(errands().map(({ unlinks }) => unlinks.length), [0, 0, 0]);
    assert.equal(await read(FORK), step === 2 ? "base." : "stream_not_found");
  }
});

Deno.test("the end of a chain of forks frees all their paths", async () => {
  const { put, read, remove, errands } = await given();
  await put(FORK, SOURCE);
  await put(CHILD, FORK);
  assert.equal(said(await remove(FORK)), "deleted");
  assert.equal(await read(FORK), "stream_gone", "its own fork keeps it");
  assert.equal(said(await put(FORK)), "stream_exists");
  assert.equal(await read(CHILD), "base.");
  assert.equal(said(await remove(CHILD)), "deleted");
  assert.deepEqual(errands().map(({ unlinks }) => unlinks.length), [0, 0, 0]);
  assert.equal(said(await put(FORK)), "created");
  assert.equal(said(await put(CHILD)), "created");
  assert.deepEqual([await read(FORK), await read(CHILD)], ["", ""]);
});

Deno.test("a path reserved for a fork is not found, and takes nothing", async () => {
  const { clock, access, streams, read, post, remove } = await given();
  access.loses = (_group, { type }) => type === "create";
  streams.create(createOf(FORK, { fork: { source: SOURCE, subOffset: 0 } }), "refuse");
  await clock.run(100);
  access.loses = () => false;
  assert.equal(await read(FORK), "stream_not_found");
  assert.equal(said(await post(FORK, "x")), "stream_not_found");
  assert.equal(said(await remove(FORK)), "stream_not_found");
});

Deno.test("resolve() waits for the time in the log of the fork's own group", async () => {
  const { clock, shard, access, forks } = await given();
  const { nowMs } = surveyed<"time">(shard, 0, { about: "time" });
  const reservation = { key: FORK, target: 0, token: 9, deadlineMs: nowMs, linked: false };
  access.sent.length = 0;
  await clock.until(forks.resolve(reservation));
  assert.deepEqual(access.sent, ["0 create"]);
  await clock.run(1);
  await clock.until(forks.resolve(reservation));
  assert.deepEqual(access.sent, ["0 create", "0 create", "1 unlink"]);
});

Deno.test("a step that nobody answered is taken again, or looked up, and makes one fork", async () => {
  for (const type of ["create", "link"] as const) {
    const { access, put, post, read, errands } = await given();
    let lost = 0;
    access.forgets = (_group, command) => command.type === type && lost++ === 0;
    assert.equal(said(await put(FORK, SOURCE)), "created", type);
    assert.equal(said(await post(FORK, "!")), "appended");
    assert.equal(await read(FORK), "base.!");
    assert.equal(access.sent.filter((sent) => sent.endsWith("create")).length, 2, "one each");
    assert.deepEqual(errands().flatMap(({ reservations }) => reservations), []);
  }
});

Deno.test("a reservation that nobody answered lapses, and no fork comes of it", async () => {
  const { clock, access, put, read, sweep } = await given();
  let lost = 0;
  access.forgets = (_group, { type }) => type === "reserve" && lost++ === 0;
  assert.equal(said(await put(FORK, SOURCE)), "path_reserved");
  assert.equal(await read(FORK), "stream_not_found");
  await clock.run(11_000);
  await sweep();
  assert.equal(said(await put(FORK, SOURCE)), "created");
});

Deno.test("a fork whose create surely failed leaves its path free; one that is in doubt does not", async () => {
  const { clock, access, put, read, sweep } = await given();
  access.refuses = (_group, command) => command.type === "create" && command.key === FORK;
  assert.equal(said(await put(FORK, SOURCE)), "no_leader");
  access.refuses = () => false;
  assert.equal(said(await put(FORK, SOURCE)), "created");
  access.refuses = (_group, { type }) => type === "link";
  assert.equal(said(await put(CHILD, SOURCE)), "outcome_unknown");
  access.refuses = () => false;
  assert.equal(await read(CHILD), "stream_not_found", "not before it is linked");
  await clock.run(11_000);
  await sweep();
  assert.equal(await read(CHILD), "base.");
});

Deno.test("a fork is refused for want of a leader, not of its source", async () => {
  const { put, access, shard } = await given();
  access.read = (group, request) =>
    request.key === SOURCE ? { unavailable: "no_leader" } : shard.read(group, request);
  assert.equal(said(await put(FORK, SOURCE)), "no_leader");
});

Deno.test("resolve() twice at once is as good as once", async () => {
  const { clock, access, forks, put, read, errands } = await given();
  access.refuses = (_group, { type }) => type === "link";
  await put(FORK, SOURCE);
  access.refuses = () => false;
  await clock.run(11_000);
  const [reservation] = errands().flatMap(({ reservations }) => reservations);
  assert.ok(reservation !== undefined);
  access.delayMs = () => access.sent.length % 7;
  await clock.until(Promise.all([forks.resolve(reservation), forks.resolve(reservation)]));
  await clock.until(forks.resolve(reservation));
  assert.equal(await read(FORK), "base.");
});
