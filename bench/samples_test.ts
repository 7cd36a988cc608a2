import assert from "node:assert/strict";
import { interleave, median, round, type Subject } from "./samples.ts";

Deno.test("median() takes the mean of the middle two when there is no middle", () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

Deno.test("round() keeps three digits and writes thousands in full", () => {
  assert.equal(round(0.123456), "0.123");
  assert.equal(round(12345.6), "12,346");
  assert.equal(round(NaN), "–");
});

function subject(name: string, order: string[], missing?: string): Subject {
  return {
    name,
    peer: {
      name,
      absent: () => Promise.resolve(missing),
      start: () => Promise.resolve({ pid: 0, port: 0, prefix: "/", stop: () => Promise.resolve() }),
    },
    measure() {
      order.push(name);
      return Promise.resolve({ n: order.length });
    },
  };
}

Deno.test("interleave() takes turns and turns round when it has several rounds", async () => {
  const order: string[] = [];
  const samples = await interleave([subject("a", order), subject("b", order)], {
    rounds: 3,
    patienceMs: 0,
    progress() {},
  });
  assert.equal(order.join(""), "abbaab");
  assert.deepEqual(samples.map((sample) => sample.figures), [{ n: 4 }, { n: 3 }]);
});

Deno.test("interleave() says why and starts nothing when a peer is not at hand", async () => {
  const order: string[] = [];
  const samples = await interleave([subject("a", order, "not installed")], {
    rounds: 2,
    patienceMs: 0,
    progress() {},
  });
  assert.deepEqual(order, []);
  assert.equal(samples[0]?.missing, "not installed");
});
