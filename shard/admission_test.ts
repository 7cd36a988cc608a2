import assert from "node:assert/strict";
import { appendOf } from "../tests/given/commands.ts";
import { Admission, APPEND_WAIT_MS_MAX, proposeAdmitted } from "./admission.ts";

const TICK_MS = 20;

/** An {@linkcode Admission} on a clock that the test moves on; what it said. */
function given() {
  const now = { ms: 0 };
  const lines: string[] = [];
  const clock = { monotonicMs: () => now.ms } as ConstructorParameters<typeof Admission>[0];
  const admission = new Admission(clock, (line) => lines.push(line.slice(0, 13)));
  return { now, lines, admission };
}

/**
 * A server of one core that takes `costMs` for a write it lets in and `refusalMs` for one it turns
 * away, at `load` times what it can take from clients with so many connections.
 */
function serve(options: { costMs: number; refusalMs: number; load: number; seconds: number }) {
  const { costMs, refusalMs, load, seconds } = options;
  const { now, lines, admission } = given();
  const gapMs = costMs / load;
  const waited: number[] = [];
  const refused: number[] = [];
  let waiting: number[] = [];
  let flushing: { dueMs: number; entered: number }[] = [];
  let tickMs = TICK_MS;
  for (let due = 0; now.ms < seconds * 1000;) {
    for (; due < now.ms; due += gapMs) waiting.push(due);
    if (now.ms >= tickMs) {
      admission.tick(now.ms, now.ms - tickMs);
      tickMs = now.ms + TICK_MS;
    }
    const taken = waiting;
    const flushed = flushing;
    [waiting, flushing] = [[], []];
    for (const dueMs of taken) {
      if (admission.admits()) {
        now.ms += costMs / 2;
        flushing.push({ dueMs, entered: admission.enter() });
      } else {
        now.ms += refusalMs;
        refused.push(now.ms - dueMs);
      }
    }
    for (const { dueMs, entered } of flushed) {
      now.ms += costMs / 2;
      admission.leave(entered, true);
      waited.push(now.ms - dueMs);
    }
    if (taken.length === 0) now.ms += 0.2;
  }
  const p99 = (values: number[]) =>
    values.sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? 0;
  return {
    lines,
    goodput: waited.length * costMs / (seconds * 1000),
    refused: refused.length,
    waitedP99: p99(waited),
    refusedP99: p99(refused),
  };
}

Deno.test("Admission bounds what all wait for when twice as much comes as is answered", () => {
  const cheap = serve({ costMs: 0.1, refusalMs: 0.015, load: 2, seconds: 10 });
  assert.ok(cheap.waitedP99 < 1_000, `p99 ${cheap.waitedP99}`);
  assert.ok(cheap.refusedP99 < 500, `p99 of refusals ${cheap.refusedP99}`);
  // What refusals take is all that is lost: of 0.15 each, at most (1 - 2 * 0.15) / (1 - 0.15).
  assert.ok(cheap.goodput > 0.75, `goodput ${cheap.goodput}`);
  const dear = serve({ costMs: 0.1, refusalMs: 0.04, load: 2, seconds: 10 });
  // What came before it was noticed has to be worked off, beside all the refusals.
  assert.ok(dear.waitedP99 < 1_250, `p99 ${dear.waitedP99}`);
  assert.ok(dear.goodput > 0.28, `goodput ${dear.goodput} of at most a third`);
  // With hardly anything left beside the refusals, fewer are let in, and get around the sooner.
  const dearest = serve({ costMs: 0.1, refusalMs: 0.045, load: 2, seconds: 20 });
  assert.ok(dearest.waitedP99 < 1_150, `p99 ${dearest.waitedP99}`);
  assert.ok(dearest.goodput > 0.16, `goodput ${dearest.goodput} of at most 0.18`);
});

Deno.test("Admission refuses nothing when less comes than is answered", () => {
  const { refused, lines } = serve({ costMs: 0.1, refusalMs: 0.04, load: 0.95, seconds: 5 });
  assert.equal(refused, 0);
  assert.deepEqual(lines, []);
});

/** Moves on in ticks; in each, `per` writes come and as many are answered that waited for `waitMs`. */
function pass(
  { now, admission }: ReturnType<typeof given>,
  { ms, waitMs, per, decided = true }: {
    ms: number;
    waitMs: number;
    per: number;
    decided?: boolean;
  },
): number {
  const begun: { entered: number; atMs: number }[] = [];
  let refused = 0;
  const endMs = now.ms + ms;
  while (now.ms < endMs) {
    for (let i = 0; i < per; i++) {
      if (admission.admits()) begun.push({ entered: admission.enter(), atMs: now.ms });
      else refused++;
    }
    now.ms += TICK_MS;
    while ((begun[0]?.atMs ?? Infinity) + waitMs <= now.ms) {
      admission.leave(begun.shift()?.entered ?? -1, decided);
    }
    admission.tick(now.ms, 0);
  }
  for (const { entered } of begun) admission.leave(entered, false);
  return refused;
}

Deno.test("Admission lets thousands in that are answered in time", () => {
  const room = given();
  assert.equal(pass(room, { ms: 1_000, waitMs: 240, per: 1_000 }), 0);
  assert.deepEqual(room.lines, []);
});

Deno.test("Admission limits a standing line, and lets all in again once nothing is refused", () => {
  const room = given();
  assert.ok(pass(room, { ms: 1_500, waitMs: APPEND_WAIT_MS_MAX + 100, per: 100 }) > 0);
  assert.deepEqual(room.lines, ["overloaded: w"]);
  const { max } = room.admission.facts();
  assert.ok(max < 2_500, `what 300 ms answer, not ${max}`);
  assert.equal(pass(room, { ms: 2_000, waitMs: 20, per: 20 }), 0);
  assert.deepEqual(room.lines, ["overloaded: w", "no longer ove"]);
  assert.equal(room.admission.facts().max, 16_384);
});

Deno.test("Admission goes by the luckiest, and not by one hold-up", () => {
  const stuck = given();
  // A group without a leader holds its own up for seconds, others are answered.
  for (let i = 0; i < 500; i++) stuck.admission.enter();
  assert.equal(pass(stuck, { ms: 3_000, waitMs: 20, per: 100 }), 0);
  const held = given();
  pass(held, { ms: 500, waitMs: 20, per: 100 });
  held.now.ms += 2_000;
  held.admission.tick(held.now.ms, 2_000);
  assert.equal(pass(held, { ms: 1_000, waitMs: 20, per: 100 }), 0);
  assert.deepEqual([...stuck.lines, ...held.lines], []);
});

Deno.test("Admission goes by more than were let in, and not by a hold-up that lasts two looks", () => {
  const { admission, now, lines } = given();
  pass({ admission, now, lines }, { ms: 1_000, waitMs: 60, per: 100 });
  const tick = (ms: number) => admission.tick(now.ms += ms, ms - TICK_MS);
  const begun: number[] = [];
  for (let ticks = 0; ticks < 4; ticks++, tick(TICK_MS)) {
    for (let i = 0; i < 60; i++) begun.push(admission.enter());
  }
  // Nothing goes on for long, and what waited for it is answered late, in two portions.
  now.ms += 260;
  for (const entered of begun.splice(0, 120)) admission.leave(entered, true);
  tick(100);
  for (const entered of begun.splice(0, 100)) admission.leave(entered, true);
  tick(100);
  assert.deepEqual(lines, []);
});

Deno.test("Admission lets as many again in that were let in elsewhere", () => {
  const room = given();
  pass(room, { ms: 1_500, waitMs: APPEND_WAIT_MS_MAX + 100, per: 100 });
  const { admission } = room;
  const { max } = admission.facts();
  while (admission.admits());
  let more = 0;
  while (admission.admitsForwarded()) more++;
  assert.equal(more, max);
  assert.ok(max < 2_500);
});

Deno.test("Admission learns nothing from what was turned away on its way", () => {
  const room = given();
  pass(room, { ms: 3_000, waitMs: 1_000, per: 10, decided: false });
  assert.deepEqual(room.lines, []);
});

Deno.test("Admission counts a body that is slow to come for no longer than a tick", () => {
  const { admission, now } = given();
  for (let i = 0; i < 16_384; i++) assert.ok(admission.admits());
  assert.equal(admission.admits(), false);
  assert.equal(admission.facts().refused, 1);
  admission.tick(now.ms += TICK_MS, 0);
  assert.equal(admission.full, false);
});

Deno.test("proposeAdmitted() refuses what adds bytes when there is no room, and nothing else", () => {
  const { admission } = given();
  while (admission.admits());
  const done: string[] = [];
  const propose = (_: number, { type }: { type: string }) => done.push(type);
  const offer = (command: Parameters<typeof proposeAdmitted>[3]) =>
    proposeAdmitted({ propose } as never, admission, 0, command, (answer) => {
      done.push("unavailable" in answer ? answer.unavailable : "answered");
    });
  offer(appendOf("demo/a", "x"));
  offer({ type: "delete", key: "demo/a", incarnation: undefined });
  assert.deepEqual(done, ["overloaded", "delete"]);
});
