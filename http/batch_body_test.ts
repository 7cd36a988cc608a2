import assert from "node:assert/strict";
import fc from "fast-check";
import { parseBatch } from "../protocol/mod.ts";
import { batchOf } from "../tests/given/batch.ts";
import { type StoredBatch, storedBatch } from "./batch_body.ts";
import { MESSAGES_MAX, storedBody } from "./write_request.ts";

const ITEM_BYTES_MAX = 64;
const text = new TextDecoder();

function stored(contentType: string, items: readonly (Uint8Array | string)[]): StoredBatch {
  const body = batchOf(items);
  const lengths = parseBatch(body, 512);
  assert.ok(typeof lengths !== "string");
  return storedBatch(body, lengths, contentType, ITEM_BYTES_MAX);
}

function shown({ body }: StoredBatch) {
  if (body === undefined) return undefined;
  const { slab, start, end } = body.data;
  const lengths = body.lengths && [...body.lengths];
  return { text: text.decode(slab.bytes.subarray(start, end)), lengths };
}

Deno.test("storedBatch() makes a message of each item of bytes", () => {
  const batch = stored("text/plain", ["one", "three", "x"]);
  assert.deepEqual(shown(batch), { text: "onethreex", lengths: [3, 5, 1] });
  assert.deepEqual(batch.items, [3, 5, 1]);
});

Deno.test("storedBatch() makes an append of one item what that append would be", () => {
  assert.deepEqual(shown(stored("text/plain", ["one"])), { text: "one", lengths: undefined });
  assert.deepEqual(shown(stored("application/json", [" 1 "])), { text: "1,", lengths: undefined });
});

Deno.test("storedBatch() takes each item of JSON as a text of its own", () => {
  const batch = stored("application/json", ['{"a": 1}', "[1, [2]]", "3"]);
  assert.deepEqual(shown(batch), { text: '{"a":1},1,[2],3,', lengths: [8, 2, 4, 2] });
  assert.deepEqual(batch.items, [8, 6, 2]);
});

Deno.test("storedBatch() leaves out items that are no JSON, and keeps the others", () => {
  const batch = stored("application/json", ["1", "{", "2", "[]", '["a"', "3"]);
  assert.deepEqual(shown(batch), { text: "1,2,3,", lengths: [2, 2, 2] });
  assert.deepEqual(
    batch.items.map((item) => typeof item === "number" ? item : item.error),
    [2, "invalid_json", 2, "empty_json_array", "invalid_json", 2],
  );
});

Deno.test("storedBatch() leaves out items that are larger than an append may be", () => {
  for (const contentType of ["text/plain", "application/json"]) {
    const fits = `"${"x".repeat(ITEM_BYTES_MAX - 2)}"`;
    const batch = stored(contentType, ["1", fits, `${fits} `, "2"]);
    assert.deepEqual(
      batch.items.map((item) => typeof item === "number" ? "good" : item.error),
      ["good", "good", "payload_too_large", "good"],
    );
  }
});

Deno.test("storedBatch() takes as many messages as one append may have, of all items together", () => {
  const half = `[${"0,".repeat(MESSAGES_MAX / 2 - 1)}0]`;
  const body = batchOf([half, half, "[1,2]", "3"]);
  const lengths = parseBatch(body, 512);
  assert.ok(typeof lengths !== "string");
  const batch = storedBatch(body, lengths, "application/json", body.length);
  const message = `one request appends at most ${MESSAGES_MAX} JSON messages`;
  assert.deepEqual(batch.items.slice(2), [{ error: "too_many_messages", message }, 2]);
  assert.equal(batch.body?.lengths?.length, MESSAGES_MAX + 1);
});

Deno.test("storedBatch() has no body when no item is good", () => {
  assert.equal(stored("application/json", ["[]", "x"]).body, undefined);
  assert.equal(stored("text/plain", ["x".repeat(ITEM_BYTES_MAX + 1)]).body, undefined);
});

Deno.test("storedBatch() stores what appends one by one would", () => {
  const item = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: ITEM_BYTES_MAX }),
    fc.json({ maxDepth: 3 }).map((json) => new TextEncoder().encode(json)),
    fc.constantFrom("[]", "[[]]", " ", "[1,2,", "[1,2]").map((json) =>
      new TextEncoder().encode(json)
    ),
  ).filter((bytes) => bytes.length <= ITEM_BYTES_MAX);
  const items = fc.array(item, { minLength: 1, maxLength: 12 });
  const types = fc.constantFrom("application/json", "application/octet-stream");
  fc.assert(fc.property(items, types, (all, contentType) => {
    const lengths: number[] = [];
    let joined: number[] = [];
    const each = all.map((bytes) => {
      const body = storedBody(bytes, contentType);
      if (body === undefined) return "empty_json_array";
      if ("error" in body) return body.error;
      const { slab, start, end } = body.data;
      joined = joined.concat([...slab.bytes.subarray(start, end)]);
      lengths.push(...(body.lengths ?? [end - start]));
      return end - start;
    });
    const batch = stored(contentType, all);
    assert.deepEqual(batch.items.map((i) => typeof i === "number" ? i : i.error), each);
    if (batch.body === undefined) return assert.equal(joined.length, 0);
    const { slab, start, end } = batch.body.data;
    assert.deepEqual([...slab.bytes.subarray(start, end)], joined);
    assert.deepEqual([...(batch.body.lengths ?? [end - start])], lengths);
  }));
});
