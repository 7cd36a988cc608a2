import assert from "node:assert/strict";
import type { Group } from "../group/mod.ts";
import { appendOf, createOf, openBucketOf } from "../tests/given/commands.ts";
import { NotedLog } from "../tests/given/group.ts";
import { givenShard } from "../tests/given/shard.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { Lane } from "./lane.ts";

/** A log whose flushes end when the test says so. */
class HeldLog extends NotedLog {
  readonly flushes: PromiseWithResolvers<void>[] = [];

  constructor(readonly said: string[]) {
    super();
  }

  override flush(): undefined {
    const flush = Promise.withResolvers<void>();
    this.flushes.push(flush);
    this.said.push(`flush ${this.flushes.length}`);
    // Typed for a log that needs no waiting; this one needs it.
    return flush.promise as unknown as undefined;
  }
}

/** A lane with groups that say what is done to them. */
function given(
  options: {
    readonly log?: NotedLog;
    readonly names?: string[];
    readonly crowding?: { gapMs: number };
  } = {},
) {
  const said: string[] = [];
  const clock = new SimClock();
  const log = options.log ?? new HeldLog(said);
  const fatal: Error[] = [];
  const dirty: Record<string, () => void> = {};
  let nowMs: () => number = () => -1;
  const lane = new Lane({
    log,
    clock,
    crowding: options.crowding,
    onFatal: (reason) => fatal.push(reason),
    onTurn: (groups) => said.push(`turn of ${groups.length}`),
    groups: ({ onDirty, turnNowMs }) => {
      nowMs = turnNowMs;
      return (options.names ?? ["a", "b"]).map((name) => {
        let work = 0;
        const group = {
          absorb() {
            said.push(`absorb ${name}`);
            return work === 0 ? [] : [work--];
          },
          advance() {},
          complete: (readies: unknown[]) => said.push(`complete ${name} ${readies}`),
        } as unknown as Group; // what a lane calls of a group
        dirty[name] = () => {
          work++;
          onDirty(group);
        };
        return group;
      });
    },
  });
  const flushes = (log as HeldLog).flushes;
  return { said, clock, lane, fatal, dirty, flushes, nowMs: () => nowMs() };
}

/** What was said since the last call. */
function taken(said: string[]): string[] {
  return said.splice(0);
}

Deno.test("a turn absorbs all dirty groups, flushes once, and completes them in order", async () => {
  const { said, clock, dirty, flushes } = given();
  dirty.b?.();
  dirty.a?.();
  assert.deepEqual(said, [], "nothing before the end of the event loop's turn");
  await clock.run(1);
  assert.deepEqual(taken(said), ["absorb b", "absorb a", "flush 1"]);
  await clock.run(100);
  assert.deepEqual(said, [], "nothing before the flush is over");
  flushes[0]?.resolve();
  await clock.run(1);
  assert.deepEqual(taken(said), ["complete b 1", "complete a 1", "turn of 2"]);
});

Deno.test("two batches may be in flight; a third is collected, and waits for the first one's end", async () => {
  const { said, clock, dirty, flushes } = given();
  dirty.a?.();
  await clock.run(1);
  dirty.b?.();
  await clock.run(1);
  assert.deepEqual(taken(said), ["absorb a", "flush 1", "absorb b", "flush 2"]);
  dirty.a?.();
  dirty.b?.();
  await clock.run(1);
  assert.deepEqual(taken(said), ["absorb a", "absorb b"]);
  flushes[0]?.resolve();
  await clock.run(1);
  assert.deepEqual(taken(said), ["complete a 1", "turn of 1", "flush 3"]);
  flushes[1]?.resolve();
  flushes[2]?.resolve();
  await clock.run(1);
  assert.deepEqual(taken(said), [
    "complete b 1",
    "turn of 1",
    "complete a 1",
    "complete b 1",
    "turn of 2",
  ]);
});

Deno.test("on a crowded core a batch waits until the last write is long enough ago", async () => {
  const crowding = { gapMs: 8 };
  const { said, clock, lane, dirty, flushes } = given({ crowding });
  dirty.a?.();
  await clock.run(1);
  flushes[0]?.resolve();
  await clock.run(1);
  assert.deepEqual(taken(said), ["absorb a", "flush 1", "complete a 1", "turn of 1"]);
  dirty.a?.();
  await clock.run(1);
  dirty.b?.();
  lane.nudge();
  await clock.run(4);
  assert.deepEqual(taken(said), ["absorb a", "absorb b"], "what it has to say goes out at once");
  await clock.run(2);
  assert.deepEqual(taken(said), ["flush 2"], "one write for all of it");
  flushes[1]?.resolve();
  await clock.run(1);
  assert.deepEqual(taken(said), ["complete a 1", "complete b 1", "turn of 2"]);
  let drained = false;
  dirty.a?.();
  void lane.drain().then(() => drained = true);
  await clock.run(8);
  assert.equal(drained, false);
  flushes[2]?.resolve();
  await clock.run(1);
  assert.equal(drained, true, "nobody waits for more than the gap");
});

Deno.test("who comes later than the gap waits for nothing", async () => {
  const { said, clock, dirty, flushes } = given({ crowding: { gapMs: 8 } });
  for (let at = 1; at <= 3; at++) {
    dirty.a?.();
    await clock.run(1);
    assert.deepEqual(taken(said), ["absorb a", `flush ${at}`]);
    flushes[at - 1]?.resolve();
    await clock.run(8);
    taken(said);
  }
});

Deno.test("a turn needs no waiting when the log needs none", async () => {
  const { said, clock, dirty } = given({ log: new NotedLog() });
  dirty.a?.();
  await clock.run(1);
  assert.deepEqual(said, ["absorb a", "complete a 1", "turn of 1"]);
});

Deno.test("a flush that fails is fatal once, and nothing is completed any more", async () => {
  for (const nextFails of [true, false]) {
    const { said, clock, lane, fatal, dirty, flushes } = given();
    dirty.a?.();
    await clock.run(1);
    dirty.b?.();
    await clock.run(1);
    const drained = lane.drain();
    flushes[0]?.reject(new Error("the disk is gone"));
    if (nextFails) flushes[1]?.reject(new Error("and so is this"));
    else flushes[1]?.resolve();
    await clock.run(1);
    dirty.a?.();
    lane.nudge();
    await clock.run(1_000);
    assert.deepEqual(taken(said), ["absorb a", "flush 1", "absorb b", "flush 2"]);
    assert.deepEqual(fatal.map(({ message }) => message), ["the disk is gone"]);
    await drained;
    await lane.drain();
  }
});

Deno.test("a flush that throws is fatal, too, whatever it throws", async () => {
  const log = new class extends NotedLog {
    override flush(): undefined {
      throw "no words";
    }
  }();
  const { clock, fatal, dirty, said } = given({ log });
  dirty.a?.();
  await clock.run(1);
  assert.deepEqual(fatal.map(({ message }) => message), ["no words"]);
  assert.deepEqual(said, ["absorb a"]);
});

Deno.test("drain() waits for what is dirty, in flight, or nudged", async () => {
  const { clock, lane, dirty, flushes } = given();
  let drained = 0;
  const drain = () => void lane.drain().then(() => drained++);
  drain();
  await clock.run(1);
  assert.equal(drained, 1, "there is nothing to wait for");
  dirty.a?.();
  drain();
  await clock.run(1);
  dirty.b?.();
  await clock.run(1);
  flushes[0]?.resolve();
  await clock.run(1);
  assert.equal(drained, 1);
  flushes[1]?.resolve();
  await clock.run(1);
  assert.equal(drained, 2);
  lane.nudge();
  drain();
  await clock.run(1);
  assert.equal(drained, 2);
  flushes[2]?.resolve();
  await clock.run(1);
  assert.equal(drained, 3);
});

Deno.test("nudge() flushes without any group, once however often it is called", async () => {
  const { said, clock, lane, flushes } = given();
  lane.nudge();
  lane.nudge();
  await clock.run(1);
  assert.deepEqual(taken(said), ["flush 1"]);
  flushes[0]?.resolve();
  await clock.run(1);
  assert.deepEqual(said, ["turn of 0"]);
});

Deno.test("the clock is read once for all commands of a turn", async () => {
  const { clock, dirty, flushes, nowMs } = given();
  const first = nowMs();
  dirty.a?.();
  assert.equal(nowMs(), first);
  await clock.run(10);
  assert.equal(nowMs(), first + 10);
  dirty.b?.();
  await clock.run(10);
  dirty.a?.();
  flushes[0]?.resolve();
  await clock.run(10);
  assert.equal(nowMs(), first + 30);
});

Deno.test("nobody is told that a write is done when its sync failed", async () => {
  const given = await givenShard({ directory: "/data" });
  const { clock, shard, disk, fatal, open } = given;
  await clock.until(shard.submit(0, openBucketOf("demo")));
  await clock.until(shard.submit(0, createOf("demo/a")));
  disk.failAt("sync", 1);
  const answers: unknown[] = [];
  for (let i = 0; i < 3; i++) shard.propose(0, appendOf("demo/a", "x"), (a) => answers.push(a));
  await clock.run(1_000);
  shard.propose(0, appendOf("demo/a", "x"), (answer) => answers.push(answer));
  await clock.run(1_000);
  assert.deepEqual(answers, []);
  assert.equal(fatal.length, 1);
  open.abandon();
  assert.deepEqual(answers, new Array(4).fill({ unavailable: "outcome_unknown" }));
});
