import assert from "node:assert/strict";
import { groupOf } from "../shard/mod.ts";
import { appendOf, createOf } from "../tests/given/commands.ts";
import { LossyAccess, surveyed } from "../tests/given/access.ts";
import { givenShard, keyIn } from "../tests/given/shard.ts";
import type { Command } from "../stream/mod.ts";
import { Buckets } from "./buckets.ts";
import { pause } from "../io/mod.ts";

const GROUPS = 3;
const HOME = groupOf("demo", GROUPS);

async function given() {
  const { clock, shard } = await givenShard({ groupCount: GROUPS });
  const access = new LossyAccess(shard, clock);
  const buckets = new Buckets(access, clock);
  const ids = [0, 1, 2];
  const phases = () =>
    ids.map((group) =>
      surveyed<"bucket">(shard, group, { about: "bucket", bucket: "demo" }).view?.phase
    );
  const intents = () =>
    ids.flatMap((group) => surveyed<"errands">(shard, group, { about: "errands" }).intents);
  /** What the sweep does with what is left half-way. */
  const finish = async () => {
    for (const { bucket, intent } of intents()) {
      assert.ok(intent !== undefined);
      await clock.until(buckets.finish(bucket, intent.action, intent.version));
    }
  };
  const create = () => clock.until(buckets.create("demo"));
  const remove = () => clock.until(buckets.delete("demo"));
  const stream = keyIn(2, GROUPS, "demo/s");
  const put = () => clock.until(shard.submit(2, createOf(stream)));
  const drop = () => clock.until(shard.submit(2, { type: "delete", key: stream }));
  return { clock, shard, access, buckets, phases, intents, finish, create, remove, put, drop };
}

const OPEN = ["open", "open", "open"];
const GONE = [undefined, undefined, undefined];

Deno.test("create() opens a bucket in every group, and says when it was there", async () => {
  const { create, phases, intents, put } = await given();
  assert.deepEqual(await create(), { ok: "created" });
  assert.deepEqual(phases(), OPEN);
  assert.deepEqual(intents(), []);
  assert.ok("ok" in await put());
  assert.deepEqual(await create(), { ok: "existed" });
});

Deno.test("delete() refuses when a stream is there, and the bucket stays as it was", async () => {
  const { create, remove, phases, intents, put, drop } = await given();
  await create();
  await put();
  assert.deepEqual(await remove(), { refused: "bucket_not_empty" });
  assert.deepEqual(phases(), OPEN);
  assert.deepEqual(intents(), []);
  await drop();
  assert.ok("ok" in await put());
  await drop();
  assert.deepEqual(await remove(), { ok: "deleted" });
  assert.deepEqual(phases(), GONE);
  assert.deepEqual(await put(), { refused: "bucket_not_found" });
});

Deno.test("delete() says when there is no bucket, and a bucket can be made anew", async () => {
  const { create, remove, phases } = await given();
  assert.deepEqual(await remove(), { refused: "bucket_not_found" });
  for (let life = 0; life < 3; life++) {
    assert.deepEqual(await create(), { ok: "created" });
    assert.deepEqual(phases(), OPEN);
    assert.deepEqual(await remove(), { ok: "deleted" });
    assert.deepEqual(phases(), GONE);
  }
});

Deno.test("requests for the same bucket at the same time wait for each other", async () => {
  const { clock, buckets, phases, intents } = await given();
  const answers = await clock.until(Promise.all([
    buckets.create("demo"),
    buckets.create("demo"),
    buckets.delete("demo"),
    buckets.create("demo"),
  ]));
  for (const answer of answers) {
    assert.ok("ok" in answer || ("refused" in answer && answer.refused === "bucket_not_found"));
  }
  assert.deepEqual(intents(), []);
  const there = phases();
  assert.ok(there.every((phase) => phase === there[0]), `${there}`);
});

Deno.test("a stream is created before the bucket closes, or not at all", async () => {
  for (let delay = 0; delay < 6; delay++) {
    const { clock, shard, buckets, create, phases } = await given();
    await create();
    const removed = buckets.delete("demo");
    await clock.run(delay / 10);
    const key = keyIn(1, GROUPS, "demo/s");
    const made = shard.submit(1, createOf(key));
    const [answer, stream] = await clock.until(Promise.all([removed, made]));
    if ("ok" in stream) {
      assert.deepEqual(answer, { refused: "bucket_not_empty" });
      assert.ok("ok" in await clock.until(shard.submit(1, appendOf(key, "x"))));
    } else {
      assert.deepEqual(answer, { ok: "deleted" });
      assert.deepEqual(phases(), GONE);
    }
  }
});

Deno.test("whoever waits for an intent that nobody finishes is told so in the end", async () => {
  const { clock, access, buckets, create, finish, phases } = await given();
  access.loses = (_group, { type }) => type === "settle_bucket";
  buckets.create("demo");
  await clock.run(100);
  const before = clock.monotonicMs();
  assert.deepEqual(await create(), { refused: "bucket_busy" });
  assert.ok(clock.monotonicMs() - before >= 5_000);
  access.loses = () => false;
  await finish();
  assert.deepEqual(phases(), OPEN);
  assert.deepEqual(await create(), { ok: "existed" });
});

/** Cuts a request off at each of its steps, and has somebody else finish it. */
async function cutAtEachStep(
  prepare: (stage: Awaited<ReturnType<typeof given>>) => Promise<void>,
  begin: (buckets: Buckets) => Promise<unknown>,
  check: (stage: Awaited<ReturnType<typeof given>>, step: number) => Promise<void>,
  meanwhile: (stage: Awaited<ReturnType<typeof given>>) => Promise<unknown> = async () => {},
): Promise<void> {
  for (let step = 0;; step++) {
    const stage = await given();
    await prepare(stage);
    let left = step;
    let lost = false;
    stage.access.loses = () => {
      if (left > 0) left--;
      else lost = true;
      return lost;
    };
    begin(stage.buckets);
    await stage.clock.run(100);
    stage.access.loses = () => false;
    await meanwhile(stage);
    await stage.finish();
    await stage.finish();
    assert.deepEqual(stage.intents(), [], `step ${step}`);
    await check(stage, step);
    if (!lost) return assert.ok(step > 2);
  }
}

Deno.test("create() is finished by anybody when it was cut off at any step", async () => {
  await cutAtEachStep(
    async () => {},
    (buckets) => buckets.create("demo"),
    async ({ create, phases }, step) => {
      if (step > 0) assert.deepEqual(phases(), OPEN, `step ${step}`);
      await create();
      assert.deepEqual(phases(), OPEN);
    },
  );
});

Deno.test("delete() is finished by anybody when it was cut off at any step", async () => {
  await cutAtEachStep(
    async ({ create }) => void await create(),
    (buckets) => buckets.delete("demo"),
    async ({ create, phases }, step) => {
      assert.deepEqual(phases(), step === 0 ? OPEN : GONE, `step ${step}`);
      await create();
      assert.deepEqual(phases(), OPEN);
    },
  );
});

Deno.test("a delete that met a stream is taken back by anybody, cut off at any step", async () => {
  await cutAtEachStep(
    async ({ create, put }) => {
      await create();
      await put();
    },
    (buckets) => buckets.delete("demo"),
    async ({ create, remove, phases, drop }, step) => {
      assert.deepEqual(phases(), OPEN, `step ${step}`);
      assert.deepEqual(await create(), { ok: "existed" });
      await drop();
      assert.deepEqual(await remove(), { ok: "deleted" });
    },
  );
});

Deno.test("a delete that met a stream ends the same everywhere when that stream goes meanwhile", async () => {
  await cutAtEachStep(
    async ({ create, put }) => {
      await create();
      await put();
    },
    (buckets) => buckets.delete("demo"),
    async ({ create, phases }, step) => {
      const [first] = phases();
      assert.deepEqual(phases(), [first, first, first], `step ${step}`);
      await create();
      assert.deepEqual(phases(), OPEN);
    },
    ({ drop }) => drop(),
  );
});

Deno.test("finish() answers for an intent that somebody else finished meanwhile", async () => {
  const { clock, shard, buckets, create, remove, put, drop, phases } = await given();
  const finish = (action: "create" | "delete", version: number) =>
    clock.until(buckets.finish("demo", action, version));
  const versionOf = async (action: "create" | "delete") => {
    const command: Command = { type: "intend_bucket", bucket: "demo", action };
    const answer = await clock.until(shard.submit(HOME, command));
    assert.ok("ok" in answer && answer.ok === "bucket");
    return answer.version;
  };
  const first = await versionOf("create");
  assert.deepEqual(await finish("create", first), { ok: "created" });
  assert.deepEqual(await finish("create", first), { ok: "created" });
  await put();
  const second = await versionOf("delete");
  assert.deepEqual(await finish("delete", second), { refused: "bucket_not_empty" });
  assert.deepEqual(await finish("delete", second), { refused: "bucket_not_empty" });
  await drop();
  const third = await versionOf("delete");
  assert.deepEqual(await finish("delete", third), { ok: "deleted" });
  await create();
  await put();
  assert.deepEqual(await finish("delete", third), { unavailable: "outcome_unknown" });
  await drop();
  assert.deepEqual(phases(), OPEN, "what came later stands");
  assert.deepEqual(await remove(), { ok: "deleted" });
});

Deno.test("two who finish a delete while its last stream ends agree, whatever their order", async () => {
  const seen = new Set<string>();
  for (let at = 0; at < 40; at++) {
    const { clock, shard, access, buckets, create, put, phases, intents, finish } = await given();
    const stream = keyIn(2, GROUPS, "demo/s");
    await create();
    await put();
    // Each command takes its own time, so that all steps of all three meet in many orders.
    let count = at * 7;
    access.delayMs = () => (count = (count * 31 + 17) % 101) % 13;
    const intend: Command = { type: "intend_bucket", bucket: "demo", action: "delete" };
    const intent = await clock.until(shard.submit(HOME, intend));
    assert.ok("ok" in intent && intent.ok === "bucket");
    const ends = (async () => {
      await pause(clock, at % 14);
      await shard.submit(2, { type: "delete", key: stream });
    })();
    const finishing = () => buckets.finish("demo", "delete", intent.version);
    const [one, other] = await clock.until(Promise.all([finishing(), finishing(), ends]));
    assert.deepEqual(one, other, `run ${at}`);
    await finish();
    assert.deepEqual(intents(), []);
    seen.add(JSON.stringify(one));
    assert.deepEqual(phases(), "ok" in one ? GONE : OPEN, `run ${at}: ${JSON.stringify(one)}`);
  }
  assert.equal(seen.size, 2, "both ends were met");
});

Deno.test("a step that nobody answered is taken again, and once is as good as twice", async () => {
  for (const type of ["set_bucket", "settle_bucket"] as const) {
    const { access, create, remove, phases, intents } = await given();
    let lost = 0;
    access.forgets = (_group, command) => command.type === type && lost++ < 5;
    assert.deepEqual(await create(), { ok: "created" });
    assert.deepEqual(phases(), OPEN);
    lost = 0;
    assert.deepEqual(await remove(), { ok: "deleted" });
    assert.deepEqual(phases(), GONE);
    assert.deepEqual(intents(), []);
    assert.ok(lost > 5);
  }
});

Deno.test("an intent that nobody answered is not sent again, and is finished by the sweep", async () => {
  const { access, create, phases, finish } = await given();
  access.forgets = (_group, { type }) => type === "intend_bucket";
  assert.deepEqual(await create(), { unavailable: "outcome_unknown" });
  assert.deepEqual(access.sent, [`${HOME} intend_bucket`]);
  access.forgets = () => false;
  await finish();
  assert.deepEqual(phases(), OPEN);
});

Deno.test("an outcome is unknown once a group without a leader stands in the way", async () => {
  const { access, create, remove, finish, phases } = await given();
  access.refuses = (_group, { type }) => type === "set_bucket";
  assert.deepEqual(await create(), { unavailable: "outcome_unknown" });
  access.refuses = () => false;
  await finish();
  assert.deepEqual(phases(), OPEN);
  access.refuses = (_group, { type }) => type === "settle_bucket";
  assert.deepEqual(await remove(), { unavailable: "outcome_unknown" });
  access.refuses = () => false;
  await finish();
  assert.deepEqual(phases(), GONE);
});
