import assert from "node:assert/strict";
import { SimClock } from "../tests/sim/clock.ts";
import { TurnTime } from "./turn_time.ts";

Deno.test("TurnTime.turnMs stands still until the turn is over", async () => {
  const clock = new SimClock();
  const time = new TurnTime(clock);
  await clock.run(5);
  let reads = 0;
  const { monotonicMs } = clock;
  clock.monotonicMs = () => {
    reads++;
    return monotonicMs.call(clock);
  };
  assert.deepEqual([time.turnMs, time.turnMs, reads], [5, 5, 1]);
  await clock.run(3);
  assert.deepEqual([time.turnMs, time.nowMs, reads], [8, 8, 3]);
});
