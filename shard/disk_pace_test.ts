import assert from "node:assert/strict";
import { DiskPace, HANG_MS, SLOW_MS, TOLD_MS, WELL_MS } from "./disk_pace.ts";

const TICK_MS = 20;

/** A {@linkcode DiskPace} over two lanes, one of which the test writes to, and what came of it. */
function given() {
  const lane = { oldestWrite: 0 };
  const lines: string[] = [];
  const pace = new DiskPace([{ oldestWrite: 0 }, lane], (line) => lines.push(line.slice(0, 9)));
  let nowMs = 0;
  pace.tick(nowMs);
  const run = (ms: number, eachTick = () => {}) => {
    for (const endMs = nowMs + ms; nowMs < endMs;) {
      eachTick();
      pace.tick(nowMs += TICK_MS);
    }
  };
  const jump = (ms: number) => pace.tick(nowMs += ms);
  return { pace, lane, lines, run, jump };
}

Deno.test("DiskPace is content with writes that end, however many there are", () => {
  const { pace, lane, run } = given();
  let tick = 0;
  // Each is the oldest for almost a second.
  run(60_000, () => lane.oldestWrite = Math.floor(tick++ / (SLOW_MS / TICK_MS - 1)));
  assert.equal(pace.slow, false);
});

Deno.test("DiskPace calls a disk slow after a second, of any lane, and well after half a minute", () => {
  const { pace, lane, lines, run } = given();
  lane.oldestWrite = 1;
  run(SLOW_MS);
  assert.equal(pace.slow, false, "the first tick saw it begin");
  run(TICK_MS);
  assert.equal(pace.slow, true);
  lane.oldestWrite = 0;
  run(WELL_MS - TICK_MS);
  assert.equal(pace.slow, true);
  run(TICK_MS);
  assert.equal(pace.slow, false);
  assert.deepEqual(lines, ["disk slow", "disk well"]);
});

Deno.test("DiskPace says that the disk hampers once others know, and only while it does", () => {
  const { pace, lane, run } = given();
  run(TOLD_MS);
  lane.oldestWrite = 1;
  run(TICK_MS + SLOW_MS);
  assert.deepEqual([pace.slow, pace.hampers], [true, false]);
  run(TOLD_MS - TICK_MS);
  assert.equal(pace.hampers, false);
  run(TICK_MS);
  assert.equal(pace.hampers, true);
  lane.oldestWrite = 2;
  run(SLOW_MS);
  assert.equal(pace.hampers, false, "the next one is not slow yet");
  run(TICK_MS);
  assert.equal(pace.hampers, true);
  lane.oldestWrite = 0;
  run(SLOW_MS);
  assert.deepEqual([pace.slow, pace.hampers], [true, false]);
});

Deno.test("DiskPace blames no disk for a process that was held up", () => {
  const { pace, lane, run, jump } = given();
  lane.oldestWrite = 1;
  run(500);
  jump(60_000);
  assert.deepEqual([pace.slow, pace.hangs], [false, false]);
  lane.oldestWrite = 0;
  run(WELL_MS);
  assert.equal(pace.slow, false);
});

Deno.test("DiskPace says that a disk hangs after five seconds, until the write ends", () => {
  const { pace, lane, run } = given();
  lane.oldestWrite = 7;
  run(HANG_MS);
  assert.equal(pace.hangs, false);
  run(TICK_MS);
  assert.equal(pace.hangs, true);
  lane.oldestWrite = 0;
  run(TICK_MS);
  assert.equal(pace.hangs, false);
});
