import assert from "node:assert/strict";
import { cursorAfter } from "./cursor.ts";

const EPOCH_MS = Date.UTC(2024, 9, 9);

Deno.test("cursorAfter() counts intervals of 20 s from the protocol's epoch", () => {
  assert.equal(cursorAfter(undefined, EPOCH_MS, 0.5), 0);
  assert.equal(cursorAfter(undefined, EPOCH_MS + 19_999, 0.5), 0);
  assert.equal(cursorAfter(undefined, EPOCH_MS + 20_000, 0.5), 1);
  assert.equal(cursorAfter(undefined, EPOCH_MS + 86_400_000, 0.5), 4_320);
});

Deno.test("cursorAfter() gives a client that is behind the present interval", () => {
  assert.equal(cursorAfter(3, EPOCH_MS + 100_000, 0.9), 5);
  assert.equal(cursorAfter(4, EPOCH_MS + 100_000, 0.9), 5);
});

Deno.test("cursorAfter() moves a client that is not behind on, by a second to an hour", () => {
  const now = EPOCH_MS + 100_000;
  for (const client of [5, 6, 1_000_000]) {
    assert.equal(cursorAfter(client, now, 0), client + 1, "never less than one interval");
    assert.equal(cursorAfter(client, now, 0.999_999), client + 180);
    for (let random = 0; random < 1; random += 0.01) {
      const cursor = cursorAfter(client, now, random);
      assert.ok(cursor > client && cursor <= client + 180 && Number.isInteger(cursor));
    }
  }
});
