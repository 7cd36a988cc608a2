import assert from "node:assert/strict";
import fc from "fast-check";
import {
  EMPTY_QUERY,
  parseLimit,
  parseLive,
  parseMaxBytes,
  parseQuery,
  parseTimeoutMs,
} from "./query.ts";

Deno.test("parseQuery() reads every parameter it knows", () => {
  const search = "?offset=-1&live=sse&cursor=9&timeout_ms=5&max_bytes=6&incarnation=i&prefix=p" +
    "&after=a&limit=7";
  assert.deepEqual({ ...Object(parseQuery(search)) }, {
    offset: "-1",
    live: "sse",
    cursor: "9",
    timeoutMs: "5",
    maxBytes: "6",
    incarnation: "i",
    prefix: "p",
    after: "a",
    limit: "7",
  });
});

Deno.test("parseQuery() ignores what it does not know, and empty stretches", () => {
  assert.equal(parseQuery(""), EMPTY_QUERY);
  assert.equal(parseQuery("?"), EMPTY_QUERY);
  assert.deepEqual(parseQuery("?&&x=1&y&=z"), EMPTY_QUERY);
});

Deno.test("parseQuery() tells an empty value from a missing one", () => {
  assert.deepEqual(parseQuery("?offset="), { ...EMPTY_QUERY, offset: "" });
  assert.deepEqual(parseQuery("offset"), { ...EMPTY_QUERY, offset: "" });
});

Deno.test("parseQuery() takes max-bytes for max_bytes", () => {
  assert.deepEqual(parseQuery("?max-bytes=10"), { ...EMPTY_QUERY, maxBytes: "10" });
});

Deno.test("parseQuery() refuses a repeated offset, and takes the first of anything else", () => {
  assert.equal(parseQuery("?offset=1&offset=1"), "repeated_parameter");
  assert.equal(parseQuery("?offset=1&%6Fffset=2"), "repeated_parameter");
  assert.deepEqual(parseQuery("?limit=1&limit=2"), { ...EMPTY_QUERY, limit: "1" });
});

Deno.test("parseQuery() refuses encodings that are broken", () => {
  for (const search of ["?offset=%", "?a=%ff", "?%zz=1"]) {
    assert.equal(parseQuery(search), "invalid_query", search);
  }
});

Deno.test("parseQuery() reads what URLSearchParams writes", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  fc.assert(fc.property(text, text, (prefix, after) => {
    const search = new URLSearchParams({ after, other: "x", prefix }).toString();
    assert.deepEqual(parseQuery(search), { ...EMPTY_QUERY, prefix, after });
  }));
});

Deno.test("parseLive() knows long-poll and sse alone", () => {
  assert.equal(parseLive("long-poll"), "long-poll");
  assert.equal(parseLive("sse"), "sse");
  for (const text of ["", "SSE", "longpoll", "true"]) assert.equal(parseLive(text), undefined);
});

Deno.test("parseTimeoutMs(), parseMaxBytes() and parseLimit() keep to their bounds", () => {
  assert.deepEqual(["0", "60000", "60001", "x"].map(parseTimeoutMs), [
    0,
    60000,
    undefined,
    undefined,
  ]);
  assert.deepEqual(["0", "1", "-1"].map(parseMaxBytes), [undefined, 1, undefined]);
  assert.deepEqual(["0", "1", "1000", "1001"].map(parseLimit), [undefined, 1, 1000, undefined]);
});
