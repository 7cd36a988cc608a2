import assert from "node:assert/strict";
import { Latencies, nowMicros, stamped, StampScanner } from "./stamp.ts";

Deno.test("stamped() makes a message of the asked length with one stamp", () => {
  const message = stamped(1234.5, 64);
  assert.equal(message.length, 64);
  assert.equal(message.slice(0, 17), "@000000000001234x");
});

for (const size of [1, 5, 16, 1000]) {
  Deno.test(`StampScanner finds every stamp when packets have ${size} bytes`, () => {
    const sent = nowMicros();
    const bytes = new TextEncoder().encode(
      `data: ${stamped(sent, 40)}\n\ndata: ${stamped(sent, 16)}${stamped(sent, 17)}\n `,
    );
    const latencies = new Latencies(10);
    const scanner = new StampScanner();
    const end = bytes.length - 1;
    for (let at = 0; at < end; at += size) {
      scanner.scan(bytes, at, Math.min(end, at + size), latencies);
    }
    assert.equal(latencies.count, 3);
    const worst = latencies.percentileMs(1);
    assert.ok(worst >= 0 && worst < 10_000, `${worst} ms`);
  });
}

Deno.test("percentileMs() picks from the sorted latencies when they came in any order", () => {
  const latencies = new Latencies(3);
  for (const micros of [3000, 1000, 2000]) latencies.add(micros);
  assert.equal(latencies.percentileMs(0), 1);
  assert.equal(latencies.percentileMs(0.5), 2);
  assert.equal(latencies.percentileMs(1), 3);
});
