import assert from "node:assert/strict";
import { SimClock } from "./clock.ts";
import { MachineClock } from "./machine_clock.ts";
import { ProcessClock } from "./process_clock.ts";

Deno.test("MachineClock.pause() holds what falls due, and time goes by", async () => {
  const clock = new SimClock();
  const machine = new MachineClock(clock, 1000);
  const process = new ProcessClock(machine);
  const heard: string[] = [];
  process.setTimer(10, () => heard.push(`ten at ${process.monotonicMs()}`));
  process.setTimer(20, () => heard.push("twenty"));
  const cancelled = process.setTimer(25, () => heard.push("cancelled"));
  process.setTimer(90, () => heard.push("ninety"));
  machine.pause();
  await clock.run(50);
  assert.deepEqual(heard, []);
  assert.equal(process.wallMs(), 1050);
  cancelled.cancel();
  machine.resume();
  await clock.run(0);
  assert.deepEqual(heard, ["ten at 50", "twenty"]);
  await clock.run(50);
  assert.deepEqual(heard, ["ten at 50", "twenty", "ninety"]);
});

Deno.test("MachineClock.block() takes its time at once, and nothing runs until others have it too", async () => {
  const clock = new SimClock();
  const machine = new MachineClock(clock, 1000);
  const heard: string[] = [];
  machine.setTimer(10, () => heard.push(`ten at ${machine.monotonicMs()}`));
  machine.setTimer(0, () => {
    machine.block(30);
    heard.push(`blocked until ${machine.wallMs()}, others are at ${clock.monotonicMs()}`);
    machine.setTimer(5, () => heard.push(`five more at ${clock.monotonicMs()}`));
  });
  await clock.run(29);
  assert.deepEqual(heard, ["blocked until 1030, others are at 0"]);
  await clock.run(6);
  assert.deepEqual(heard.slice(1), ["ten at 30", "five more at 35"]);
});

Deno.test("MachineClock.resume() runs nothing of a process that died meanwhile", async () => {
  const clock = new SimClock();
  const machine = new MachineClock(clock, 0);
  const process = new ProcessClock(machine);
  let runs = 0;
  process.setTimer(1, () => runs++);
  machine.pause();
  await clock.run(5);
  process.kill();
  machine.resume();
  await clock.run(5);
  assert.equal(runs, 0);
});
