import assert from "node:assert/strict";
import { fresh, send, serve } from "./client.ts";
import { assertError, assertStatus, eventually, pause } from "./expect.ts";
import { EventReader } from "./sse.ts";
import { startServer } from "../server.ts";

const api = serve();

/** A stream may outlive its TTL by the interval at which reads are replicated; this bounds both. */
const EXPIRY_MS_MAX = 6_000;

Deno.test("a stream expires its TTL after the last touch; HEAD is no touch", async () => {
  const path = await api.create("text/plain", "x", { "stream-ttl": "1" });
  const began = performance.now();
  // HEAD all the time: were it a touch, the stream would live on.
  await eventually(async () => (await api.head(path)).status === 404, "expired", EXPIRY_MS_MAX);
  assert.ok(performance.now() - began > 900, "not before its TTL");
  assertError(await api.get(path), "stream_not_found");
  assertError(await api.post(path, "text/plain", "x"), "stream_not_found");
  assertError(await api.delete(path), "stream_not_found");
});

Deno.test("reads push the deadline back", async () => {
  const path = await api.create("text/plain", "x", { "stream-ttl": "1" });
  for (let at = 0; at < 16; at++) {
    await pause(250);
    assertStatus(await api.get(path), 200, `after ${at * 250} ms`);
  }
  await eventually(async () => (await api.head(path)).status === 404, "expired", EXPIRY_MS_MAX);
});

Deno.test("writes push the deadline back, closes too", async () => {
  const path = await api.create("text/plain", "x", { "stream-ttl": "1" });
  for (let at = 0; at < 12; at++) {
    await pause(250);
    assertStatus(await api.post(path, "text/plain", "y"), 204, `after ${at * 250} ms`);
  }
  await pause(700);
  assertStatus(await api.post(path, undefined, undefined, { "stream-closed": "true" }), 204);
  await pause(700);
  assertStatus(await api.head(path), 200);
  await eventually(async () => (await api.head(path)).status === 404, "expired", EXPIRY_MS_MAX);
});

Deno.test("a live reader holds the deadline off until it leaves", async () => {
  const path = await api.create("text/plain", "x", { "stream-ttl": "1" });
  {
    await using reader = await EventReader.open(`${api.url}${path}?offset=-1&live=sse`);
    await reader.data();
    await pause(4_000);
    assertStatus(await api.head(path), 200);
    // Nothing but live reading kept it, and it is still fed.
    await reader.control();
    await api.append(path, "text/plain", "y");
    assert.equal(await reader.data(), "y");
  }
  await eventually(async () => (await api.head(path)).status === 404, "expired", EXPIRY_MS_MAX);
});

Deno.test("Stream-Expires-At is a deadline that nothing pushes back", async () => {
  const at = new Date(Date.now() + 1_500).toISOString();
  const path = await api.create("text/plain", "x", { "stream-expires-at": at });
  assert.equal(
    new Date((await api.head(path)).headers.get("stream-expires-at") ?? "").getTime(),
    new Date(at).getTime(),
  );
  await eventually(async () => (await api.get(path)).status === 404, "expired", EXPIRY_MS_MAX);
  assert.ok(Date.now() >= new Date(at).getTime() - 50);
});

Deno.test("expiry ends live reads", async () => {
  const headers = { "stream-expires-at": new Date(Date.now() + 1_500).toISOString() };
  const path = await api.create("text/plain", "x", headers);
  await using reader = await EventReader.open(`${api.url}${path}?offset=-1&live=sse`);
  const poll = api.get(`${path}?offset=1&live=long-poll&timeout_ms=10000`);
  assert.equal(await reader.data(), "x");
  for (const event of await reader.rest(EXPIRY_MS_MAX)) {
    assert.equal(event.event, "control");
    assert.doesNotMatch(event.data, /streamClosed/, "an expired stream was not closed");
  }
  const answer = await poll;
  assert.ok([404, 410].includes(answer.status), `${answer.status} ${answer.text}`);
});

Deno.test("a path is free again after expiry", async () => {
  const path = await api.create("text/plain", "old", { "stream-ttl": "1" });
  await eventually(async () => (await api.head(path)).status === 404, "expired", EXPIRY_MS_MAX);
  assertStatus(await api.put(path, "application/json", "[1]"), 201);
  assert.equal((await api.get(path)).text, "[1]");
});

Deno.test("a create meets an expired stream that nobody looked at as a free path", async () => {
  const path = await api.create("text/plain", "old", { "stream-ttl": "0" });
  await eventually(
    async () => (await api.put(path, "text/html", "new")).status === 201,
    "created anew",
    EXPIRY_MS_MAX,
  );
  assert.equal((await api.get(path)).text, "new");
});

Deno.test("HEAD says the TTL, and a create with another one is refused", async () => {
  const path = await api.create("text/plain", "x", { "stream-ttl": "3600" });
  assert.equal((await api.head(path)).headers.get("stream-ttl"), "3600");
  assertStatus(await api.put(path, "text/plain", undefined, { "stream-ttl": "3600" }), 200);
  assertError(
    await api.put(path, "text/plain", undefined, { "stream-ttl": "3601" }),
    "stream_exists",
  );
  assertError(await api.put(path, "text/plain"), "stream_exists");
});

Deno.test("many streams expire, and none of those that have no TTL", async () => {
  const bucket = "/v1/stream/ttl-many";
  await Promise.all(
    Array.from(
      { length: 200 },
      (_, at) =>
        api.put(`${bucket}/${at}`, "text/plain", "x", at % 2 === 0 ? { "stream-ttl": "1" } : {}),
    ),
  );
  await eventually(
    async () => {
      const { streams } = JSON.parse((await api.get("/ttl-many/streams")).text);
      return streams.length === 100;
    },
    "every second one expired",
    EXPIRY_MS_MAX * 2,
  );
  for (let at = 1; at < 200; at += 20) assertStatus(await api.get(`${bucket}/${at}`), 200);
});

Deno.test("a deadline passes while the server is down", async () => {
  await using server = await startServer();
  const path = fresh();
  const put = (name: string, ttl: string) =>
    send(`${server.url}${path}${name}`, "PUT", {
      headers: { "content-type": "text/plain", "stream-ttl": ttl },
      body: "x",
    });
  assertStatus(await put("brief", "2"), 201);
  assertStatus(await put("long", "3600"), 201);
  await server.kill();
  await pause(2_500);
  await server.restart();
  assertStatus(await send(`${server.url}${path}long`, "GET"), 200);
  await eventually(
    async () => (await send(`${server.url}${path}brief`, "HEAD")).status === 404,
    "expired",
    EXPIRY_MS_MAX,
  );
});
