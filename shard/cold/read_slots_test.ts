import assert from "node:assert/strict";
import { ReadSlots } from "./read_slots.ts";

const never = new AbortController().signal;

/** Notes who may begin. */
function queue(slots: ReadSlots) {
  const begun: string[] = [];
  const enter = (name: string, bytes: number, signal = never) =>
    slots.enter(bytes, signal).then(() => void begun.push(name), () => void begun.push(`${name}!`));
  return { begun, enter };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("ReadSlots lets in what fits, and the rest in order", async () => {
  const slots = new ReadSlots(10, 3);
  const { begun, enter } = queue(slots);
  enter("a", 6);
  enter("b", 6);
  enter("c", 1);
  await settled();
  assert.deepEqual(begun, ["a"], "c would fit, but b was first");
  assert.equal(slots.tryEnter(1), false);
  assert.deepEqual([slots.waiting, slots.isFull], [2, false]);
  enter("d", 6);
  assert.ok(slots.isFull);
  slots.leave(6);
  await settled();
  assert.deepEqual(begun, ["a", "b", "c"]);
  slots.leave(1);
  slots.leave(6);
  await settled();
  assert.deepEqual(begun, ["a", "b", "c", "d"]);
  assert.deepEqual([slots.bytes, slots.waiting], [6, 0]);
});

Deno.test("ReadSlots lets a read that is larger than the bound go alone", async () => {
  const slots = new ReadSlots(10, 3);
  const { begun, enter } = queue(slots);
  enter("a", 1);
  enter("b", 99);
  enter("c", 1);
  slots.leave(1);
  await settled();
  assert.deepEqual(begun, ["a", "b"]);
  slots.leave(99);
  await settled();
  assert.deepEqual(begun, ["a", "b", "c"]);
});

Deno.test("ReadSlots forgets who gives up, and lets the next one in", async () => {
  const slots = new ReadSlots(10, 3);
  const { begun, enter } = queue(slots);
  const aborting = new AbortController();
  enter("a", 6);
  enter("b", 6, aborting.signal);
  enter("c", 4);
  aborting.abort();
  await settled();
  assert.deepEqual(begun.toSorted(), ["a", "b!", "c"]);
  assert.equal(slots.waiting, 0);
  enter("d", 1, aborting.signal);
  await settled();
  assert.equal(begun.at(-1), "d!");
  assert.equal(slots.bytes, 10);
});
