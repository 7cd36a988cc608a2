import assert from "node:assert/strict";
import { textOf } from "../tests/given/commands.ts";
import { joinSlices } from "./slices.ts";

const slab = { bytes: new TextEncoder().encode("0123456789"), live: 0 };

Deno.test("joinSlices() copies nothing when there is one slice, and joins more in order", () => {
  const one = joinSlices([{ slab, start: 2, end: 5 }]);
  assert.equal(textOf(one), "234");
  assert.equal(one.buffer, slab.bytes.buffer);
  const two = joinSlices([{ slab, start: 8, end: 10 }, { slab, start: 0, end: 1 }]);
  assert.equal(textOf(two), "890");
  assert.notEqual(two.buffer, slab.bytes.buffer);
  assert.equal(joinSlices([]).length, 0);
});
