import assert from "node:assert/strict";
import { SharedBody } from "./shared_body.ts";

const BYTES = new TextEncoder().encode("for all");

function headersOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries(headers);
}

Deno.test("response() gives each the same bytes and headers, to be taken on its own", async () => {
  const body = new SharedBody(BYTES);
  const headers = { etag: "e", "content-type": "text/plain" };
  const answers = [1, 2, 3].map(() => body.response(200, { ...headers }));
  for (const answer of answers) {
    assert.equal(answer.status, 200);
    assert.deepEqual(headersOf(answer), headers);
    answer.headers.set("etag", "mine");
    assert.equal(await answer.text(), "for all");
  }
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
    const answer = body.response(status, headers);
    assert.deepEqual([answer.status, headersOf(answer)], [status, headers]);
    assert.equal(await answer.text(), "for all");
  }
});

Deno.test("ask() is false for the first, unless more are known to come", () => {
  const body = new SharedBody(BYTES);
  assert.deepEqual([body.ask(), body.ask(), body.ask()], [false, true, true]);
  assert.equal(new SharedBody(BYTES, true).ask(), true);
});

Deno.test("packed() packs once, and anew where that has failed", async () => {
  const body = new SharedBody(BYTES);
  let tries = 0;
  const pack = (bytes: Uint8Array) =>
    ++tries === 1 ? Promise.reject(new Error("no memory")) : Promise.resolve(bytes.slice(0, 3));
  await assert.rejects(body.packed(pack), /no memory/);
  const [one, other] = await Promise.all([body.packed(pack), body.packed(pack)]);
  assert.equal(one, other);
  assert.deepEqual([one.bytes, tries], [BYTES.slice(0, 3), 2]);
});
