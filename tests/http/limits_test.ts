import assert from "node:assert/strict";
import { fresh, offset, serve } from "./client.ts";
import { assertError, assertErrorShape, assertStatus } from "./expect.ts";
import { exchange, RawConnection, request } from "./raw.ts";

const api = serve();

/** Largest body of an append (SPEC section 3, Limits). */
const APPEND_BYTES_MAX = 32 * 1024 * 1024;
const OCTETS = "application/octet-stream";

Deno.test("an append is 413 by its Content-Length, before a byte of the body is sent", async () => {
  const path = await api.create(OCTETS);
  for (const method of ["POST", "PUT"]) {
    const began = performance.now();
    const answer = await exchange(
      api.server.address,
      request(method, method === "PUT" ? fresh() : path, {
        "content-type": OCTETS,
        "content-length": String(APPEND_BYTES_MAX + 1),
      }),
    );
    assertError(answer, "payload_too_large", method);
    assert.match(answer?.text ?? "", /32|33554432/, "the message names the limit");
    assert.ok(performance.now() - began < 3_000);
  }
  assert.equal((await api.head(path)).headers.get("stream-next-offset"), offset(0));
});

Deno.test("a chunked append beyond the limit is 413 or cut off, and nothing is appended", async () => {
  const path = await api.create(OCTETS);
  const before = await api.server.residentBytes();
  using connection = await RawConnection.open(api.server.address);
  const chunk = new Uint8Array(1024 * 1024 + 10);
  chunk.set(new TextEncoder().encode("100000\r\n"));
  chunk.set(new TextEncoder().encode("\r\n"), 1024 * 1024 + 8);
  await connection.write(
    request("POST", path, { "content-type": OCTETS, "transfer-encoding": "chunked" }),
  );
  let sent = 0;
  const sending = (async () => {
    try {
      for (; sent < 512; sent++) await connection.write(chunk);
    } catch {
      // The server has closed the connection: that is one way to refuse.
    }
  })();
  const answer = await connection.answer();
  if (answer !== undefined) assertError(answer, "payload_too_large");
  connection[Symbol.dispose]();
  await sending;
  assert.ok(sent < 200, `the server took ${sent} MiB`);
  assert.equal((await api.head(path)).headers.get("stream-next-offset"), offset(0));
  const grown = (await api.server.residentBytes() - before) / 2 ** 20;
  assert.ok(grown < 256, `memory grew by ${Math.round(grown)} MiB`);
});

Deno.test("an append of exactly the limit is taken, and read back in pieces of 4 MiB at most", async () => {
  const path = await api.create(OCTETS);
  const body = new Uint8Array(APPEND_BYTES_MAX);
  for (let at = 0; at < body.length; at += 4096) body[at] = (at >> 12) & 0xff;
  assertStatus(await api.post(path, OCTETS, body), 204);
  let read = 0;
  while (read < APPEND_BYTES_MAX) {
    const answer = await api.get(`${path}?offset=${read}`);
    assertStatus(answer, 200);
    assert.ok(answer.bytes.length > 0 && answer.bytes.length <= 4 * 1024 * 1024);
    for (let at = 0; at < answer.bytes.length; at += 4096) {
      assert.equal(answer.bytes[at], ((read + at) >> 12) & 0xff);
    }
    read += answer.bytes.length;
    assert.equal(answer.headers.get("stream-next-offset"), offset(read));
    assert.equal(
      answer.headers.get("stream-up-to-date"),
      read === APPEND_BYTES_MAX ? "true" : null,
    );
  }
});

Deno.test("Producer-Id and Stream-Seq are at most 256 bytes", async () => {
  const path = await api.create("text/plain");
  const producer = (id: string) => ({
    "producer-id": id,
    "producer-epoch": "0",
    "producer-seq": "0",
  });
  assertStatus(await api.post(path, "text/plain", "x", producer("p".repeat(256))), 200);
  assertError(
    await api.post(path, "text/plain", "x", producer("p".repeat(257))),
    "header_too_long",
  );
  assertStatus(await api.post(path, "text/plain", "x", { "stream-seq": "s".repeat(256) }), 204);
  assertError(
    await api.post(path, "text/plain", "x", { "stream-seq": "t".repeat(257) }),
    "header_too_long",
  );
});

Deno.test("a header of many kilobytes is refused, and the server goes on", async () => {
  const path = await api.create("text/plain");
  for (
    const name of ["x-unknown", "content-type", "stream-forked-from", "if-none-match", "cookie"]
  ) {
    using connection = await RawConnection.open(api.server.address);
    const sent = connection.write(
      request("PUT", path, { "content-type": "text/plain", [name]: "y".repeat(2_000_000) }),
    ).catch(() => {});
    const answer = await connection.answer();
    connection[Symbol.dispose]();
    await sent;
    if (answer !== undefined) assert.ok(answer.status >= 400 && answer.status < 500, name);
  }
  assertStatus(await api.get(path), 200);
});

Deno.test("a content type of absurd length is refused or kept whole", async () => {
  const type = `text/plain; note=${"x".repeat(8_000)}`;
  const path = fresh();
  const answer = await api.put(path, type);
  if (answer.status === 201) {
    assert.equal((await api.head(path)).headers.get("content-type"), type);
  } else assertErrorShape(answer);
});

Deno.test("4096 producers fit a stream, and the next one is 429 while none is idle", async () => {
  const path = await api.create("text/plain");
  const append = (id: number) =>
    api.post(path, "text/plain", "x", {
      "producer-id": `p${id}`,
      "producer-epoch": "0",
      "producer-seq": "0",
    });
  for (let at = 0; at < 4096; at += 64) {
    const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => append(at + i)));
    for (const answer of answers) assertStatus(answer, 200);
  }
  assertError(await append(4096), "producer_limit");
  assertStatus(await append(0), 204, "a duplicate of one that is known");
  assertStatus(await api.post(path, "text/plain", "x"), 204, "without a producer");
});
