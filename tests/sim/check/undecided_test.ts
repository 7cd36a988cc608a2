import assert from "node:assert/strict";
import { type LogEnd, Undecided } from "./undecided.ts";

const NO_END = () => false;

async function added(over: Promise<void>): Promise<{ undecided: Undecided; calls: () => number }> {
  const undecided = new Undecided();
  let calls = 0;
  undecided.add(over, () => 100, () => calls++);
  await over;
  return { undecided, calls: () => calls };
}

Deno.test("Undecided waits until no process works on a request", () => {
  const undecided = new Undecided();
  undecided.add(new Promise(() => {}), () => 0, () => assert.fail());
  undecided.look(1e6, () => [], NO_END);
  assert.equal(undecided.size, 1);
});

Deno.test("Undecided waits for messages, and longer where they are held up", async () => {
  const { undecided, calls } = await added(Promise.resolve());
  undecided.look(1_000, () => [], NO_END);
  assert.equal(calls(), 0);
  undecided.delayed(1_500);
  undecided.look(2_900, () => [], NO_END);
  assert.equal(calls(), 0);
  undecided.look(3_000, () => [], NO_END);
  assert.equal(calls(), 1);
  assert.equal(undecided.size, 0);
});

Deno.test("Undecided waits until every log that may hold a request is settled", async () => {
  const { undecided, calls } = await added(Promise.resolve());
  const ends: LogEnd[] = [{ group: 0, index: 5, term: 1 }, { group: 1, index: 9, term: 2 }];
  undecided.look(5_000, () => ends, ({ group }) => group === 0);
  assert.equal(calls(), 0);
  const others = () => [{ group: 2, index: 1, term: 1 }];
  undecided.look(5_100, others, ({ group }) => group === 0);
  assert.equal(calls(), 0);
  undecided.look(5_200, others, ({ group }) => group === 1);
  assert.equal(calls(), 1);
});
