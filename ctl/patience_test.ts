import assert from "node:assert/strict";
import { Patience } from "./patience.ts";

Deno.test("Patience is over after so long without progress", () => {
  const patience = new Patience(100);
  assert.equal(patience.isOver(1_000, [5]), false);
  assert.equal(patience.isOver(1_099, [5]), false);
  assert.equal(patience.isOver(1_100, [5]), true);
});

Deno.test("Patience begins anew when a figure is higher than ever before", () => {
  const patience = new Patience(100);
  patience.isOver(1_000, [5, 1]);
  assert.equal(patience.isOver(1_090, [5, 2]), false);
  assert.equal(patience.isOver(1_189, [5, 1]), false);
  assert.equal(patience.isOver(1_190, [5, 2]), true);
  // A node that starts over again and again gets no further.
  assert.equal(patience.isOver(1_200, [4, 2]), true);
});
