import assert from "node:assert/strict";
import { SimClock } from "../tests/sim/clock.ts";
import { HandleWatch } from "./handle_watch.ts";

/** A watch over handles that the test takes, and how often it looked. */
function given(max: number) {
  const clock = new SimClock();
  const state = { open: 0, looks: 0 };
  const watch = new HandleWatch(clock, () => {
    state.looks++;
    return { open: state.open, max };
  });
  const later = () => clock.run(500);
  return { watch, state, later };
}

Deno.test("HandleWatch keeps an eighth in reserve of few handles, and 256 of many", async () => {
  for (const [max, reserve] of [[160, 20], [1_024, 128], [1_000_000, 256]] as const) {
    const { watch, state, later } = given(max);
    state.open = max - reserve;
    assert.equal(watch.scarce, false, String(max));
    state.open++;
    await later();
    assert.equal(watch.scarce, true, String(max));
    state.open--;
    await later();
    assert.equal(watch.scarce, false, String(max));
  }
});

Deno.test("HandleWatch looks every half a second, and every fourth time that it is asked", async () => {
  const { watch, state, later } = given(160);
  for (let asked = 0; asked < 160; asked++) assert.equal(watch.scarce, false);
  assert.equal(state.looks, 40);
  await later();
  assert.equal(watch.scarce, false);
  assert.equal(state.looks, 41);
});

Deno.test("HandleWatch looks less often where looking takes long", () => {
  let nowMs = 0;
  let looks = 0;
  const clock = Object.assign(new SimClock(), { monotonicMs: () => nowMs });
  const watch = new HandleWatch(clock, () => {
    looks++;
    nowMs += 20;
    return { open: 1, max: 100 };
  });
  for (; nowMs < 100_000; nowMs++) assert.equal(watch.scarce, false);
  assert.ok(looks > 40 && looks <= 50, `${looks} looks`);
});

Deno.test("HandleWatch calls nothing scarce where nobody tells", () => {
  assert.equal(new HandleWatch(new SimClock(), () => undefined).scarce, false);
});
