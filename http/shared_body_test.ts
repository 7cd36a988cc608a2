import assert from "node:assert/strict";
import { SharedBody } from "./shared_body.ts";

const BYTES = new TextEncoder().encode("for all");

function headersOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries(headers);
}

Deno.test("response() gives each its own headers, and all the same bytes", async () => {
  const body = new SharedBody(BYTES);
  const answers = ["1", "2", "3"].map((cursor) =>
    body.response(200, { etag: "e", "content-type": "text/plain" }, { "stream-cursor": cursor })
  );
  for (const [at, answer] of answers.entries()) {
    assert.equal(answer.status, 200);
    const common = { etag: "e", "content-type": "text/plain" };
    assert.deepEqual(headersOf(answer), { ...common, "stream-cursor": `${at + 1}` });
    assert.equal(await answer.text(), "for all");
  }
  assert.deepEqual(headersOf(body.response(200, { etag: "e" }, undefined)), { etag: "e" });
});

Deno.test("response() tells apart who is to be told something else", async () => {
  const body = new SharedBody(BYTES);
  const asked: [number, Record<string, string>][] = [
    [200, { a: "1" }],
    [200, { a: "1", b: "2" }],
    [200, { a: "1" }],
    [200, { b: "2" }],
    [200, { a: "2" }],
    [206, { a: "2" }],
  ];
  for (const [status, headers] of asked) {
    const answer = body.response(status, headers, undefined);
    assert.deepEqual([answer.status, headersOf(answer)], [status, headers]);
    assert.equal(await answer.text(), "for all");
  }
});

Deno.test("isAsked is false for the first alone", () => {
  const body = new SharedBody(BYTES);
  assert.deepEqual([body.isAsked, body.isAsked, body.isAsked], [false, true, true]);
});
