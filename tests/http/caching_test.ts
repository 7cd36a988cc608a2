import assert from "node:assert/strict";
import { offset, serve } from "./client.ts";
import { assertStatus } from "./expect.ts";
import { EventReader } from "./sse.ts";

const api = serve({ memory: true, args: ["--long-poll-timeout", "300ms"] });

const PARTIAL = "public, max-age=60, stale-while-revalidate=300";

Deno.test("a catch-up read that reaches the tail is no-cache with an ETag", async () => {
  const path = await api.create("text/plain", "abcdef");
  for (const query of ["", "?offset=-1", "?offset=3", "?offset=6", "?offset=0&max_bytes=6"]) {
    const { headers } = await api.get(path + query);
    assert.equal(headers.get("cache-control"), "no-cache", query);
    assert.match(headers.get("etag") ?? "", /^(W\/)?"[^"]+"$/, query);
    assert.equal(headers.get("stream-up-to-date"), "true", query);
  }
});

Deno.test("a catch-up read that ends before the tail may be cached by all", async () => {
  const path = await api.create("text/plain", "abcdef");
  for (const query of ["?max_bytes=5", "?offset=2&max_bytes=3", "?offset=-1&max-bytes=1"]) {
    const { headers } = await api.get(path + query);
    assert.equal(headers.get("cache-control"), PARTIAL, query);
    assert.match(headers.get("etag") ?? "", /"/, query);
    assert.equal(headers.get("stream-up-to-date"), null, query);
  }
});

Deno.test("an answer cut before the tail keeps its bytes and its ETag when the stream grows", async () => {
  const path = await api.create("text/plain", "abcdef");
  const before = await api.get(`${path}?offset=1&max_bytes=3`);
  await api.append(path, "text/plain", "ghi");
  await api.append(path, "text/plain", "j", { "stream-closed": "true" });
  const after = await api.get(`${path}?offset=1&max_bytes=3`);
  assert.equal(after.text, "bcd");
  assert.equal(after.headers.get("etag"), before.headers.get("etag"));
  assertStatus(
    await api.get(`${path}?offset=1&max_bytes=3`, {
      "if-none-match": before.headers.get("etag") ?? "",
    }),
    304,
  );
});

Deno.test("If-None-Match is 304 without a body when it names the ETag", async () => {
  const path = await api.create("text/plain", "abc");
  const etag = (await api.get(path)).headers.get("etag") ?? "";
  for (const value of [etag, `"other", ${etag}`, `${etag} , "other"`, `W/${etag}`, "*"]) {
    const answer = await api.get(path, { "if-none-match": value });
    assertStatus(answer, 304, value);
    assert.equal(answer.bytes.length, 0);
    assert.equal(answer.headers.get("etag"), etag);
    assert.equal(answer.headers.get("stream-next-offset"), offset(3));
  }
  for (const value of [`"other"`, "", etag.slice(0, -2) + '"']) {
    assertStatus(await api.get(path, { "if-none-match": value }), 200, value);
  }
});

Deno.test("the ETag changes with an append, a close, and the place that is read", async () => {
  const path = await api.create("text/plain", "abc");
  const etag = async (query = "") => (await api.get(path + query)).headers.get("etag");
  const seen = [await etag(), await etag("?offset=1"), await etag("?offset=3")];
  await api.append(path, "text/plain", "d");
  seen.push(await etag(), await etag("?offset=4"));
  await api.post(path, undefined, undefined, { "stream-closed": "true" });
  seen.push(await etag(), await etag("?offset=4"));
  assert.equal(new Set(seen).size, seen.length, seen.join(" "));
  assert.equal(await etag(), await etag("?offset=-1"));
});

Deno.test("HEAD and offset=now are not to be stored, now has no ETag", async () => {
  const path = await api.create("text/plain", "abc");
  assert.equal((await api.head(path)).headers.get("cache-control"), "no-store");
  const now = await api.get(`${path}?offset=now`);
  assert.equal(now.headers.get("cache-control"), "no-store");
  assert.equal(now.headers.get("etag"), null);
  assert.equal(now.text, "");
  assert.equal(now.headers.get("stream-next-offset"), offset(3));
});

Deno.test("an empty long-poll is not to be cached, and SSE neither", async () => {
  const path = await api.create("text/plain", "abc");
  const empty = await api.get(`${path}?offset=3&live=long-poll`);
  assertStatus(empty, 204);
  assert.match(empty.headers.get("cache-control") ?? "no-cache", /no-(cache|store)/);
  await using reader = await EventReader.open(`${api.url}${path}?offset=0&live=sse`);
  assert.match(reader.response.headers.get("cache-control") ?? "", /no-(cache|store)/);
});

Deno.test("errors are not to be cached", async () => {
  for (const path of ["/v1/stream/caching/none", "/v1/stream/caching/none?offset=x"]) {
    const cache = (await api.get(path)).headers.get("cache-control");
    assert.match(cache ?? "", /no-(cache|store)/, path);
  }
});

Deno.test("every answer carries the browser security headers", async () => {
  const path = await api.create("text/plain", "abc");
  const answers = [
    await api.get(path),
    await api.head(path),
    await api.post(path, "text/plain", "d"),
    await api.put(path, "text/plain"),
    await api.get(`${path}?offset=x`),
    await api.get("/healthz"),
    await api.get("/nothing/here/at/all"),
  ];
  for (const { headers, status } of answers) {
    assert.equal(headers.get("x-content-type-options"), "nosniff", String(status));
    assert.equal(headers.get("cross-origin-resource-policy"), "cross-origin", String(status));
  }
});
