import assert from "node:assert/strict";
import type { ReadPlan } from "../stream/mod.ts";
import { givenPlane } from "../tests/given/plane.ts";
import { factsOf } from "../tests/given/facts.ts";
import { etagOf, matches } from "./read.ts";

const MIB = 1024 * 1024;

const ETAG = '"i:0:3"';

Deno.test("matches() compares weakly, with each tag of a list or any", () => {
  for (const text of [ETAG, `W/${ETAG}`, `"x", ${ETAG}`, `"x",W/${ETAG} ,"y"`, "*", " * "]) {
    assert.equal(matches(text, ETAG), true, text);
  }
  for (const text of [null, "", "i:0:3", '"i:0:30"', '"x", "y"', '"*"', `w/${ETAG}`, "W/*"]) {
    assert.equal(matches(text, ETAG), false, `${text}`);
  }
});

Deno.test("etagOf() tells incarnations, stretches and the end apart", () => {
  const facts = factsOf();
  const plan: ReadPlan = {
    facts,
    from: 0,
    next: 3,
    slices: [],
    upToDate: true,
    snapshot: undefined,
  };
  const closed = { ...facts, closed: true };
  const tags = [
    plan,
    { ...plan, facts: { ...facts, incarnation: "j" } },
    { ...plan, next: 2, upToDate: false },
    { ...plan, from: 1 },
    { ...plan, facts: closed },
  ].map(etagOf);
  assert.equal(tags[0], ETAG);
  assert.equal(new Set(tags).size, tags.length);
  const cut = { ...plan, upToDate: false };
  assert.equal(etagOf({ ...cut, facts: closed }), etagOf(cut), "the end is not in it");
});

async function withStream(body: string, headers: HeadersInit = { "content-type": "text/plain" }) {
  const given = await givenPlane();
  await given.ask("PUT", "/v1/stream/a", body, headers);
  return given;
}

Deno.test("a GET with the tag of what is there is answered 304, until something is added", async () => {
  const { ask, close } = await withStream("abc");
  const first = await ask("GET", "/v1/stream/a");
  const etag = first.headers.get("etag") ?? "";
  assert.equal(await first.text(), "abc");
  const again = await ask("GET", "/v1/stream/a", undefined, { "if-none-match": etag });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
  assert.equal(again.headers.get("etag"), etag);
  assert.equal(again.headers.get("stream-up-to-date"), "true");
  await ask("POST", "/v1/stream/a", "d");
  const more = await ask("GET", "/v1/stream/a", undefined, { "if-none-match": etag });
  assert.deepEqual([more.status, await more.text()], [200, "abcd"]);
  await close();
});

Deno.test("only what never changes may be kept", async () => {
  const { ask, close } = await withStream("a".repeat(10));
  const kept = async (query: string) =>
    (await ask("GET", `/v1/stream/a?${query}`)).headers.get("cache-control");
  assert.match(await kept("offset=-1&max_bytes=4") ?? "", /^public/);
  assert.equal(await kept("offset=-1"), "no-cache");
  assert.equal(await kept("offset=now"), "no-store");
  const head = await ask("HEAD", "/v1/stream/a");
  assert.equal(head.headers.get("cache-control"), "no-store");
  await close();
});

Deno.test("a JSON stream is answered as an array, cut at a message's end", async () => {
  const { ask, close } = await withStream("[1,[2],3]", { "content-type": "application/json" });
  const page = async (query: string) => {
    const response = await ask("GET", `/v1/stream/a?${query}`);
    return [await response.json(), response.headers.get("stream-up-to-date")];
  };
  assert.deepEqual(await page("offset=-1"), [[1, [2], 3], "true"]);
  assert.deepEqual(await page("offset=-1&max_bytes=7"), [[1, [2]], null]);
  assert.deepEqual(await page("offset=2&max_bytes=1"), [[[2]], null]);
  assert.deepEqual(await page("offset=now"), [[], "true"]);
  await close();
});

Deno.test("an offset beyond the tail is answered in the client's own words", async () => {
  const { ask, close } = await withStream("abc");
  for (const offset of ["7", "0000000000000007", "99999999999999999999"]) {
    const { headers, status } = await ask("GET", `/v1/stream/a?offset=${offset}`);
    assert.deepEqual([status, headers.get("stream-next-offset")], [200, offset.padStart(20, "0")]);
  }
  await close();
});

Deno.test("a read gets less at a time as clients take less of what is on its way", async () => {
  const { begin, ask, clock, close } = await givenPlane({ outgoingBytesMax: 4 * MIB });
  const url = "/v1/stream/a";
  await ask("PUT", url, new Uint8Array(4 * MIB));
  const lengthOf = ({ headers }: Response) => Number(headers.get("content-length"));
  const first = await clock.until(begin("GET", `${url}?offset=-1`));
  assert.equal(lengthOf(first), MIB / 2);
  const stalled = [first];
  for (let at = 1; at < 60; at++) {
    const response = await clock.until(begin("GET", `${url}?offset=${at}`));
    if (response.body !== null && lengthOf(response) > 0) stalled.push(response);
  }
  const next = await clock.until(begin("GET", `${url}?offset=70`));
  assert.equal((await next.bytes()).length, 64 * 1024);
  for (const response of stalled) await response.body?.cancel();
  const last = await clock.until(begin("GET", `${url}?offset=80`));
  assert.equal((await last.bytes()).length, MIB / 2);
  await close();
});
