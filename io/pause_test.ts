import assert from "node:assert/strict";
import { SimClock } from "../tests/sim/clock.ts";
import { pause } from "./pause.ts";

Deno.test("pause() resolves when the time is over, and not before", async () => {
  for (const signal of [undefined, new AbortController().signal]) {
    const clock = new SimClock();
    const startMs = clock.monotonicMs();
    await clock.until(pause(clock, 70, signal));
    assert.equal(clock.monotonicMs() - startMs, 70);
  }
});

Deno.test("pause() resolves at once when the signal says so, and leaves no timer", async () => {
  for (const isEarly of [true, false]) {
    const clock = new SimClock();
    const aborting = new AbortController();
    if (isEarly) aborting.abort();
    const paused = pause(clock, 70, aborting.signal);
    aborting.abort();
    await paused;
    assert.equal(await clock.step(), false);
  }
});
