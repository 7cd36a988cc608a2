import assert from "node:assert/strict";
import { appendOf, createOf, openBucketOf, textOf } from "../tests/given/commands.ts";
import { type GivenGroup, givenGroup } from "../tests/given/group.ts";
import { type Command, copySlices, GroupState, newSlab } from "../stream/mod.ts";
import type { BootstrapAnswer, BootstrapBounds, BootstrapStart } from "./mod.ts";
import { KeptBytes } from "./mod.ts";

const KEY = "demo/a";
/** What `one`, `two` and `three` take when each was appended by itself: bytes, ends and slices. */
const WORDS_FOOTPRINT = 11 + 3 * 4 + 3 * 64;

function given(bounds: Partial<BootstrapBounds> = {}, state?: GroupState) {
  const { kept = new KeptBytes(), ageMsMax = 3_600_000 } = bounds;
  const group = givenGroup({ bootstraps: { kept, ageMsMax }, state });
  for (const command of [openBucketOf("demo"), createOf(KEY)]) done(group, command);
  for (const word of ["one", "two", "three"]) done(group, appendOf(KEY, word));
  return Object.assign(group, { kept });
}

function done(given: GivenGroup, command: Command): void {
  const answers = given.propose(command);
  while (given.group.dirty) given.turn();
  assert.ok(answers[0] !== undefined && "ok" in answers[0], JSON.stringify(answers));
}

function publish(given: GivenGroup, offset: number, number = offset): void {
  const object = { number, term: 1, length: 9 };
  const contentType = "text/x-state";
  done(given, { type: "publish", key: KEY, offset, contentType, object, digest: `${offset}` });
}

function begin(given: GivenGroup, incarnation?: string): BootstrapStart {
  const answer = begun(given, incarnation);
  assert.ok("bootstrap" in answer, JSON.stringify(answer));
  return answer.bootstrap;
}

function begun({ group }: GivenGroup, incarnation?: string): BootstrapAnswer {
  const answer = group.bootstrap({ key: KEY, incarnation, touch: false });
  assert.ok(!(answer instanceof Promise));
  return answer;
}

/** The messages of the rest, each behind a `|`, or why there are none. */
function rest({ group, clock }: GivenGroup, { session }: BootstrapStart): string {
  let text = "";
  while (true) {
    const next = group.bootstraps.next(session, group.state, clock.monotonicMs());
    if ("broken" in next) return next.broken;
    for (const piece of next.plan.pieces) {
      assert.ok("slices" in piece);
      const bytes = textOf(copySlices(piece.slices));
      let at = 0;
      for (const end of piece.ends) {
        text += `${bytes.slice(at, end)}|`;
        at = end;
      }
      text += bytes.slice(at);
    }
    if (next.isLast) return text;
  }
}

function held({ log }: GivenGroup): number {
  const slabs = new Set(log.entries.map(({ payload }) => payload.slab));
  return [...slabs].reduce((sum, { live }) => sum + live, 0);
}

Deno.test("bootstrap() begins at the snapshot and ends where the tail was", () => {
  const group = given();
  assert.deepEqual(begin(group).snapshot, undefined);
  publish(group, 3);
  const start = begin(group);
  const object = { number: 3, term: 1, length: 9 };
  assert.deepEqual(start.snapshot, { offset: 3, contentType: "text/x-state", object });
  assert.deepEqual([start.facts.earliest, start.facts.tail], [3, 11]);
  done(group, appendOf(KEY, "four"));
  assert.equal(rest(group, start), "two|three|");
});

Deno.test("bootstrap() refuses as a read does", () => {
  const group = given();
  const answer = begun(group, "another");
  assert.ok("refused" in answer && answer.refused === "incarnation_mismatch");
  done(group, { type: "delete", key: KEY });
  const gone = begun(group);
  assert.ok("refused" in gone && gone.refused === "stream_not_found");
});

Deno.test("next() goes on with what was promised, whatever is trimmed meanwhile, and holds no longer", () => {
  const group = given();
  const start = begin(group);
  publish(group, 3);
  assert.equal(group.kept.bytes, 3 + 4 + 64);
  publish(group, 6);
  publish(group, 11);
  assert.equal(group.kept.bytes, WORDS_FOOTPRINT);
  assert.equal(group.group.state.hotBytes, 0);
  assert.ok(held(group) > 0);
  assert.equal(rest(group, start), "one|two|three|");
  assert.equal(group.kept.bytes, 0);
  assert.equal(held(group), 0);
});

Deno.test("next() gives large streams in stretches, and parts of messages that are longer", () => {
  const group = given();
  const long = "x".repeat(600_000);
  done(group, appendOf(KEY, long));
  const start = begin(group);
  const { bootstraps, state } = group.group;
  const sizes: number[] = [];
  let next = bootstraps.next(start.session, state, 0);
  while ("plan" in next && !next.isLast) {
    sizes.push(next.plan.to - next.plan.from);
    publish(group, 600_011, 1);
    next = bootstraps.next(start.session, state, 0);
  }
  assert.deepEqual(sizes, [262_144, 262_144]);
  assert.ok("plan" in next && next.plan.to === 600_011);
  const again = begin(given());
  assert.equal(again.facts.tail, 11);
});

Deno.test("next() gives a stretch again that was not admitted, though it is trimmed meanwhile", () => {
  const group = given();
  const start = begin(group);
  const refuse = () =>
    group.group.bootstraps.next(start.session, group.group.state, 0, () => false);
  for (const offset of [3, 11]) {
    const next = refuse();
    assert.ok("plan" in next && next.plan.from === 0);
    publish(group, offset);
  }
  refuse();
  assert.equal(group.kept.bytes, WORDS_FOOTPRINT);
  assert.equal(rest(group, start), "one|two|three|");
  assert.equal(group.kept.bytes, 0);
});

Deno.test("a publish that is refused, or repeated, leaves nothing kept", () => {
  const group = given();
  const start = begin(group);
  const object = { number: 1, term: 1, length: 9 };
  const command = { type: "publish", key: KEY, contentType: "a/b", object, digest: "d" } as const;
  group.propose({ ...command, offset: 4 });
  group.propose({ ...command, offset: 12 });
  group.propose({ ...command, offset: 3, incarnation: "another" });
  group.turn();
  assert.equal(group.kept.bytes, 0);
  publish(group, 6, 2);
  const once = group.kept.bytes;
  publish(group, 6, 2);
  assert.equal(group.kept.bytes, once);
  assert.equal(rest(group, start), "one|two|three|");
  assert.equal(held(group), 5, "`three` is in the stream");
});

Deno.test("the oldest bootstrap is broken off where all keep too much, and keeps nothing", () => {
  const kept = new KeptBytes(2 * WORDS_FOOTPRINT);
  const group = given({ kept });
  const through = begin(group);
  assert.equal(rest(group, through), "one|two|three|");
  const [oldest, second, third] = [begin(group), begin(group), begin(group)];
  publish(group, 11);
  assert.equal(kept.bytes, 2 * WORDS_FOOTPRINT);
  assert.equal(kept.brokenOff, 1);
  assert.match(rest(group, oldest), /trimmed meanwhile/);
  assert.equal(rest(group, second), "one|two|three|");
  group.group.bootstraps.end(third.session);
  assert.equal(kept.bytes, 0);
  assert.equal(held(group), 0);
});

Deno.test("next() ends where the stream was deleted or made anew", () => {
  const group = given();
  const start = begin(group);
  done(group, { type: "delete", key: KEY });
  done(group, createOf(KEY));
  done(group, appendOf(KEY, "one two three"));
  assert.match(rest(group, start), /no longer what it was/);
  group.group.close();
  assert.match(rest(group, start), /has ended/);
});

Deno.test("next() goes on with another state where that has what it needs", async () => {
  const group = given();
  const [early, late] = [begin(group), begin(group)];
  const { bootstraps } = group.group;
  const take = () => bootstraps.next(late.session, group.group.state, 0);
  take();
  publish(group, 6);
  const import_ = () =>
    GroupState.import(group.group.state.export(), {
      group: 0,
      formation: "f0000000",
      allocate: newSlab,
    });
  group.group.state = await import_();
  assert.equal(rest(group, early), "one|two|three|");
  const behind = begin(group);
  const state = group.group.state;
  publish(group, 11);
  group.group.state = state;
  assert.equal(rest(group, behind), "three|");
});

Deno.test("tick() ends who is not heard of, and who takes too long", () => {
  const group = given({ ageMsMax: 100_000 });
  const [silent, slow] = [begin(group), begin(group)];
  const { bootstraps } = group.group;
  const startMs = group.clock.monotonicMs();
  bootstraps.tick(startMs + 59_999);
  bootstraps.renew(slow.session, startMs + 59_999);
  bootstraps.tick(startMs + 60_000);
  assert.match(rest(group, silent), /has ended/);
  assert.deepEqual([...bootstraps.keys()], [KEY]);
  bootstraps.tick(startMs + 100_000);
  assert.deepEqual([...bootstraps.keys()], []);
  assert.match(rest(group, slow), /takes longer/);
});

Deno.test("a bootstrap holds a TTL off, as a live reader does", async () => {
  const group = given();
  done(group, { type: "delete", key: KEY });
  done(group, createOf(KEY, { ttlSeconds: 1 }));
  const start = begin(group);
  await group.clock.run(500);
  group.group.tick();
  assert.deepEqual(group.group.takeTouched(), [[KEY]]);
  group.group.bootstraps.end(start.session);
  await group.clock.run(500);
  group.group.tick();
  assert.deepEqual(group.group.takeTouched(), []);
});
