import assert from "node:assert/strict";
import { SimClock } from "../tests/sim/clock.ts";
import { LargeAnswers } from "./large_answers.ts";

const KIB = 1024;

function given() {
  const clock = new SimClock();
  const answers = new LargeAnswers(clock);
  let gone = 0;
  const ask = (bytes: number, times = 1) => {
    for (let i = 0; i < times; i++) {
      const turn = answers.turn(bytes);
      if (turn === undefined) gone++;
      else turn.then(() => gone++);
    }
    return gone;
  };
  const step = async () => {
    await clock.step();
    return gone;
  };
  return { clock, ask, step };
}

Deno.test("turn() lets as many large answers go as one turn may hold, the others in order", async () => {
  const { ask, step } = given();
  assert.equal(ask(1024 * KIB, 10), 3);
  assert.equal(await step(), 6);
  assert.equal(ask(64 * KIB), 6, "whoever comes later waits behind them");
  assert.equal(await step(), 9);
  assert.equal(await step(), 11);
});

Deno.test("turn() lets one answer go that is larger than a turn", async () => {
  const { ask, step } = given();
  assert.equal(ask(4096 * KIB, 2), 1);
  assert.equal(await step(), 2);
});

Deno.test("turn() holds short answers back never, and leaves nothing to do behind", async () => {
  const { clock, ask, step } = given();
  ask(1024 * KIB, 4);
  assert.equal(ask(63 * KIB, 1000), 1003);
  assert.equal(await step(), 1004);
  while (await clock.step());
  assert.equal(ask(1024 * KIB, 4), 1007);
});
