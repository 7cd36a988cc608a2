import assert from "node:assert/strict";
import { SimClock } from "../tests/sim/clock.ts";
import { GroupTime } from "./group_time.ts";

Deno.test("GroupTime.follow() moves time up to a wall clock, never back", () => {
  const clock = new SimClock();
  const time = new GroupTime(clock, 7_000);
  assert.equal(time.now(), 7_000);
  time.follow(clock.wallMs());
  assert.equal(time.now(), clock.wallMs());
  time.follow(clock.wallMs() - 5_000);
  assert.equal(time.now(), clock.wallMs());
});

Deno.test("GroupTime follows the monotonic clock when the wall clock jumps", async () => {
  const clock = new SimClock();
  const time = new GroupTime(clock, 0);
  const start = time.now();
  clock.wallOffsetMs += 86_400_000;
  assert.equal(time.now(), start);
  clock.wallOffsetMs -= 2 * 86_400_000;
  await clock.run(1_500);
  assert.equal(time.now(), start + 1_500);
});

Deno.test("GroupTime gives whole milliseconds that never go back", () => {
  const clock = new SimClock();
  clock.wallOffsetMs += 0.75;
  const time = new GroupTime(clock, 0);
  time.follow(clock.wallMs());
  assert.ok(Number.isInteger(time.now()));
  const seen = time.now();
  time.observe(seen - 10);
  assert.equal(time.now(), seen);
});

Deno.test("GroupTime.observe() moves time up to a stamp, and on from there", async () => {
  const clock = new SimClock();
  const time = new GroupTime(clock, 0);
  const stamp = time.now() + 10_000;
  time.observe(stamp);
  assert.equal(time.now(), stamp);
  await clock.run(250);
  assert.equal(time.now(), stamp + 250);
});
