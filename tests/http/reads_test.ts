import assert from "node:assert/strict";
import { type Answer, fresh, offset, serve } from "./client.ts";
import { assertError, assertStatus } from "./expect.ts";
import { EventReader } from "./sse.ts";

const api = serve();
const OCTETS = "application/octet-stream";

/** Reads from the start to the tail with a query, following Stream-Next-Offset. */
async function pages(path: string, query: string): Promise<Answer[]> {
  const all: Answer[] = [];
  let from = "-1";
  for (;;) {
    const answer = await api.get(`${path}?offset=${from}&${query}`);
    assertStatus(answer, 200);
    all.push(answer);
    const next = answer.headers.get("stream-next-offset") ?? "";
    if (answer.headers.get("stream-up-to-date") === "true") return all;
    assert.ok(next > from || from === "-1", "a page makes progress");
    assert.ok(answer.bytes.length > 0, "a page before the tail is not empty");
    from = next;
  }
}

Deno.test("max_bytes cuts a byte stream exactly", async () => {
  const body = Uint8Array.from({ length: 10_000 }, (_, at) => at % 251);
  const path = await api.create(OCTETS, body);
  for (const name of ["max_bytes", "max-bytes"]) {
    const all = await pages(path, `${name}=1000`);
    assert.equal(all.length, 10);
    for (const page of all) assert.equal(page.bytes.length, 1000);
    assert.deepEqual(joined(all), body);
  }
  assert.equal((await api.get(`${path}?max_bytes=1`)).bytes.length, 1);
});

Deno.test("max_bytes cuts text between code points, at least one", async () => {
  const text = "aé€😀".repeat(50) + "ß";
  const path = await api.create("text/plain; charset=utf-8", text);
  for (const max of [1, 2, 3, 4, 5, 7, 64]) {
    const all = await pages(path, `max_bytes=${max}`);
    const strict = new TextDecoder("utf-8", { fatal: true });
    for (const page of all) {
      const part = strict.decode(page.bytes);
      assert.ok(page.bytes.length <= max || [...part].length === 1, `${max}: ${part}`);
    }
    assert.equal(all.map((page) => page.text).join(""), text);
  }
});

Deno.test("max_bytes makes progress through text that is no UTF-8", async () => {
  const body = new Uint8Array([
    0xff,
    0xff,
    0x80,
    0x80,
    0x80,
    0x80,
    0x80,
    0x80,
    0x80,
    0xf0,
    0x9f,
    0xe2,
  ]);
  const path = await api.create("text/plain", body);
  for (const max of [1, 2, 3, 4]) {
    assert.deepEqual(joined(await pages(path, `max_bytes=${max}`)), body);
  }
});

Deno.test("max_bytes cuts JSON at message boundaries, at least one message", async () => {
  const messages = Array.from(
    { length: 50 },
    (_, at) => JSON.stringify({ at, pad: "x".repeat(at) }),
  );
  const path = await api.create("application/json", `[${messages.join(",")}]`);
  for (const max of [1, 20, 100, 1000]) {
    const all = await pages(path, `max_bytes=${max}`);
    for (const page of all) {
      assert.ok(page.bytes.length <= max + 2 || JSON.parse(page.text).length === 1);
    }
    const read = all.map((page) => page.text.slice(1, -1)).join(",");
    assert.equal(read, messages.join(","));
  }
});

Deno.test("max_bytes is 400 when it is no number above zero", async () => {
  const path = await api.create("text/plain", "abc");
  for (const max of ["0", "-1", "x", "", "1.5", "1e3"]) {
    assertError(await api.get(`${path}?max_bytes=${max}`), "invalid_max_bytes", max);
  }
});

Deno.test("one response carries 4 MiB at most, however much is asked for", async () => {
  const path = await api.create(OCTETS);
  for (let at = 0; at < 9; at++) await api.append(path, OCTETS, new Uint8Array(1 << 20).fill(at));
  for (const query of ["", "?max_bytes=99999999"]) {
    const answer = await api.get(path + query);
    assert.equal(answer.bytes.length, 4 << 20);
    assert.equal(answer.headers.get("stream-next-offset"), offset(4 << 20));
    assert.equal(answer.headers.get("stream-up-to-date"), null);
  }
  const polled = await api.get(`${path}?offset=0&live=long-poll`);
  assert.equal(polled.bytes.length, 4 << 20);
  const all = joined(await pages(path, ""));
  for (let at = 0; at < 9; at++) assert.equal(all[at << 20], at);
});

Deno.test("SSE delivers a backlog beyond the cap in pieces, gapless", async () => {
  const path = await api.create("text/plain");
  for (let at = 0; at < 6; at++) await api.append(path, "text/plain", String(at).repeat(1 << 20));
  await using reader = await EventReader.open(`${api.url}${path}?offset=-1&live=sse`);
  let text = "";
  let from = 0;
  while (text.length < 6 << 20) {
    const data = await reader.data();
    assert.ok(data.length <= 4 << 20);
    text += data;
    const control = await reader.control();
    assert.ok(Number(control.streamNextOffset) > from);
    from = Number(control.streamNextOffset);
    assert.equal(from, text.length);
    assert.equal(control.upToDate ?? false, text.length === 6 << 20);
  }
  for (let at = 0; at < 6; at++) assert.equal(text[(at << 20) + 5], String(at));
});

Deno.test("a closed stream says so only with the answer that reaches its end", async () => {
  const path = await api.create("text/plain", "abcdef", { "stream-closed": "true" });
  const part = await api.get(`${path}?max_bytes=3`);
  assert.equal(part.headers.get("stream-closed"), null);
  assert.equal(part.headers.get("stream-up-to-date"), null);
  for (const query of ["", "?offset=3", "?offset=6", "?offset=now"]) {
    assert.equal((await api.get(path + query)).headers.get("stream-closed"), "true", query);
  }
});

Deno.test("bytes of every value come back as they were, over appends of every size", async () => {
  const path = await api.create(OCTETS);
  const parts: Uint8Array[] = [];
  for (const size of [1, 2, 255, 256, 4095, 4096, 4097, 65_535, 65_536, 65_537, 1_048_577]) {
    const part = Uint8Array.from({ length: size }, (_, at) => (at * 31 + size) & 0xff);
    parts.push(part);
    await api.append(path, OCTETS, part);
  }
  const all = joined(await pages(path, ""));
  assert.deepEqual(all, new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()));
});

Deno.test("reads see every append that was answered before them", async () => {
  const path = await api.create("text/plain");
  let text = "";
  for (let at = 0; at < 100; at++) {
    await api.append(path, "text/plain", `${at},`);
    text += `${at},`;
    assert.equal((await api.get(path)).text, text);
  }
});

Deno.test("concurrent appends are all there, each whole, and no offset is given twice", async () => {
  const path = await api.create("text/plain");
  const tails = await Promise.all(
    Array.from(
      { length: 200 },
      (_, at) => api.append(path, "text/plain", `<${String(at).padStart(3, "0")}>`),
    ),
  );
  assert.equal(new Set(tails).size, 200);
  const text = (await api.get(path)).text;
  assert.equal(text.length, 1000);
  for (const [at, tail] of tails.entries()) {
    const end = Number(tail);
    assert.equal(text.slice(end - 5, end), `<${String(at).padStart(3, "0")}>`);
  }
});

Deno.test("HEAD says what GET would, without a body", async () => {
  const path = await api.create("text/html; charset=utf-8", "abc", { "stream-ttl": "600" });
  const answer = await api.head(path);
  assertStatus(answer, 200);
  assert.equal(answer.text, "");
  assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(answer.headers.get("stream-next-offset"), offset(3));
  assert.equal(answer.headers.get("stream-ttl"), "600");
  assert.equal(answer.headers.get("stream-closed"), null);
  await api.post(path, undefined, undefined, { "stream-closed": "true" });
  assert.equal((await api.head(path)).headers.get("stream-closed"), "true");
});

Deno.test("the default content type is application/octet-stream", async () => {
  const path = fresh();
  const answer = await api.put(path, undefined, new Uint8Array([1, 2]));
  assertStatus(answer, 201);
  assert.equal(answer.headers.get("content-type"), OCTETS);
  assert.equal((await api.get(path)).headers.get("content-type"), OCTETS);
});

Deno.test("PUT is idempotent: 200 with the same configuration, 409 with another", async () => {
  const path = await api.create("text/plain", "abc");
  const again = await api.put(path, "text/plain", "other body");
  assertStatus(again, 200);
  assert.equal(again.headers.get("stream-next-offset"), offset(3));
  assert.equal((await api.get(path)).text, "abc");
  assertStatus(await api.put(path, "TEXT/PLAIN"), 200);
  assertError(
    await api.put(path, "text/plain", undefined, { "stream-closed": "true" }),
    "stream_exists",
  );
  await api.post(path, undefined, undefined, { "stream-closed": "true" });
  assertError(await api.put(path, "text/plain"), "stream_exists");
  assertStatus(await api.put(path, "text/plain", undefined, { "stream-closed": "true" }), 200);
});

Deno.test("of many creates at once one is 201 and the others 200", async () => {
  for (let round = 0; round < 10; round++) {
    const path = fresh();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => api.put(path, "text/plain", "once")),
    );
    assert.equal(answers.filter((answer) => answer.status === 201).length, 1);
    assert.equal(answers.filter((answer) => answer.status === 200).length, 11);
    assert.equal((await api.get(path)).text, "once");
  }
});

function joined(all: readonly Answer[]): Uint8Array {
  const bytes = new Uint8Array(all.reduce((sum, page) => sum + page.bytes.length, 0));
  let at = 0;
  for (const page of all) {
    bytes.set(page.bytes, at);
    at += page.bytes.length;
  }
  return bytes;
}
