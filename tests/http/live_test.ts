import assert from "node:assert/strict";
import { fresh, offset, serve } from "./client.ts";
import { assertError, assertStatus, pause } from "./expect.ts";
import { type Control, EventReader } from "./sse.ts";
import { RawConnection, request } from "./raw.ts";
import { startServer } from "../server.ts";

const api = serve();

const sse = (path: string, query = "offset=-1") =>
  EventReader.open(`${api.url}${path}?${query}&live=sse`);

Deno.test("SSE delivers what is there, then what comes, each followed by its control event", async () => {
  const path = await api.create("text/plain", "a");
  await using reader = await sse(path);
  assertHeaders(reader.response);
  assert.equal(await reader.data(), "a");
  assertControl(await reader.control(), 1);
  for (let at = 2; at < 20; at++) {
    await api.append(path, "text/plain", String(at % 10));
    assert.equal(await reader.data(), String(at % 10));
    assertControl(await reader.control(), at);
  }
});

Deno.test("SSE at the tail sends a control event at once", async () => {
  const path = await api.create("text/plain", "abc");
  for (const from of ["now", "3"]) {
    await using reader = await sse(path, `offset=${from}`);
    assertControl(await reader.control(2_000), 3);
    await api.append(path, "text/plain", "d");
    assert.equal(await reader.data(), "d");
    await reader.control();
    await api.delete(path);
    await api.put(path, "text/plain", "abc");
  }
});

Deno.test("SSE sends bytes that are no text as base64, and says so", async () => {
  for (const type of ["application/octet-stream", "image/png", "application/x-protobuf"]) {
    const bytes = Uint8Array.from({ length: 1000 }, (_, at) => (at * 7) & 0xff);
    const path = await api.create(type, bytes);
    await using reader = await sse(path);
    assert.equal(reader.response.headers.get("stream-sse-data-encoding"), "base64");
    assert.deepEqual(fromBase64(await reader.data()), bytes);
    await reader.control();
    for (const size of [1, 2, 3, 4]) {
      await api.append(path, type, bytes.subarray(0, size));
      assert.deepEqual(fromBase64(await reader.data()), bytes.subarray(0, size));
      await reader.control();
    }
  }
});

Deno.test("SSE sends text and JSON as they are", async () => {
  for (const type of ["text/plain", "text/event-stream", "application/json"]) {
    const path = await api.create(type);
    await using reader = await sse(path);
    assert.equal(reader.response.headers.get("stream-sse-data-encoding"), null, type);
    assert.match(reader.response.headers.get("content-type") ?? "", /^text\/event-stream/);
  }
});

Deno.test("SSE and long-polls that wait for one message get it each in its own form", async () => {
  const path = await api.create("application/json");
  // Whoever began to wait first is served first: both orders.
  for (const [at, sseFirst] of [true, false].entries()) {
    const from = offset(at * 8);
    const poll = () => api.get(`${path}?offset=${from}&live=long-poll`);
    const early = sseFirst ? undefined : poll();
    if (!sseFirst) await pause(100);
    await using reader = await sse(path, `offset=${from}`);
    await reader.control();
    const late = sseFirst ? poll() : undefined;
    await pause(100);
    await api.append(path, "application/json", `{"n": ${at}}`);
    assert.equal((await (early ?? late))?.text, `[{"n":${at}}]`);
    assert.equal(await reader.data(), `[{"n":${at}}]`);
    assert.equal((await reader.control()).streamNextOffset, offset(at * 8 + 8));
  }
});

Deno.test("SSE keeps line feeds, and no line of a stream becomes an event of its own", async () => {
  const text = "one\ntwo\n\nevent: control\ndata: {}\n\n: comment\nid: 7\n";
  const path = await api.create("text/plain", text);
  await using reader = await sse(path);
  assert.equal(await reader.data(), text);
  assertControl(await reader.control(), text.length);
  for (
    const evil of [
      "a\r\nevent: control\r\ndata: {}\r\n\r\nb",
      "a\r\revent: control\r\rb",
      "\r",
      "\n",
    ]
  ) {
    await api.append(path, "text/plain", evil);
    const data = await reader.data();
    assert.equal(data.replaceAll(/[\r\n]+/g, "\n"), evil.replaceAll(/[\r\n]+/g, "\n"));
    const control = await reader.control();
    assert.match(control.streamNextOffset, /^\d{20}$/);
  }
});

Deno.test("SSE never breaks a code point that was appended in one piece", async () => {
  const path = await api.create("text/plain");
  await using reader = await sse(path);
  await reader.control();
  const text = "é€😀".repeat(20_000);
  await api.append(path, "text/plain", text);
  let got = "";
  while (got.length < text.length) {
    got += await reader.data();
    await reader.control();
  }
  assert.equal(got, text);
});

Deno.test("SSE ends with streamClosed when the stream is closed", async () => {
  const path = await api.create("text/plain", "a");
  await using reader = await sse(path);
  assert.equal(await reader.data(), "a");
  await reader.control();
  await api.post(path, "text/plain", "b", { "stream-closed": "true" });
  assert.equal(await reader.data(), "b");
  assertClosed(await reader.control(), 2);
  assert.equal(await reader.next(), undefined);
});

Deno.test("SSE ends with streamClosed when the stream is closed without data", async () => {
  const path = await api.create("text/plain", "a");
  await using reader = await sse(path, "offset=now");
  await reader.control();
  await api.post(path, undefined, undefined, { "stream-closed": "true" });
  assertClosed(await reader.control(), 1);
  assert.equal(await reader.next(), undefined);
});

Deno.test("SSE of a closed stream delivers the rest and ends", async () => {
  const path = await api.create("application/json", "[1,2]", { "stream-closed": "true" });
  {
    await using reader = await sse(path);
    assert.deepEqual(JSON.parse(await reader.data()), [1, 2]);
    assertClosed(await reader.control(), 4);
    assert.equal(await reader.next(), undefined);
  }
  await using reader = await sse(path, "offset=4");
  assertClosed(await reader.control(), 4);
  assert.equal(await reader.next(), undefined);
});

Deno.test("SSE ends without streamClosed when the stream is deleted", async () => {
  const path = await api.create("text/plain", "a");
  await using reader = await sse(path);
  assert.equal(await reader.data(), "a");
  await api.delete(path);
  for (const event of await reader.rest(3_000)) assert.doesNotMatch(event.data, /streamClosed/);
});

Deno.test("SSE ends when the stream is soft-deleted", async () => {
  const path = await api.create("text/plain", "a");
  assertStatus(await api.put(fresh(), undefined, undefined, { "stream-forked-from": path }), 201);
  await using reader = await sse(path);
  assert.equal(await reader.data(), "a");
  await api.delete(path);
  for (const event of await reader.rest(3_000)) assert.doesNotMatch(event.data, /streamClosed/);
});

Deno.test("SSE needs a stream that exists, an offset, and a known mode", async () => {
  const path = await api.create("text/plain", "a");
  assertError(await api.get(`${fresh()}?offset=0&live=sse`), "stream_not_found");
  assertError(await api.get(`${path}?live=sse`), "offset_required");
  assertError(await api.get(`${path}?offset=0&live=websocket`), "invalid_live");
});

Deno.test("the cursor never goes back, on one connection and over reconnects", async () => {
  const path = await api.create("text/plain", "a");
  let cursor = 0;
  let from = "-1";
  for (let round = 0; round < 8; round++) {
    const query = `offset=${from}${round === 0 ? "" : `&cursor=${cursor}`}`;
    await using reader = await sse(path, query);
    if (round === 0) await reader.data();
    let last = cursor;
    for (let at = 0; at < 3; at++) {
      if (at > 0) {
        await api.append(path, "text/plain", "x");
        await reader.data();
      }
      const control = await reader.control();
      const now = Number(control.streamCursor);
      if (at === 0) assert.ok(now > cursor, `${now} is not above ${cursor}`);
      assert.ok(now >= last, `${now} after ${last}`);
      last = now;
      from = control.streamNextOffset;
    }
    cursor = last;
    const polled = await api.get(`${path}?offset=0&live=long-poll&cursor=${cursor}`);
    const after = Number(polled.headers.get("stream-cursor"));
    assert.ok(after > cursor);
    cursor = after;
  }
});

Deno.test("a cursor that no server gave is refused or answered with a greater one", async () => {
  const path = await api.create("text/plain", "a");
  for (const cursor of ["", "abc", "-5", "0", "99999999999", "9007199254740991", "1".repeat(40)]) {
    const answer = await api.get(`${path}?offset=0&live=long-poll&cursor=${cursor}`);
    if (answer.status === 400) {
      assertError(answer, "invalid_cursor", cursor);
      continue;
    }
    assertStatus(answer, 200, cursor);
    const given = answer.headers.get("stream-cursor") ?? "";
    assert.match(given, /^\d+$/);
    if (/^\d+$/.test(cursor)) assert.ok(BigInt(given) > BigInt(cursor), `${given} for ${cursor}`);
  }
});

Deno.test("300 SSE readers of one stream all get every message once and in order", async () => {
  const path = await api.create("text/plain");
  const readers = await Promise.all(Array.from({ length: 300 }, () => sse(path, "offset=now")));
  const texts = readers.map(async (reader) => {
    let text = "";
    while (text.length < 100) {
      const event = await reader.next();
      assert.ok(event, "ended early");
      if (event.event === "data") text += event.data;
    }
    return text;
  });
  let expected = "";
  for (let at = 0; at < 20; at++) {
    const message = `<${String(at).padStart(3, "0")}>`;
    expected += message;
    await api.append(path, "text/plain", message);
  }
  for (const text of await Promise.all(texts)) assert.equal(text, expected);
  await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()));
});

Deno.test("a reader that reads nothing is bounded, and harms no other", async () => {
  const path = await api.create("text/plain");
  const before = await api.server.residentBytes();
  const slow: RawConnection[] = [];
  for (let at = 0; at < 20; at++) {
    const connection = await RawConnection.open(api.server.address);
    await connection.write(request("GET", `${path}?offset=now&live=sse`));
    slow.push(connection);
  }
  await using reader = await sse(path, "offset=now");
  await reader.control();
  const body = "x".repeat(512 * 1024);
  let received = 0;
  for (let at = 0; at < 60; at++) {
    await api.append(path, "text/plain", body);
    while (received < (at + 1) * body.length) {
      received += (await reader.data()).length;
      await reader.control();
    }
  }
  const grown = (await api.server.residentBytes() - before) / 2 ** 20;
  for (const connection of slow) connection[Symbol.dispose]();
  // 30 MiB of stream; buffered for each of the 20 it would be 600 MiB.
  assert.ok(grown < 400, `memory grew by ${Math.round(grown)} MiB`);
  console.log(`20 stalled readers, 30 MiB appended: memory grew by ${Math.round(grown)} MiB`);
});

Deno.test("a reader that goes away leaves nothing behind that breaks the stream", async () => {
  const path = await api.create("text/plain");
  for (let at = 0; at < 50; at++) {
    const reader = await sse(path, "offset=now");
    await reader[Symbol.asyncDispose]();
    await api.append(path, "text/plain", "x");
  }
  assert.equal((await api.get(path)).text.length, 50);
});

Deno.test("SSE sends a comment after 15 s of silence, and ends at --sse-max-age", async () => {
  await using server = await startServer({ memory: true, args: ["--sse-max-age", "18s"] });
  const url = `${server.url}${fresh()}`;
  await (await fetch(url, { method: "PUT", headers: { "content-type": "text/plain" }, body: "a" }))
    .bytes();
  const began = performance.now();
  await using reader = await EventReader.open(`${url}?offset=-1&live=sse`);
  assert.equal(await reader.data(), "a");
  await reader.control();
  const event = await reader.nextOrComment(20_000);
  assert.equal(event?.event, "comment");
  const comment = (performance.now() - began) / 1000;
  assert.ok(comment > 10 && comment < 17, `a comment after ${comment.toFixed(1)} s`);
  assert.equal(await reader.next(10_000), undefined, "closed by age");
  const age = (performance.now() - began) / 1000;
  assert.ok(age > 14 && age < 22, `ended after ${age.toFixed(1)} s`);
});

Deno.test("a reader that --sse-max-age has sent away misses nothing when it comes back", async () => {
  await using server = await startServer({ memory: true, args: ["--sse-max-age", "1s"] });
  const url = `${server.url}${fresh()}`;
  const type = { "content-type": "text/plain" };
  await (await fetch(url, { method: "PUT", headers: type })).bytes();
  let expected = "";
  const writing = (async () => {
    for (let at = 0; at < 80; at++) {
      await (await fetch(url, { method: "POST", headers: type, body: `${at};` })).bytes();
      expected += `${at};`;
      await pause(40);
    }
  })();
  let text = "";
  let from = "-1";
  let connections = 0;
  while (!text.endsWith("79;")) {
    await using reader = await EventReader.open(`${url}?offset=${from}&live=sse`);
    connections++;
    for (let event = await reader.next(); event !== undefined; event = await reader.next()) {
      if (event.event === "data") text += event.data;
      else from = JSON.parse(event.data).streamNextOffset;
    }
  }
  await writing;
  assert.equal(text, expected);
  assert.ok(connections > 2, `${connections} connections`);
});

function assertHeaders(response: Response): void {
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
  assert.equal(response.headers.get("content-encoding"), null);
}

function assertControl(control: Control, tail: number): void {
  assert.equal(control.streamNextOffset, offset(tail));
  assert.match(control.streamCursor ?? "", /^\d+$/);
  assert.equal(control.upToDate, true);
  assert.equal(control.streamClosed, undefined);
}

function assertClosed(control: Control, tail: number): void {
  assert.equal(control.streamNextOffset, offset(tail));
  assert.equal(control.streamClosed, true);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll(/[\r\n]/g, "")), (unit) => unit.charCodeAt(0));
}
