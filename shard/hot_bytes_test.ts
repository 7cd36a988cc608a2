import assert from "node:assert/strict";
import { appendOf, createOf, openBucketOf } from "../tests/given/commands.ts";
import { givenShard } from "../tests/given/shard.ts";
import { HotBytes } from "./hot_bytes.ts";

const KIB = 1024;

Deno.test("HotBytes refuses above the bound, and takes nothing in a quarter above it", () => {
  const lines: string[] = [];
  const hot = new HotBytes(1_000, (line, level) => lines.push(`${level}: ${line}`));
  const at = (bytes: number) => {
    hot.observe(bytes);
    return [hot.overloaded, hot.full];
  };
  assert.deepEqual(at(1_000), [false, false]);
  assert.deepEqual(at(1_001), [true, false]);
  assert.deepEqual(at(1_250), [true, false]);
  assert.deepEqual(at(1_251), [true, true]);
  assert.deepEqual(at(900), [false, false]);
  assert.deepEqual(at(1_001), [true, false]);
  assert.deepEqual(at(875), [false, false]);
  assert.deepEqual(lines.map((line) => line.slice(0, 16)), [
    "warn: memory alm",
    "info: memory has",
  ], "once, however often it goes up and down there");
});

Deno.test("a shard whose memory is full refuses what adds bytes, and takes the rest", async () => {
  const { clock, shard, open, lines } = await givenShard({
    groupCount: 2,
    hotBytesMax: 100 * KIB,
  });
  for (const group of [0, 1]) {
    await clock.until(shard.submit(group, openBucketOf("demo")));
    await clock.until(shard.submit(group, createOf(`demo/${group}`)));
  }
  const more = (group: number) =>
    clock.until(shard.submit(group, appendOf(`demo/${group}`, "x".repeat(60 * KIB))));
  assert.ok("ok" in await more(0) && "ok" in await more(1));
  await clock.run(20);
  for (const group of [0, 1]) assert.deepEqual(await more(group), { unavailable: "overloaded" });
  const created = await clock.until(shard.submit(0, createOf("demo/new")));
  assert.deepEqual(created, { unavailable: "overloaded" });
  const { now, max, refused } = shard.report().hotBytes;
  assert.deepEqual([now > max, max, refused], [true, 100 * KIB, 3]);
  const read = shard.read(0, { key: "demo/0", from: "start", maxBytes: 9, touch: false });
  assert.ok("plan" in read);
  assert.ok("ok" in await clock.until(shard.submit(0, { type: "delete", key: "demo/0" })));
  await clock.run(20);
  assert.ok("ok" in await clock.until(shard.submit(0, createOf("demo/new"))));
  assert.equal(lines.filter((line) => line.startsWith("memory")).length, 2);
  await clock.until(open.stop());
});
