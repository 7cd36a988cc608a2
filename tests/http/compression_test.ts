import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { serve } from "./client.ts";
import { assertStatus } from "./expect.ts";
import { exchange, RawConnection, request } from "./raw.ts";

const api = serve();
const GZIP = { "accept-encoding": "gzip" };

function get(path: string, headers: Record<string, string> = {}) {
  return exchange(api.server.address, request("GET", path, headers));
}

Deno.test("a large answer may come compressed to a client that accepts it, and is the same", async () => {
  for (const type of ["text/plain", "application/json"]) {
    const text = JSON.stringify({ text: "compress me ".repeat(20_000) });
    const path = await api.create(type, text);
    const plain = await get(path);
    const packed = await get(path, GZIP);
    assertStatus(packed, 200);
    assert.equal(plain?.headers.get("content-encoding"), undefined);
    assert.equal(packed.headers.get("content-encoding"), "gzip");
    assert.match(packed.headers.get("vary") ?? "", /accept-encoding/i);
    assert.equal(new TextDecoder().decode(gunzipSync(packed.bytes)), plain?.text);
    assert.ok(packed.bytes.length < text.length / 10);
    for (const name of ["stream-next-offset", "stream-up-to-date", "stream-incarnation"]) {
      assert.equal(packed.headers.get(name), plain?.headers.get(name), name);
    }
  }
});

Deno.test("an answer comes as it is to a client that accepts no encoding", async () => {
  const path = await api.create("text/plain", "compress me ".repeat(20_000));
  for (const accept of ["identity", "", "gzip;q=0", "gzip;q=0, br;q=0, identity"]) {
    const answer = await get(path, { "accept-encoding": accept });
    assert.equal(answer?.headers.get("content-encoding"), undefined, accept);
    assert.equal(answer?.text.length, 240_000);
  }
});

Deno.test("a small answer is not compressed", async () => {
  const path = await api.create("text/plain", "small");
  const answer = await get(path, GZIP);
  assert.equal(answer?.headers.get("content-encoding"), undefined);
  assert.equal(answer?.text, "small");
});

Deno.test("a compressed answer revalidates with its own ETag", async () => {
  const path = await api.create("text/plain", "compress me ".repeat(20_000));
  const first = await get(path, GZIP);
  const etag = first?.headers.get("etag") ?? "";
  assert.notEqual(etag, "");
  assertStatus(await get(path, { ...GZIP, "if-none-match": etag }), 304);
});

Deno.test("live answers are not compressed", async () => {
  const text = "compress me ".repeat(20_000);
  const path = await api.create("text/plain", text);
  const polled = await get(`${path}?offset=0&live=long-poll`, GZIP);
  assert.equal(polled?.headers.get("content-encoding"), undefined);
  assert.equal(polled?.text, text);
  const closed = await api.create("text/plain", text, { "stream-closed": "true" });
  const events = await get(`${closed}?offset=0&live=sse`, GZIP);
  assert.equal(events?.headers.get("content-encoding"), undefined);
  assert.match(events?.text ?? "", /^event: ?data/);
});

Deno.test("many requests share one connection, with and without bodies", async () => {
  const path = await api.create("text/plain", "abc");
  using connection = await RawConnection.open(api.server.address);
  for (let at = 0; at < 50; at++) {
    await connection.write(request("POST", path, { "content-type": "text/plain" }, "d"));
    assertStatus(await connection.answer(), 204);
    await connection.write(request("HEAD", path));
    assertStatus(await connection.answer(5_000, { head: true }), 200);
    await connection.write(request("GET", `${path}?offset=x`));
    assertStatus(await connection.answer(), 400);
  }
  // Pipelined: all at once, answered in order.
  await connection.write(
    [0, 1, 2].map((from) => request("GET", `${path}?offset=${from}&max_bytes=1`)).join(""),
  );
  let text = "";
  for (let at = 0; at < 3; at++) text += (await connection.answer())?.text;
  assert.equal(text, "abc");
});
