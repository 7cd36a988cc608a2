import assert from "node:assert/strict";
import { SyncWay } from "./sync_way.ts";

/** Syncs for `count` times; how often the event loop waited. */
function passes(
  way: SyncWay,
  count: number,
  { toldMs, heldMs, everyMs = 1 }: { toldMs: number; heldMs: number; everyMs?: number },
): number {
  let held = 0;
  for (let i = 0; i < count; i++) {
    if (way.holds(i * everyMs)) {
      held++;
      way.held(heldMs, i * everyMs);
    } else {
      way.told(toldMs);
    }
  }
  return held;
}

Deno.test("SyncWay leaves an idle event loop alone", () => {
  assert.equal(passes(new SyncWay(), 1_000, { toldMs: 3, heldMs: 0.1 }), 0);
});

Deno.test("SyncWay has a busy loop wait for a fast disk, and asks again and again", () => {
  const held = passes(new SyncWay(), 1_020, { toldMs: 8, heldMs: 0.3 });
  assert.ok(held > 950 && held < 1_000, `${held} of 1020`);
});

Deno.test("SyncWay notices that the loop is no longer busy", () => {
  const way = new SyncWay();
  passes(way, 500, { toldMs: 8, heldMs: 0.3 });
  passes(way, 40, { toldMs: 3, heldMs: 0.3 });
  assert.equal(passes(way, 500, { toldMs: 3, heldMs: 0.3 }), 0);
});

Deno.test("SyncWay tries a slow disk less and less", () => {
  const second = { toldMs: 12, heldMs: 10, everyMs: 20 };
  const way = new SyncWay();
  assert.equal(passes(way, 40, second), 1);
  // 1, 2, 4 ... 32 s, and then a minute between two.
  assert.equal(passes(new SyncWay(), 50 * 600, second), 15);
});

Deno.test("SyncWay has nobody wait for a disk that takes long, be it once", () => {
  assert.equal(passes(new SyncWay(), 900, { toldMs: 101, heldMs: 1 }), 0);
});

Deno.test("SyncWay ends a run at the first sync that is slow", () => {
  const way = new SyncWay();
  passes(way, 10, { toldMs: 8, heldMs: 0.3 });
  assert.equal(way.holds(10), true);
  way.held(9, 10);
  assert.equal(way.holds(11), false);
  assert.equal(way.holds(1_010), true);
});
