import assert from "node:assert/strict";
import { SimClock } from "../tests/sim/clock.ts";
import { pause } from "../io/mod.ts";
import { before, insist, PATIENCE_MS } from "./patience.ts";

Deno.test("insist() tries again until the answer is another one", async () => {
  const clock = new SimClock();
  const answers = ["wait", "wait", "done", "never asked for"];
  const attempt = () => Promise.resolve(answers.shift() ?? "none");
  assert.equal(await clock.until(insist(clock, attempt, (answer) => answer === "wait")), "done");
  assert.equal(answers.length, 1);
  assert.equal(clock.monotonicMs(), 20);
});

Deno.test("insist() gives the last answer back when patience is over", async () => {
  const clock = new SimClock();
  let attempts = 0;
  const attempt = async () => {
    await pause(clock, 900);
    return ++attempts;
  };
  const last = await clock.until(insist(clock, attempt, () => true));
  assert.equal(last, attempts);
  assert.ok(clock.monotonicMs() >= PATIENCE_MS && clock.monotonicMs() < PATIENCE_MS + 1_000);
});

Deno.test("insist() passes a failure on", async () => {
  const clock = new SimClock();
  const failing = insist(clock, () => Promise.reject(new Error("no")), () => true);
  await assert.rejects(clock.until(failing), /^Error: no$/);
});

Deno.test("before() gives what comes in time, and undefined for what does not", async () => {
  const clock = new SimClock();
  assert.equal(before(clock, 0, "at hand"), "at hand");
  const late = pause(clock, 20).then(() => "late");
  const early = pause(clock, 5).then(() => "early");
  const answers = Promise.all([before(clock, 10, late), before(clock, 10, early)]);
  assert.deepEqual(await clock.until(answers), [undefined, "early"]);
  const failing = Promise.resolve(before(clock, 100, Promise.reject(new Error("no"))));
  await assert.rejects(clock.until(failing), /^Error: no$/);
});
