import assert from "node:assert/strict";
import { FRAME_BYTES_MAX, REPORT_BYTES, WINDOW_BYTES_MAX, WINDOW_DELAY_MS_MAX } from "./bounds.ts";
import { Window } from "./window.ts";

const SECONDS = 20;
/** Time moves on in steps of this. */
const STEP_MS = 0.25;

/**
 * Bulk without an end over a link, whose delay is one way, and with the reader's reports on the way
 * back; answers what part of the link was used in the second half, and the longest time that a
 * heartbeat would have taken meanwhile.
 */
function simulated(bytesPerSecond: number, delayMs: number) {
  const window = new Window({ monotonicMs: () => nowMs });
  const reports: { atMs: number; bytes: number }[] = [];
  let [nowMs, queued, carry, unreported, carried, slowestMs] = [0, 0, 0, 0, 0, 0];
  for (; nowMs < SECONDS * 1000; nowMs += STEP_MS) {
    for (; (reports[0]?.atMs ?? Infinity) <= nowMs; reports.shift()) {
      assert.ok(window.report(reports[0]?.bytes ?? 0));
    }
    while (window.takes(FRAME_BYTES_MAX)) {
      window.hand(FRAME_BYTES_MAX);
      queued += FRAME_BYTES_MAX;
    }
    carry += bytesPerSecond * STEP_MS / 1000;
    const moved = Math.min(queued, Math.floor(carry));
    carry -= moved;
    if (queued === moved) carry = 0;
    queued -= moved;
    unreported += moved;
    if (unreported >= REPORT_BYTES) {
      reports.push({ atMs: nowMs + 2 * delayMs, bytes: unreported });
      unreported = 0;
    }
    if (nowMs < SECONDS * 500) continue;
    carried += moved;
    slowestMs = Math.max(slowestMs, delayMs + queued / bytesPerSecond * 1000);
  }
  return { used: carried / (bytesPerSecond * SECONDS / 2), slowestMs };
}

for (
  const [name, bytesPerSecond, delayMs] of [
    ["8 Mbit/s", 1e6, 1],
    ["20 Mbit/s", 2.5e6, 1],
    ["100 Mbit/s, far away", 12.5e6, 50],
    ["100 Mbit/s", 12.5e6, 0.5],
    ["1 Gbit/s, far away", 125e6, 20],
    ["10 Gbit/s", 1.25e9, 0.1],
  ] as const
) {
  Deno.test(`Window uses a link of ${name}, and lets heartbeats through`, () => {
    const { used, slowestMs } = simulated(bytesPerSecond, delayMs);
    assert.ok(used > 0.9, `${used} of the link`);
    // A frame on the slowest one takes a quarter of a second.
    const frameMs = FRAME_BYTES_MAX / bytesPerSecond * 1000;
    const bound = delayMs + 2.5 * WINDOW_DELAY_MS_MAX + frameMs;
    assert.ok(slowestMs < Math.min(bound, 500), `${slowestMs} ms`);
  });
}

Deno.test("Window.takes() something whenever what is on its way need not be reported", () => {
  const window = new Window({ monotonicMs: () => 0 });
  assert.ok(window.takes(2 * WINDOW_BYTES_MAX));
  window.hand(2 * WINDOW_BYTES_MAX);
  assert.ok(!window.takes(1));
  window.report(2 * WINDOW_BYTES_MAX - REPORT_BYTES);
  assert.ok(!window.takes(WINDOW_BYTES_MAX));
  window.report(1);
  assert.ok(window.takes(WINDOW_BYTES_MAX));
});

Deno.test("Window.report() is false where more was read than was sent", () => {
  const window = new Window({ monotonicMs: () => 0 });
  assert.ok(!window.report(1));
  window.hand(10);
  assert.ok(!window.report(11));
  assert.ok(window.report(10));
});
