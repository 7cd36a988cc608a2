import assert from "node:assert/strict";
import { offset, serve } from "./client.ts";
import { assertError, assertStatus, pause } from "./expect.ts";
import { EventReader } from "./sse.ts";

const api = serve();

Deno.test("an offset is taken as 1 to 20 digits and in the reference's form", async () => {
  const path = await api.create("text/plain", "abcdef");
  for (
    const form of ["2", "02", offset(2), "0000000000000000_0000000000000002", "0".repeat(18) + "2"]
  ) {
    const answer = await api.get(`${path}?offset=${form}`);
    assertStatus(answer, 200, form);
    assert.equal(answer.text, "cdef", form);
    assert.equal(answer.headers.get("stream-next-offset"), offset(6));
  }
  for (const start of ["", "?offset=-1", "?offset=0"]) {
    assert.equal((await api.get(path + start)).text, "abcdef");
  }
});

Deno.test("every offset that the server writes has 20 digits", async () => {
  const path = await api.create("text/plain", "abc");
  const tail = await api.append(path, "text/plain", "d");
  assert.match(tail, /^\d{20}$/);
  for (
    const answer of [await api.get(path), await api.head(path), await api.put(path, "text/plain")]
  ) {
    assert.equal(answer.headers.get("stream-next-offset"), offset(4));
  }
});

Deno.test("an offset that is none is 400", async () => {
  const path = await api.create("text/plain", "abc");
  const wrong = [
    "",
    "abc",
    "-2",
    "-0",
    "+1",
    "1.0",
    "0x1",
    "1e1",
    "%201",
    "1%20",
    "NOW",
    "%00",
    "1,2",
    "1".repeat(21),
    "0_0",
    "0000000000000000_000000000000000",
    "0000000000000000_00000000000000000",
    "000000000000000a_0000000000000000",
    "../../etc/passwd",
    "%F0%9F%98%80",
    "x".repeat(4_000),
  ];
  for (const text of wrong) {
    for (const live of ["", "&live=long-poll", "&live=sse"]) {
      const answer = await api.get(`${path}?offset=${text}${live}`);
      assertError(answer, "invalid_offset", text.slice(0, 40) + live);
    }
  }
});

Deno.test("an offset beyond the tail reads empty, and goes on where it was asked for", async () => {
  const text = await api.create("text/plain", "abc");
  const json = await api.create("application/json", "[1]");
  const beyond = ["4", "1000000", offset(99), "9007199254740993", "9".repeat(20)];
  for (const from of beyond) {
    for (const [path, body] of [[text, ""], [json, "[]"]] as const) {
      const answer = await api.get(`${path}?offset=${from}`);
      assertStatus(answer, 200, from);
      assert.equal(answer.text, body);
      assert.equal(answer.headers.get("stream-next-offset"), from.padStart(20, "0"));
    }
  }
});

Deno.test("a long-poll beyond the tail waits until the tail passes it", async () => {
  const path = await api.create("text/plain", "abc");
  const waiting = api.get(`${path}?offset=5&live=long-poll&timeout_ms=10000`);
  let answered = false;
  waiting.then(() => answered = true);
  await pause(150);
  await api.append(path, "text/plain", "d");
  await pause(150);
  assert.equal(answered, false, "the tail is at 4");
  await api.append(path, "text/plain", "e");
  await pause(150);
  assert.equal(answered, false, "the tail is at 5");
  await api.append(path, "text/plain", "fgh");
  const answer = await waiting;
  assertStatus(answer, 200);
  assert.equal(answer.text, "fgh");
  assert.equal(answer.headers.get("stream-next-offset"), offset(8));
});

Deno.test("an SSE read beyond the tail delivers nothing from before its offset", async () => {
  const path = await api.create("text/plain", "abc");
  await using reader = await EventReader.open(`${api.url}${path}?offset=6&live=sse`);
  await api.append(path, "text/plain", "de");
  await api.append(path, "text/plain", "fgh");
  await api.append(path, "text/plain", "ij");
  let text = "";
  while (text.length < 4) {
    const event = await reader.next();
    if (event?.event === "data") text += event.data;
    else assert.ok(Number(JSON.parse(event?.data ?? "{}").streamNextOffset) >= 6);
  }
  assert.equal(text, "ghij");
});

Deno.test("now reads nothing and goes on at the tail", async () => {
  const path = await api.create("application/json", "[1,2]");
  const answer = await api.get(`${path}?offset=now`);
  assert.equal(answer.text, "[]");
  assert.equal(answer.headers.get("stream-next-offset"), offset(4));
  assert.equal(answer.headers.get("stream-up-to-date"), "true");
  const waiting = api.get(`${path}?offset=now&live=long-poll&timeout_ms=5000`);
  await pause(100);
  await api.append(path, "application/json", "[3]");
  assert.equal((await waiting).text, "[3]");
});

Deno.test("reading on from any offset gives the rest", async () => {
  const path = await api.create("text/plain", "0123456789");
  for (let from = 0; from <= 10; from++) {
    assert.equal((await api.get(`${path}?offset=${offset(from)}`)).text, "0123456789".slice(from));
  }
});
