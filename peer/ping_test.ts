import assert from "node:assert/strict";
import { decodePing, encodePing } from "./ping.ts";

Deno.test("decodePing() reads back what encodePing() wrote", () => {
  for (const draining of [false, true]) {
    for (const reaches of [[], [2], [3, 0xffff_ffff]]) {
      const ping = { wallMs: 1_795_000_000_000.5, draining, reaches };
      assert.deepEqual(decodePing(encodePing(ping)), ping);
    }
  }
});

Deno.test("decodePing() says undefined to what is no ping", () => {
  const whole = encodePing({ wallMs: 1, draining: true, reaches: [2] });
  for (let length = 0; length < whole.length; length++) {
    const isShorterPing = length === whole.length - 4;
    const read = decodePing(whole.subarray(0, length));
    assert.equal(read !== undefined, isShorterPing, `${length} bytes`);
  }
  const nonsense = encodePing({ wallMs: NaN, draining: false, reaches: [] });
  assert.equal(decodePing(nonsense), undefined);
});
