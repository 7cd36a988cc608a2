import assert from "node:assert/strict";
import fc from "fast-check";
import { joined } from "../tests/given/bytes.ts";
import { partsOf } from "../tests/given/multipart.ts";
import { CHUNK_BYTES, MultipartMessages } from "./multipart.ts";

const BOUNDARY = "0123456789abcdef0123456789abcdef";
const CONTENT_TYPE = `multipart/mixed; boundary=${BOUNDARY}`;

/** Renders messages, cut into stretches anywhere. */
function rendered(messages: readonly Uint8Array[], cuts: readonly number[], isJson: boolean) {
  const stored = joined(messages.flatMap((one) => isJson ? [one, new Uint8Array([0x2c])] : [one]));
  const ends: number[] = [];
  for (const { length } of messages) ends.push((ends.at(-1) ?? 0) + length + (isJson ? 1 : 0));
  const parts = new MultipartMessages(BOUNDARY, "a/b", isJson);
  const chunks = [parts.first("c/d")];
  const bounds = [0, ...cuts.map((cut) => cut % (stored.length + 1)), stored.length]
    .sort((a, b) => a - b);
  for (const [i, to] of bounds.entries()) {
    const from = bounds[i - 1] ?? 0;
    const within = ends.filter((end) => end > from && end <= to).map((end) => end - from);
    parts.take({ bytes: stored.subarray(from, to), ends: Uint32Array.from(within), isLast: false });
    for (let chunk = parts.render(); chunk !== undefined; chunk = parts.render()) {
      assert.ok(chunk.length > 0 && chunk.length <= CHUNK_BYTES);
      chunks.push(chunk);
    }
  }
  return joined([...chunks, parts.last()]);
}

Deno.test("MultipartMessages renders any messages, wherever they are cut, for any parser", async () => {
  const message = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const tricky = fc.constantFrom("\r\n", "--", `\r\n--${BOUNDARY.slice(0, 31)}`, "\r", ",", "-")
    .map((text) => new TextEncoder().encode(text));
  const messages = fc.array(fc.oneof(message, tricky), { maxLength: 12 });
  const cuts = fc.array(fc.nat(500), { maxLength: 6 });
  const property = fc.asyncProperty(messages, cuts, fc.boolean(), async (all, cut, isJson) => {
    const parts = await partsOf(CONTENT_TYPE, rendered(all, cut, isJson));
    assert.deepEqual(parts[0], { contentType: "c/d", bytes: new Uint8Array(0) });
    assert.deepEqual(parts.slice(1), all.map((bytes) => ({ contentType: "a/b", bytes })));
  });
  await fc.assert(property, { numRuns: 200 });
});

Deno.test("MultipartMessages.render() renders many small messages, and one long, in bounded chunks", async () => {
  const small = Array.from({ length: 5_000 }, (_, i) => new Uint8Array(1 + i % 3).fill(i % 256));
  const long = new Uint8Array(300_000).fill(0x2d);
  const all = [...small, long, ...small];
  const parts = await partsOf(CONTENT_TYPE, rendered(all, [7, 9_000, 200_000], true));
  assert.equal(parts.length, all.length + 1);
  assert.ok(parts.slice(1).every(({ bytes }, i) => bytes.length === all[i]?.length));
  assert.deepEqual(parts[5_001]?.bytes, long);
});
