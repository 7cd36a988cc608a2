import assert from "node:assert/strict";
import { type ColdRequest, decodeRequest, encodeRequest, groupOfRequest } from "./requests.ts";

const NAME = { group: 0xffff_fffe, number: 7, term: 2 ** 40, length: Number.MAX_SAFE_INTEGER };
const REQUESTS: ColdRequest[] = [
  { ask: "part", ...NAME, offset: 2 ** 41, partBytes: 1 << 20 },
  { ask: "whole", group: 3, index: 2 ** 52 },
  { ask: "take", ...NAME },
  { ask: "lost", ...NAME },
];

Deno.test("decodeRequest() reverses encodeRequest(), in a fixed form", () => {
  for (const request of REQUESTS) {
    const bytes = encodeRequest(request);
    assert.deepEqual(decodeRequest(bytes), request);
    assert.equal(groupOfRequest(bytes), request.group);
  }
  assert.deepEqual([...encodeRequest({ ask: "whole", group: 258, index: 3 })], [
    ...[2, 0, 0, 1, 2],
    ...[0, 0, 0, 0, 0, 0, 0, 3],
  ]);
});

Deno.test("decodeRequest() takes nothing shorter, longer or of another kind", () => {
  for (const request of REQUESTS) {
    const bytes = encodeRequest(request);
    for (let end = 0; end < bytes.length; end++) {
      assert.throws(() => decodeRequest(bytes.subarray(0, end)), /malformed/);
    }
    assert.throws(() => decodeRequest(Uint8Array.of(...bytes, 0)), /malformed/);
    for (const kind of [0, 5, 255]) {
      assert.throws(() => decodeRequest(bytes.with(0, kind)), /malformed/);
    }
    assert.throws(() => decodeRequest(bytes.with(5, 1)), /malformed/, "beyond what a number holds");
  }
  assert.equal(groupOfRequest(new Uint8Array(4)), -1);
});
