import assert from "node:assert/strict";
import { SimClock } from "../tests/sim/clock.ts";
import { insist, PATIENCE_MS, pause } from "./patience.ts";

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
