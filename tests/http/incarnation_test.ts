import assert from "node:assert/strict";
import { type Answer, fresh, serve } from "./client.ts";
import { assertError, assertStatus } from "./expect.ts";
import { EventReader } from "./sse.ts";

const api = serve();

const incarnation = (answer: Answer) => answer.headers.get("stream-incarnation") ?? "";

Deno.test("Stream-Incarnation stands on every answer about a stream that exists", async () => {
  const path = fresh();
  const made = await api.put(path, "text/plain", "a");
  const id = incarnation(made);
  assert.match(id, /^\S+$/);
  assert.equal(incarnation(await api.put(path, "text/plain")), id);
  assert.equal(incarnation(await api.post(path, "text/plain", "b")), id);
  assert.equal(incarnation(await api.get(path)), id);
  assert.equal(incarnation(await api.get(`${path}?offset=now`)), id);
  assert.equal(incarnation(await api.head(path)), id);
  assert.equal(incarnation(await api.get(`${path}?offset=-1&live=long-poll`)), id);
  await using reader = await EventReader.open(`${api.url}${path}?offset=-1&live=sse`);
  assert.equal(reader.response.headers.get("stream-incarnation"), id);
  const etag = (await api.get(path)).headers.get("etag") ?? "";
  const unchanged = await api.get(path, { "if-none-match": etag });
  assertStatus(unchanged, 304);
  assert.equal(incarnation(unchanged), id);
});

Deno.test("Stream-Incarnation is new after every create, and the ETag with it", async () => {
  const path = fresh();
  const seen = new Set<string>();
  const etags = new Set<string>();
  for (let life = 0; life < 5; life++) {
    seen.add(incarnation(await api.put(path, "text/plain", "same")));
    etags.add((await api.get(path)).headers.get("etag") ?? "");
    assertStatus(await api.delete(path), 204);
  }
  assert.equal(seen.size, 5);
  assert.equal(etags.size, 5);
});

Deno.test("an ETag of an earlier incarnation is not answered with 304", async () => {
  const path = fresh();
  await api.put(path, "text/plain", "same");
  const etag = (await api.get(path)).headers.get("etag") ?? "";
  await api.delete(path);
  await api.put(path, "text/plain", "same");
  assertStatus(await api.get(path, { "if-none-match": etag }), 200);
});

Deno.test("two streams have different incarnations", async () => {
  const answers = await Promise.all(
    Array.from({ length: 200 }, () => api.put(fresh(), "text/plain")),
  );
  assert.equal(new Set(answers.map(incarnation)).size, 200);
});

Deno.test("a request that names another incarnation gets 412 on every verb, and changes nothing", async () => {
  const path = fresh();
  const old = incarnation(await api.put(path, "text/plain", "old"));
  await api.delete(path);
  const current = incarnation(await api.put(path, "text/plain", "new"));

  for (const name of [old, "nonsense"]) {
    const headers = { "stream-incarnation": name };
    const query = `?incarnation=${encodeURIComponent(name)}`;
    const refused: readonly [string, Promise<Answer>][] = [
      ["GET header", api.get(path, headers)],
      ["GET query", api.get(path + query)],
      ["GET now", api.get(`${path}${query}&offset=now`)],
      ["GET beyond", api.get(`${path}${query}&offset=9`)],
      ["GET long-poll", api.get(`${path}${query}&offset=-1&live=long-poll`)],
      ["GET sse", api.get(`${path}?offset=-1&live=sse`, headers)],
      ["POST header", api.post(path, "text/plain", "x", headers)],
      ["POST query", api.post(path + query, "text/plain", "x")],
      ["POST close", api.post(path, undefined, undefined, { ...headers, "stream-closed": "true" })],
      ["DELETE header", api.delete(path, headers)],
      ["DELETE query", api.delete(path + query)],
    ];
    for (const [what, answer] of refused) {
      assertError(await answer, "incarnation_mismatch", what);
      assert.equal(incarnation(await answer), current, what);
    }
    assertStatus(await api.head(path, headers), 412, "HEAD header");
    assertStatus(await api.head(path + query), 412, "HEAD query");
  }
  const read = await api.get(path);
  assert.equal(read.text, "new");
  assert.equal(read.headers.get("stream-closed"), null);
});

Deno.test("a request that names the current incarnation goes through on every verb", async () => {
  const path = fresh();
  const id = incarnation(await api.put(path, "text/plain", "a"));
  const headers = { "stream-incarnation": id };
  assertStatus(await api.post(path, "text/plain", "b", headers), 204);
  assertStatus(await api.post(`${path}?incarnation=${id}`, "text/plain", "c"), 204);
  assert.equal((await api.get(path, headers)).text, "abc");
  assert.equal((await api.get(`${path}?incarnation=${id}&offset=1`)).text, "bc");
  assertStatus(await api.head(path, headers), 200);
  assertStatus(await api.delete(path, headers), 204);
});

Deno.test("naming an incarnation of a stream that is gone is 404", async () => {
  const path = fresh();
  const id = incarnation(await api.put(path, "text/plain", "a"));
  await api.delete(path);
  assertError(await api.get(path, { "stream-incarnation": id }), "stream_not_found");
  assertError(
    await api.post(path, "text/plain", "x", { "stream-incarnation": id }),
    "stream_not_found",
  );
});

Deno.test("an SSE read of an ended incarnation ends and delivers nothing of the next one", async () => {
  const path = fresh();
  await api.put(path, "text/plain", "first");
  await using reader = await EventReader.open(`${api.url}${path}?offset=-1&live=sse`);
  assert.equal(await reader.data(), "first");
  await reader.control();
  await api.delete(path);
  await api.put(path, "text/plain", "second life");
  await api.post(path, "text/plain", " goes on");
  for (const event of await reader.rest()) {
    assert.equal(event.event, "control", event.data);
    assert.doesNotMatch(event.data, /streamClosed/);
  }
});

Deno.test("a long-poll of an ended incarnation ends without bytes of the next one", async () => {
  const path = fresh();
  await api.put(path, "text/plain", "first");
  const waiting = api.get(`${path}?offset=5&live=long-poll&timeout_ms=5000`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await api.delete(path);
  await api.put(path, "text/plain", "second life");
  const answer = await waiting;
  assert.ok([404, 410, 412].includes(answer.status), `${answer.status} ${answer.text}`);
});

Deno.test("an incarnation is told apart across a restart", async () => {
  const { startServer } = await import("../server.ts");
  const { send } = await import("./client.ts");
  await using server = await startServer();
  const put = () =>
    send(`${server.url}/v1/stream/reborn`, "PUT", { headers: { "content-type": "text/plain" } });
  const seen = new Set([incarnation(await put())]);
  for (let life = 0; life < 3; life++) {
    await send(`${server.url}/v1/stream/reborn`, "DELETE");
    if (life % 2 === 0) await server.kill();
    await server.restart();
    seen.add(incarnation(await put()));
  }
  assert.equal(seen.size, 4);
});
