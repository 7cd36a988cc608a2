import assert from "node:assert/strict";
import { SimClock } from "./clock.ts";

Deno.test("SimClock runs events by due time, ties in the order they were set", async () => {
  const clock = new SimClock();
  const seen: string[] = [];
  const at = (ms: number, name: string) => {
    clock.setTimer(ms, () => seen.push(`${name}@${clock.monotonicMs()}`));
  };
  for (let ms = 20; ms > 0; ms--) at(ms, "down");
  at(5, "tie");
  at(0, "soon");
  await clock.run(5);
  const first = ["soon@0", "down@1", "down@2", "down@3", "down@4", "down@5", "tie@5"];
  assert.deepEqual(seen, first);
  assert.equal(clock.monotonicMs(), 5);
  await clock.run(100);
  assert.equal(seen.length, 22);
  assert.equal(clock.monotonicMs(), 105);
});

Deno.test("SimClock settles promises between two events of the same time", async () => {
  const clock = new SimClock();
  const seen: number[] = [];
  clock.setTimer(1, async () => {
    for (let hop = 0; hop < 50; hop++) await Promise.resolve();
    seen.push(1);
  });
  clock.setTimer(1, () => seen.push(2));
  await clock.run(1);
  assert.deepEqual(seen, [1, 2]);
});

Deno.test("SimClock.until() gives what the promise gives, and stops when it never ends", async () => {
  const clock = new SimClock();
  const later = new Promise<string>((resolve) => clock.setTimer(50, () => resolve("done")));
  assert.equal(await clock.until(later), "done");
  assert.equal(clock.monotonicMs(), 50);
  await assert.rejects(clock.until(Promise.reject(new Error("so be it"))), /so be it/);
  await assert.rejects(clock.until(new Promise(() => {})), /nothing came of it/);
});
