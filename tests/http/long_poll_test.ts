import assert from "node:assert/strict";
import { fresh, offset, serve } from "./client.ts";
import { assertError, assertStatus, pause } from "./expect.ts";

const api = serve({ memory: true, args: ["--long-poll-timeout", "700ms"] });

Deno.test("a long-poll with data to read answers at once", async () => {
  const path = await api.create("text/plain", "abc");
  const began = performance.now();
  const answer = await api.get(`${path}?offset=1&live=long-poll`);
  assertStatus(answer, 200);
  assert.equal(answer.text, "bc");
  assert.ok(answer.headers.get("stream-cursor"));
  assert.equal(answer.headers.get("stream-up-to-date"), "true");
  assert.ok(performance.now() - began < 500);
});

Deno.test("a long-poll at the tail waits --long-poll-timeout and answers 204", async () => {
  const path = await api.create("text/plain", "abc");
  const began = performance.now();
  const answer = await api.get(`${path}?offset=3&live=long-poll`);
  const waited = performance.now() - began;
  assertStatus(answer, 204);
  assert.equal(answer.text, "");
  assert.equal(answer.headers.get("stream-next-offset"), offset(3));
  assert.equal(answer.headers.get("stream-up-to-date"), "true");
  assert.match(answer.headers.get("stream-cursor") ?? "", /^\d+$/);
  assert.ok(waited > 600 && waited < 2_500, `${waited} ms`);
});

Deno.test("timeout_ms sets the wait of one request", async () => {
  const path = await api.create("text/plain", "abc");
  for (
    const [timeout, least, most] of [[0, 0, 500], [150, 130, 600], [1500, 1400, 3000]] as const
  ) {
    const began = performance.now();
    assertStatus(
      await api.get(`${path}?offset=3&live=long-poll&timeout_ms=${timeout}`),
      204,
      String(timeout),
    );
    const waited = performance.now() - began;
    assert.ok(waited >= least && waited <= most, `${timeout}: ${waited} ms`);
  }
});

Deno.test("timeout_ms is 400 when it is not 0 to 60000", async () => {
  const path = await api.create("text/plain", "abc");
  for (const timeout of ["-1", "60001", "x", "", "1.5", "1s", "1e3", "99999999999999999999"]) {
    assertError(
      await api.get(`${path}?offset=3&live=long-poll&timeout_ms=${timeout}`),
      "invalid_timeout",
      timeout,
    );
  }
});

Deno.test("an append wakes every long-poll that waits", async () => {
  const path = await api.create("text/plain", "abc");
  const waiting = Array.from(
    { length: 50 },
    () => api.get(`${path}?offset=3&live=long-poll&timeout_ms=10000`),
  );
  await pause(200);
  const began = performance.now();
  await api.append(path, "text/plain", "de");
  for (const answer of await Promise.all(waiting)) {
    assertStatus(answer, 200);
    assert.equal(answer.text, "de");
    assert.equal(answer.headers.get("stream-next-offset"), offset(5));
  }
  assert.ok(performance.now() - began < 2_000);
});

Deno.test("an append elsewhere wakes nobody", async () => {
  const [path, other] = [await api.create("text/plain", "abc"), await api.create("text/plain")];
  const waiting = api.get(`${path}?offset=3&live=long-poll`);
  await pause(100);
  await api.append(other, "text/plain", "x");
  assertStatus(await waiting, 204);
});

Deno.test("a close ends a long-poll with 204 and Stream-Closed", async () => {
  const path = await api.create("text/plain", "abc");
  const waiting = api.get(`${path}?offset=3&live=long-poll&timeout_ms=10000`);
  await pause(100);
  await api.post(path, undefined, undefined, { "stream-closed": "true" });
  const answer = await waiting;
  assertStatus(answer, 204);
  assert.equal(answer.headers.get("stream-closed"), "true");
  assert.equal(answer.headers.get("stream-up-to-date"), "true");
  assert.equal(answer.headers.get("stream-next-offset"), offset(3));
});

Deno.test("a close with a last append ends a long-poll with that append", async () => {
  const path = await api.create("text/plain", "abc");
  const waiting = api.get(`${path}?offset=3&live=long-poll&timeout_ms=10000`);
  await pause(100);
  await api.post(path, "text/plain", "end", { "stream-closed": "true" });
  const answer = await waiting;
  assertStatus(answer, 200);
  assert.equal(answer.text, "end");
  assert.equal(answer.headers.get("stream-closed"), "true");
});

Deno.test("a long-poll at the end of a closed stream does not wait", async () => {
  const path = await api.create("text/plain", "abc", { "stream-closed": "true" });
  const began = performance.now();
  const answer = await api.get(`${path}?offset=3&live=long-poll&timeout_ms=10000`);
  assertStatus(answer, 204);
  assert.equal(answer.headers.get("stream-closed"), "true");
  assert.ok(performance.now() - began < 1_000);
});

Deno.test("a deletion ends a long-poll with 404", async () => {
  const path = await api.create("text/plain", "abc");
  const waiting = api.get(`${path}?offset=3&live=long-poll&timeout_ms=10000`);
  await pause(100);
  await api.delete(path);
  assertError(await waiting, "stream_not_found");
});

Deno.test("a soft deletion ends a long-poll with 410", async () => {
  const path = await api.create("text/plain", "abc");
  assertStatus(await api.put(fresh(), undefined, undefined, { "stream-forked-from": path }), 201);
  const waiting = api.get(`${path}?offset=3&live=long-poll&timeout_ms=10000`);
  await pause(100);
  await api.delete(path);
  assertError(await waiting, "stream_gone");
});

Deno.test("a reader that follows by long-poll misses nothing and sees nothing twice", async () => {
  const path = await api.create("application/json");
  const writing = (async () => {
    for (let at = 0; at < 200; at++) await api.append(path, "application/json", String(at));
    await api.post(path, undefined, undefined, { "stream-closed": "true" });
  })();
  const read: number[] = [];
  let from = "-1";
  let cursor = "";
  for (;;) {
    const answer = await api.get(`${path}?offset=${from}&live=long-poll${cursor}`);
    if (answer.status === 200) read.push(...JSON.parse(answer.text));
    from = answer.headers.get("stream-next-offset") ?? "";
    if (answer.headers.get("stream-closed") === "true") break;
    cursor = `&cursor=${answer.headers.get("stream-cursor")}`;
  }
  await writing;
  assert.deepEqual(read, Array.from({ length: 200 }, (_, at) => at));
});

Deno.test("a client that hangs up while it waits leaves the stream as it was", async () => {
  const path = await api.create("text/plain", "abc");
  for (let at = 0; at < 30; at++) {
    const abort = new AbortController();
    const waiting = fetch(`${api.url}${path}?offset=3&live=long-poll&timeout_ms=60000`, {
      signal: abort.signal,
    }).catch(() => {});
    await pause(5);
    abort.abort();
    await waiting;
  }
  await api.append(path, "text/plain", "d");
  assert.equal((await api.get(path)).text, "abcd");
});
