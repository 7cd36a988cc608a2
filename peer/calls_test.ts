import assert from "node:assert/strict";
import { CALL_MS_MAX } from "./bounds.ts";
import { Calls } from "./calls.ts";

/** Calls at a clock that the test sets, and what became of each by its number. */
function given() {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
  const calls = new Calls(clock as never);
  const outcomes = new Map<number, string>();
  const begin = (order = 0): number => {
    let number = -1;
    const outcome = calls.begin((call) => {
      number = call;
      return order;
    });
    outcome.then((answer) => {
      outcomes.set(number, "failed" in answer ? answer.failed : String(answer[0]));
    });
    return number;
  };
  return { clock, calls, outcomes, begin };
}

Deno.test("answer() finds each of many calls, in whatever order answers come", async () => {
  const { calls, outcomes, begin } = given();
  const expected = new Map<number, string>();
  const open: number[] = [];
  // A call that stays open all the time, while thousands come and go behind it.
  const oldest = begin();
  for (let round = 0; round < 5_000; round++) {
    open.push(begin(), begin());
    const [call = -1] = open.splice((round * 7) % open.length, 1);
    calls.answer(call, Uint8Array.of(call % 251));
    expected.set(call, String(call % 251));
    if (round === 4_000) {
      calls.answer(oldest, Uint8Array.of(0));
      expected.set(oldest, "0");
    }
  }
  await Promise.resolve();
  assert.deepEqual(outcomes, expected);
  calls.fail(() => true);
  await Promise.resolve();
  for (const call of open) assert.equal(outcomes.get(call), "unanswered");
});

Deno.test("answer() drops what was answered, was given up or was never asked", async () => {
  const { clock, calls, outcomes, begin } = given();
  const [first, second] = [begin(), begin()];
  calls.answer(second, Uint8Array.of(1));
  calls.answer(second, Uint8Array.of(2));
  calls.answer(second + 1, Uint8Array.of(3));
  clock.nowMs = CALL_MS_MAX + 1;
  const third = begin();
  calls.expire();
  calls.answer(first, Uint8Array.of(4));
  calls.answer(third, Uint8Array.of(5));
  await Promise.resolve();
  assert.deepEqual([first, second, third].map((call) => outcomes.get(call)), [
    "unanswered",
    "1",
    "5",
  ]);
});

Deno.test("fail() says of each call whether the peer may have it", async () => {
  const { calls, outcomes, begin } = given();
  const numbers = [begin(1), begin(2), begin(3)];
  calls.fail((order) => order <= 2);
  await Promise.resolve();
  assert.deepEqual(numbers.map((call) => outcomes.get(call)), [
    "unanswered",
    "unanswered",
    "not_sent",
  ]);
});
