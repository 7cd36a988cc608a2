import assert from "node:assert/strict";
import { type Answer, fresh, offset, serve } from "./client.ts";
import { assertError, assertStatus, eventually, pause } from "./expect.ts";
import { EventReader } from "./sse.ts";

const api = serve();

/**
 * So many forks of one source that, with 64 groups, nearly all live in another group than their own
 * path's, and some in the same.
 */
const FORKS = 100;

function fork(path: string, source: string, headers: Record<string, string> = {}): Promise<Answer> {
  return api.put(path, undefined, undefined, { "stream-forked-from": source, ...headers });
}

Deno.test("forks whose paths hash to other groups read the source's bytes and their own", async () => {
  const source = await api.create("text/plain", "source:");
  const paths = Array.from({ length: FORKS }, fresh);
  for (const answer of await Promise.all(paths.map((path) => fork(path, source)))) {
    assertStatus(answer, 201);
    assert.equal(answer.headers.get("stream-next-offset"), offset(7));
    assert.equal(answer.headers.get("content-type"), "text/plain");
  }
  await api.append(source, "text/plain", "later");
  await Promise.all(paths.map((path, at) => api.append(path, "text/plain", `fork ${at}`)));
  for (const [at, path] of paths.entries()) {
    assert.equal((await api.get(path)).text, `source:fork ${at}`);
    assert.equal((await api.get(`${path}?offset=4`)).text, `ce:fork ${at}`);
    assertStatus(await api.head(path), 200);
  }
  assert.equal((await api.get(source)).text, "source:later");
  const lives = new Set<string | null>();
  for (const path of [source, ...paths]) {
    lives.add((await api.head(path)).headers.get("stream-incarnation"));
  }
  assert.equal(lives.size, FORKS + 1);
});

Deno.test("a source that was deleted lives for its forks, and goes with the last of them", async () => {
  const source = await api.create("text/plain", "abc");
  const paths = Array.from({ length: 10 }, fresh);
  for (const path of paths) assertStatus(await fork(path, source), 201);
  assertStatus(await api.delete(source), 204);
  assertError(await api.get(source), "stream_gone");
  assertError(await api.post(source, "text/plain", "x"), "stream_gone");
  assertError(await api.delete(source), "stream_gone");
  assertStatus(await api.head(source), 410);
  assertStatus(await api.put(source, "text/plain"), 409);
  for (const [at, path] of paths.entries()) {
    assert.equal((await api.get(path)).text, "abc");
    assertStatus(await api.delete(path), 204);
    assertError(await api.get(path), "stream_not_found");
    if (at < paths.length - 1) assertStatus(await api.head(source), 410);
  }
  await eventually(async () => (await api.head(source)).status === 404, "the source is gone");
  assertStatus(await api.put(source, "application/json", "[1]"), 201);
  assert.equal((await api.get(source)).text, "[1]");
});

Deno.test("a fork's path is free again after its deletion, for a stream and for a fork", async () => {
  const source = await api.create("text/plain", "abc");
  for (let round = 0; round < 12; round++) {
    const path = fresh();
    assertStatus(await fork(path, source), 201);
    assertStatus(await api.delete(path), 204);
    assertStatus(await api.put(path, "application/json", "[1]"), 201, `round ${round}`);
    assert.equal((await api.get(path)).text, "[1]");
    assertStatus(await api.delete(path), 204);
    assertStatus(await fork(path, source), 201);
    assert.equal((await api.get(path)).text, "abc");
  }
});

Deno.test("forks of forks go on, each group of its own, and the chain is cleaned up", async () => {
  const chain = [await api.create("text/plain", "0")];
  for (let depth = 1; depth <= 12; depth++) {
    const path = fresh();
    assertStatus(await fork(path, chain[depth - 1] ?? ""), 201);
    await api.append(path, "text/plain", depth.toString(16));
    chain.push(path);
  }
  const last = chain.pop() ?? "";
  assert.equal((await api.get(last)).text, "0123456789abc");
  for (const path of chain) assertStatus(await api.delete(path), 204);
  assert.equal((await api.get(last)).text, "0123456789abc");
  assertStatus(await api.delete(last), 204);
  for (const path of chain) {
    await eventually(async () => (await api.head(path)).status === 404, "the chain is gone");
  }
});

Deno.test("a fork begins at Stream-Fork-Offset and Stream-Fork-Sub-Offset", async () => {
  const text = await api.create("text/plain", "abcdef");
  const json = await api.create("application/json", "[10,20,30,40]");
  const rows: readonly [string, Record<string, string>, string][] = [
    [text, { "stream-fork-offset": offset(0) }, ""],
    [text, { "stream-fork-offset": offset(4) }, "abcd"],
    [text, { "stream-fork-offset": "0000000000000000_0000000000000004" }, "abcd"],
    [text, { "stream-fork-offset": offset(2), "stream-fork-sub-offset": "3" }, "abcde"],
    [text, { "stream-fork-offset": offset(6), "stream-fork-sub-offset": "0" }, "abcdef"],
    [json, { "stream-fork-offset": offset(3) }, "[10]"],
    [json, { "stream-fork-offset": offset(3), "stream-fork-sub-offset": "2" }, "[10,20,30]"],
    [json, {}, "[10,20,30,40]"],
  ];
  for (const [source, headers, body] of rows) {
    const path = fresh();
    assertStatus(await fork(path, source, headers), 201, JSON.stringify(headers));
    assert.equal((await api.get(path)).text, body, JSON.stringify(headers));
  }
});

Deno.test("a fork is refused for a bad source, offset, sub-offset or content type", async () => {
  const source = await api.create("text/plain", "abc");
  const json = await api.create("application/json", "[10,20]");
  const gone = await api.create("text/plain", "abc");
  assertStatus(await fork(fresh(), gone), 201);
  await api.delete(gone);
  const rows: readonly [string, string, Record<string, string>, number][] = [
    ["missing", fresh(), {}, 404],
    ["soft-deleted", gone, {}, 409],
    ["beyond the tail", source, { "stream-fork-offset": "4" }, 400],
    ["no offset", source, { "stream-fork-offset": "abc" }, 400],
    [
      "sub-offset beyond",
      source,
      { "stream-fork-offset": "2", "stream-fork-sub-offset": "2" },
      400,
    ],
    ["negative", source, { "stream-fork-offset": "0", "stream-fork-sub-offset": "-1" }, 400],
    ["no number", source, { "stream-fork-offset": "0", "stream-fork-sub-offset": "x" }, 400],
    ["within a message", json, { "stream-fork-offset": "1" }, 400],
    ["messages beyond", json, { "stream-fork-offset": "3", "stream-fork-sub-offset": "2" }, 400],
    ["content type", source, { "content-type": "text/html" }, 409],
    ["no path", "not a path", {}, 400],
    ["reserved path", "/v1/stream/__x/y", {}, 400],
  ];
  for (const [what, from, headers, status] of rows) {
    const path = fresh();
    const answer = await fork(path, from, headers);
    assertStatus(answer, status, what);
    assertStatus(await api.head(path), 404, `${what} leaves the path free`);
    assertStatus(await api.put(path, "text/plain"), 201, `${what} leaves the path free`);
  }
});

Deno.test("a fork may be asked for in flat and bucketed form", async () => {
  assertStatus(await api.put("/v1/stream/fork-bucket/a%2Fb", "text/plain", "abc"), 201);
  for (
    const source of [
      "/v1/stream/fork-bucket/a/b",
      "/fork-bucket/a%2Fb",
      "/v1/stream/fork-bucket/a%2fb",
    ]
  ) {
    const path = fresh();
    assertStatus(await fork(path, source), 201, source);
    assert.equal((await api.get(path)).text, "abc");
  }
});

Deno.test("creating a fork is idempotent with the same configuration alone", async () => {
  const source = await api.create("text/plain", "abc");
  for (let round = 0; round < 8; round++) {
    const path = fresh();
    const headers = { "stream-fork-offset": offset(2) };
    assertStatus(await fork(path, source, headers), 201);
    assertStatus(await fork(path, source, headers), 200);
    assertStatus(await fork(path, source, { "stream-fork-offset": offset(1) }), 409);
    assertStatus(await fork(path, await api.create("text/plain", "abc"), headers), 409);
    assert.equal((await api.get(path)).text, "ab");
  }
});

Deno.test("a fork and a plain create that race for a path: one of them gets it, whole", async () => {
  const source = await api.create("text/plain", "source");
  for (let round = 0; round < 40; round++) {
    const path = fresh();
    const [forked, plain] = await Promise.all([
      fork(path, source),
      api.put(path, "application/json", "[1]"),
    ]);
    const won = [forked, plain].filter((answer) => answer.status === 201);
    const other = forked.status === 201 ? plain : forked;
    assert.equal(won.length, 1, `${forked.status} ${plain.status}`);
    assertStatus(other, 409);
    assert.equal((await api.get(path)).text, forked.status === 201 ? "source" : "[1]");
  }
});

Deno.test("many creates of one fork at once make one", async () => {
  const source = await api.create("text/plain", "source");
  for (let round = 0; round < 10; round++) {
    const path = fresh();
    const answers = await Promise.all(Array.from({ length: 6 }, () => fork(path, source)));
    assert.equal(answers.filter((answer) => answer.status === 201).length, 1);
    for (const { status } of answers) assert.ok([200, 201, 409].includes(status), String(status));
    assert.equal((await api.get(path)).text, "source");
  }
});

Deno.test("a fork that races its source's deletion is whole or not there", async () => {
  for (let round = 0; round < 40; round++) {
    const source = await api.create("text/plain", "source");
    const path = fresh();
    const [forked, deleted] = await Promise.all([fork(path, source), api.delete(source)]);
    assertStatus(deleted, 204);
    if (forked.status === 201) {
      assert.equal((await api.get(path)).text, "source");
      assertStatus(await api.head(source), 410);
    } else {
      assert.ok([404, 409].includes(forked.status), String(forked.status));
      assertStatus(await api.head(path), 404);
      assertStatus(await api.put(path, "text/plain"), 201);
      assertStatus(await api.head(source), 404);
    }
  }
});

Deno.test("forks do not inherit producers, Stream-Seq or the closed state", async () => {
  const source = await api.create("text/plain", "a");
  const producer = { "producer-id": "p", "producer-epoch": "4", "producer-seq": "0" };
  await api.append(source, "text/plain", "b", { ...producer, "stream-seq": "m" });
  await api.post(source, undefined, undefined, { "stream-closed": "true" });
  for (let round = 0; round < 6; round++) {
    const path = fresh();
    assertStatus(await fork(path, source), 201);
    assert.equal((await api.head(path)).headers.get("stream-closed"), null);
    const first = { ...producer, "producer-epoch": "0", "stream-seq": "a" };
    assertStatus(await api.post(path, "text/plain", "c", first), 200);
    assert.equal((await api.get(path)).text, "abc");
  }
});

Deno.test("a live read of a fork delivers inherited bytes and the fork's own, never the source's later ones", async () => {
  const source = await api.create("text/plain", "abc");
  for (let round = 0; round < 6; round++) {
    const path = fresh();
    assertStatus(await fork(path, source), 201);
    await using reader = await EventReader.open(`${api.url}${path}?offset=1&live=sse`);
    let text = await reader.data();
    await reader.control();
    const poll = api.get(`${path}?offset=${offset(3 + round)}&live=long-poll&timeout_ms=5000`);
    await api.append(source, "text/plain", "S");
    await pause(50);
    await api.append(path, "text/plain", "f");
    text += await reader.data();
    assert.equal(text, "bc" + "S".repeat(round) + "f");
    assert.equal((await poll).text, "f");
  }
});

Deno.test("forks expire by themselves, and a deleted source goes with the last", async () => {
  const source = await api.create("text/plain", "abc");
  const paths = Array.from({ length: 6 }, fresh);
  for (const path of paths) assertStatus(await fork(path, source, { "stream-ttl": "1" }), 201);
  await api.delete(source);
  for (const path of paths) {
    await eventually(async () => (await api.head(path)).status === 404, "fork expired", 8_000);
  }
  await eventually(async () => (await api.head(source)).status === 404, "source gone", 8_000);
  for (const path of paths) assertStatus(await api.put(path, "text/plain", "new"), 201);
});
