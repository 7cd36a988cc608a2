import assert from "node:assert/strict";
import { Inflights } from "./inflights.ts";

Deno.test("free() gives back what lies up to the acknowledged index, and no part of a message", () => {
  const inflights = new Inflights(10, 1000);
  inflights.add(3, 3, 30);
  inflights.add(5, 2, 20);
  inflights.free(4);
  assert.deepEqual([inflights.entries, inflights.bytes], [2, 20]);
  inflights.free(5);
  assert.deepEqual([inflights.entries, inflights.bytes], [0, 0]);
});

Deno.test("full is reached by entries or by bytes", () => {
  const byEntries = new Inflights(2, 1000);
  byEntries.add(2, 2, 1);
  assert.equal(byEntries.full, true);
  const byBytes = new Inflights(100, 10);
  byBytes.add(1, 1, 25);
  assert.equal(byBytes.full, true);
  byBytes.clear();
  assert.equal(byBytes.full, false);
});

Deno.test("free() keeps up over many messages", () => {
  const inflights = new Inflights(1000, 1e9);
  for (let i = 1; i <= 10_000; i++) {
    inflights.add(i, 1, 10);
    if (i > 100) inflights.free(i - 100);
  }
  assert.deepEqual([inflights.entries, inflights.bytes], [100, 1000]);
});
