import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { batchOf } from "../given/batch.ts";
import { type Answer, fresh, freshBucket, offset, serve } from "./client.ts";
import { assertError, assertStatus } from "./expect.ts";
import { exchange, RawConnection, request } from "./raw.ts";

const api = serve();

const ITEMS_MAX = 512;
const BATCH_BYTES_MAX = 32 * 1024 * 1024;
const TEXT = "text/plain";
const JSON_TYPE = "application/json";

/** What an item is answered. */
interface Item {
  readonly status: number;
  readonly stream_next_offset: number;
  readonly stream_closed?: boolean;
  readonly error_code?: string;
  readonly error?: string;
}

/** `/v1/stream/x` → `/v1/append-batch/x`. */
function batchPath(path: string): string {
  return path.replace("/v1/stream/", "/v1/append-batch/");
}

function post(
  path: string,
  type: string | undefined,
  items: readonly (string | Uint8Array)[],
  headers?: Record<string, string>,
): Promise<Answer> {
  return api.post(batchPath(path), type, batchOf(items), headers);
}

function itemsOf(answer: Answer): Item[] {
  assertStatus(answer, 200);
  assert.equal(answer.headers.get("content-type"), JSON_TYPE);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  return JSON.parse(answer.text);
}

async function assertUntouched(path: string, tail = 0): Promise<void> {
  assert.equal((await api.head(path)).headers.get("stream-next-offset"), offset(tail));
}

Deno.test("a batch appends its items in order, and says where each ends", async () => {
  const path = await api.create(TEXT, "begin:");
  const answer = await post(path, TEXT, ["one", "three", "x"]);
  assert.deepEqual(itemsOf(answer), [
    { status: 204, stream_next_offset: 9 },
    { status: 204, stream_next_offset: 14 },
    { status: 204, stream_next_offset: 15 },
  ]);
  assert.equal(answer.headers.get("stream-next-offset"), offset(15));
  const read = await api.get(path);
  assert.equal(read.text, "begin:onethreex");
  assert.equal(
    answer.headers.get("stream-incarnation"),
    read.headers.get("stream-incarnation"),
  );
});

Deno.test("both forms of the path are one stream's", async () => {
  const bucket = freshBucket();
  await api.send("PUT", `/${bucket}`);
  assertStatus(await api.put(`/${bucket}/a%2Fb`, TEXT), 201);
  const bodies: [path: string, item: string][] = [
    [`/${bucket}/a%2Fb/append-batch`, "1"],
    [`/v1/append-batch/${bucket}/a/b`, "2"],
    [`/v1/append-batch/${bucket}/a%2Fb`, "3"],
  ];
  for (const [path, item] of bodies) {
    assertStatus(await api.post(path, TEXT, batchOf([item])), 200, path);
  }
  assert.equal((await api.get(`/${bucket}/a%2Fb`)).text, "123");
  const alone = fresh().replace("/tests", "");
  await api.put(alone, TEXT);
  assertStatus(await post(alone, TEXT, ["x"]), 200);
});

Deno.test("each item ends a message: reads are cut there", async () => {
  const path = await api.create("application/octet-stream");
  await post(path, "application/octet-stream", ["aaaa", "bb", "cccccc"]);
  assert.equal((await api.get(`${path}?offset=0&max_bytes=5`)).text, "aaaa");
  assert.equal((await api.get(`${path}?offset=0&max_bytes=6`)).text, "aaaabb");
  assert.equal((await api.get(`${path}?offset=0&max_bytes=11`)).text, "aaaabb");
  assert.equal((await api.get(`${path}?offset=4&max_bytes=100`)).text, "bbcccccc");
});

Deno.test("an item of JSON is a text of its own, and an array in it is flattened", async () => {
  const path = await api.create(JSON_TYPE);
  const items = itemsOf(
    await post(path, JSON_TYPE, ['{"a": 1.0}', "[1, [2]]", "12345678901234567890"]),
  );
  assert.deepEqual(items, [
    { status: 204, stream_next_offset: 10 },
    { status: 204, stream_next_offset: 16 },
    { status: 204, stream_next_offset: 37 },
  ]);
  assert.equal((await api.get(path)).text, '[{"a":1.0},1,[2],12345678901234567890]');
  assert.equal((await api.get(`${path}?offset=16`)).text, "[12345678901234567890]");
});

Deno.test("an item that is no JSON fails alone, and those behind it are appended", async () => {
  const path = await api.create(JSON_TYPE);
  const answer = await post(path, JSON_TYPE, ["1", '{"secret', "2", "[]", "3"]);
  const items = itemsOf(answer);
  assert.deepEqual(
    items.map(({ status, stream_next_offset, error_code }) => [
      status,
      stream_next_offset,
      error_code,
    ]),
    [
      [204, 2, undefined],
      [400, 2, "invalid_json"],
      [204, 4, undefined],
      [400, 4, "empty_json_array"],
      [204, 6, undefined],
    ],
  );
  assert.match(items[1]?.error ?? "", /JSON/);
  assert.doesNotMatch(answer.text, /secret/, "what was sent is not echoed");
  assert.equal((await api.get(path)).text, "[1,2,3]");
});

Deno.test("where no item is good, the stream is looked for all the same", async () => {
  const path = await api.create(JSON_TYPE, "[7]");
  const incarnation = (await api.head(path)).headers.get("stream-incarnation") ?? "";
  const answer = await post(path, JSON_TYPE, ["{", "[]"]);
  assert.deepEqual(itemsOf(answer).map(({ status }) => status), [400, 400]);
  assert.equal(answer.headers.get("stream-next-offset"), offset(2));
  assert.equal(answer.headers.get("stream-incarnation"), incarnation);
  assertError(await post(fresh(), JSON_TYPE, ["{"]), "stream_not_found");
  const other = await post(path, JSON_TYPE, ["{"], { "stream-incarnation": "other" });
  assertError(other, "incarnation_mismatch");
});

Deno.test("another content type than the stream's fails every item", async () => {
  const path = await api.create(TEXT, "abc");
  const items = itemsOf(await post(path, "text/html", ["x", "y"]));
  for (const item of items) {
    assert.deepEqual([item.status, item.error_code], [409, "content_type_mismatch"]);
    assert.deepEqual([item.stream_next_offset, item.stream_closed], [3, undefined]);
  }
  assert.equal(items.length, 2);
  const mixed = itemsOf(await post(path, JSON_TYPE, ["1", "{"]));
  assert.deepEqual(mixed.map(({ status }) => status), [409, 400]);
  await assertUntouched(path, 3);
});

Deno.test("a closed stream fails every item, and says so", async () => {
  const path = await api.create(TEXT, "abc", { "stream-closed": "true" });
  const answer = await post(path, TEXT, ["x", "y"], { prefer: "return=minimal" });
  assert.equal(answer.headers.get("stream-closed"), "true");
  for (const item of itemsOf(answer)) {
    const { status, error_code, stream_closed, stream_next_offset } = item;
    assert.deepEqual([status, error_code, stream_closed], [409, "stream_closed", true]);
    assert.equal(stream_next_offset, 3);
    assert.ok(item.error);
  }
});

Deno.test("a stream that is not there, or gone, is an error of the whole request", async () => {
  assertError(await post(fresh(), TEXT, ["x"]), "stream_not_found");
  assertError(
    await api.post("/no-such-bucket/x/append-batch", TEXT, batchOf(["x"])),
    "stream_not_found",
  );
  const path = await api.create(TEXT, "abc");
  await api.put(fresh(), undefined, undefined, { "stream-forked-from": path });
  assertStatus(await api.delete(path), 204);
  assertError(await post(path, TEXT, ["x"]), "stream_gone");
});

Deno.test("another incarnation than the stream's is an error of the whole request", async () => {
  const path = await api.create(TEXT, "abc");
  const incarnation = (await api.head(path)).headers.get("stream-incarnation") ?? "";
  assertStatus(await api.delete(path), 204);
  assertStatus(await api.put(path, TEXT), 201);
  const headers = { "stream-incarnation": incarnation };
  assertError(await post(path, TEXT, ["x"], headers), "incarnation_mismatch");
  const query = `${batchPath(path)}?incarnation=${incarnation}`;
  assertError(await api.post(query, TEXT, batchOf(["x"])), "incarnation_mismatch");
  await assertUntouched(path);
  const now = (await api.head(path)).headers.get("stream-incarnation") ?? "";
  assertStatus(await post(path, TEXT, ["x"], { "stream-incarnation": now }), 200);
});

Deno.test("headers of a single append are 400, and nothing is appended", async () => {
  const path = await api.create(TEXT);
  const all: Record<string, string> = {
    "stream-closed": "true",
    "producer-id": "p",
    "producer-epoch": "0",
    "producer-seq": "0",
    "if-match": offset(0),
    "stream-seq": "a",
  };
  for (const [name, value] of Object.entries(all)) {
    const answer = await post(path, TEXT, ["x"], { [name]: value });
    assertError(answer, "batch_header_not_allowed", name);
  }
  assertError(
    await post(path, TEXT, ["x"], { "stream-closed": "false" }),
    "batch_header_not_allowed",
  );
  await assertUntouched(path);
});

Deno.test("a body that is no batch is 400, and nothing is appended", async () => {
  const path = await api.create(TEXT);
  const good = batchOf(["one", "two"]);
  const rows: [body: Uint8Array<ArrayBuffer>, code: Parameters<typeof assertError>[1]][] = [
    [new Uint8Array(0), "batch_empty"],
    [new Uint8Array([0, 0, 0]), "batch_truncated"],
    [good.slice(0, -1), "batch_truncated"],
    [good.slice(0, 9), "batch_truncated"],
    [new Uint8Array([...good, 0, 0, 0, 0]), "batch_item_empty"],
    [new Uint8Array([255, 255, 255, 255, 1]), "batch_truncated"],
  ];
  for (const [body, code] of rows) {
    assertError(await api.post(batchPath(path), TEXT, body), code, body.join(" "));
  }
  assertError(await post(path, undefined, ["x"]), "missing_content_type");
  assertError(await post(path, "nonsense", ["x"]), "invalid_content_type");
  await assertUntouched(path);
});

Deno.test("a batch of as many items as there may be is taken, one more is 413", async () => {
  const path = await api.create(TEXT);
  const items = Array.from({ length: ITEMS_MAX }, (_, at) => String(at % 10));
  assert.equal(itemsOf(await post(path, TEXT, items)).length, ITEMS_MAX);
  const answer = await post(path, TEXT, [...items, "x"]);
  assertError(answer, "batch_too_large");
  assert.match(answer.text, /512/);
  await assertUntouched(path, ITEMS_MAX);
});

Deno.test("a batch of as many bytes as there may be is taken whole", async () => {
  const path = await api.create(TEXT);
  const size = BATCH_BYTES_MAX / 4 - 4;
  const items = ["a", "b", "c", "d"].map((letter) => letter.repeat(size));
  const answer = itemsOf(await post(path, TEXT, items));
  assert.deepEqual(
    answer.map((item) => item.stream_next_offset),
    [1, 2, 3, 4].map((n) => n * size),
  );
  const read = await api.get(`${path}?offset=${2 * size - 1}&max_bytes=2`);
  assert.equal(read.text, "b");
  assert.equal((await api.get(`${path}?offset=${2 * size}&max_bytes=2`)).text, "cc");
});

Deno.test("a batch is 413 by its Content-Length, before a byte of the body is sent", async () => {
  const path = await api.create(TEXT);
  const answer = await exchange(
    api.server.address,
    request("POST", batchPath(path), {
      "content-type": TEXT,
      "content-length": String(BATCH_BYTES_MAX + 1),
    }),
  );
  assertError(answer, "batch_too_large");
  assert.match(answer?.text ?? "", /33554432/);
});

Deno.test("a chunked batch beyond the limit is 413 or cut off, and nothing is appended", async () => {
  const path = await api.create(TEXT);
  using connection = await RawConnection.open(api.server.address);
  const chunk = new Uint8Array(1024 * 1024 + 10).fill(1);
  chunk.set(new TextEncoder().encode("100000\r\n"));
  chunk.set(new TextEncoder().encode("\r\n"), 1024 * 1024 + 8);
  await connection.write(
    request("POST", batchPath(path), { "content-type": TEXT, "transfer-encoding": "chunked" }),
  );
  let sent = 0;
  const sending = (async () => {
    try {
      for (; sent < 256; sent++) await connection.write(chunk);
    } catch {
      // The server has closed the connection: that is one way to refuse.
    }
  })();
  const answer = await connection.answer();
  if (answer !== undefined) assertError(answer, "batch_too_large");
  connection[Symbol.dispose]();
  await sending;
  assert.ok(sent < 200, `the server took ${sent} MiB`);
  await assertUntouched(path);
});

Deno.test("Prefer: return=minimal leaves out the items where all are committed", async () => {
  const path = await api.create(JSON_TYPE);
  for (const prefer of ["return=minimal", 'wait=5, Return = "minimal"', "return=minimal;x=1"]) {
    const answer = await post(path, JSON_TYPE, ["1", "2"], { prefer });
    assertStatus(answer, 204, prefer);
    assert.equal(answer.text, "");
    assert.equal(answer.headers.get("preference-applied"), "return=minimal");
    assert.match(answer.headers.get("stream-next-offset") ?? "", /^\d{20}$/);
    assert.ok(answer.headers.get("stream-incarnation"));
  }
  for (const prefer of ["return=representation", "return=minimalist", "noreturn=minimal"]) {
    assert.equal(itemsOf(await post(path, JSON_TYPE, ["1"], { prefer })).length, 1, prefer);
  }
  const mixed = await post(path, JSON_TYPE, ["1", "{"], { prefer: "return=minimal" });
  assert.deepEqual(itemsOf(mixed).map(({ status }) => status), [204, 400]);
  assert.equal(mixed.headers.get("preference-applied"), null);
});

Deno.test("a long answer may come compressed, a short one not", async () => {
  const path = await api.create(TEXT);
  for (const [count, encoding] of [[100, "gzip"], [1, undefined]] as const) {
    const body = new TextDecoder().decode(batchOf(Array.from({ length: count }, () => "x")));
    const answer = await exchange(
      api.server.address,
      request("POST", batchPath(path), { "content-type": TEXT, "accept-encoding": "gzip" }, body),
    );
    assertStatus(answer, 200);
    assert.equal(answer?.headers.get("content-encoding"), encoding);
    const bytes = answer?.bytes ?? new Uint8Array();
    const text = new TextDecoder().decode(encoding === "gzip" ? gunzipSync(bytes) : bytes);
    assert.equal(JSON.parse(text).length, count);
  }
});

Deno.test("a web page may send a batch, and read its answer", async () => {
  const path = await api.create(TEXT);
  const origin = "https://app.example";
  const preflight = await api.send("OPTIONS", batchPath(path), {
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type, prefer, stream-incarnation",
    },
  });
  assertStatus(preflight, 204);
  const allowed = (preflight.headers.get("access-control-allow-headers") ?? "").split(", ");
  for (const name of ["content-type", "prefer", "stream-incarnation"]) {
    assert.ok(allowed.includes(name), name);
  }
  const answer = await post(path, TEXT, ["x"], { origin });
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  const exposed = answer.headers.get("access-control-expose-headers") ?? "";
  assert.match(exposed, /stream-next-offset/);
  assert.match(exposed, /preference-applied/);
});

Deno.test("a live reader gets a batch whole", async () => {
  const path = await api.create(TEXT);
  const waiting = api.get(`${path}?offset=0&live=long-poll`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await post(path, TEXT, ["one", "two"]);
  assert.equal((await waiting).text, "onetwo");
});

Deno.test("a fork in another group takes batches as its own", async () => {
  const source = await api.create(JSON_TYPE, "[1]");
  for (let at = 0; at < 8; at++) {
    const fork = fresh();
    assertStatus(await api.put(fork, undefined, undefined, { "stream-forked-from": source }), 201);
    const items = itemsOf(await post(fork, JSON_TYPE, ["2", "[3,4]"]));
    assert.deepEqual(items.map((item) => item.stream_next_offset), [4, 8]);
    assert.equal((await api.get(fork)).text, "[1,2,3,4]");
  }
  assert.equal((await api.get(source)).text, "[1]");
});

Deno.test("batches of many writers do not mix", async () => {
  const path = await api.create(TEXT);
  const writer = async (letter: string) => {
    for (let at = 0; at < 10; at++) {
      const items = Array.from({ length: 20 }, (_, n) => `${letter}${at}.${n};`);
      assertStatus(await post(path, TEXT, items), 200);
    }
  };
  await Promise.all([..."abcdefgh"].map(writer));
  const seen = (await api.get(path)).text.split(";").slice(0, -1);
  assert.equal(seen.length, 8 * 10 * 20);
  for (let at = 0; at < seen.length; at += 20) {
    const [head] = (seen[at] ?? "").split(".");
    assert.deepEqual(seen.slice(at, at + 20), Array.from({ length: 20 }, (_, n) => `${head}.${n}`));
  }
});

Deno.test("a batch reads back as the same appends one by one", async () => {
  const json = fc.json({ maxDepth: 2 }).map((text) => new TextEncoder().encode(text));
  const kinds = fc.oneof(
    fc.record({
      type: fc.constant("application/octet-stream"),
      items: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), {
        minLength: 1,
        maxLength: 9,
      }),
    }),
    fc.record({
      type: fc.constant(JSON_TYPE),
      items: fc.array(
        fc.oneof(json, fc.constantFrom("[]", "{", "[1,2]").map((s) => new TextEncoder().encode(s))),
        { minLength: 1, maxLength: 9 },
      ),
    }),
  );
  await fc.assert(
    fc.asyncProperty(kinds, async ({ type, items }) => {
      const [one, many] = [await api.create(type), await api.create(type)];
      const expected: [status: number, tail: number, code?: string][] = [];
      let tail = 0;
      for (const item of items) {
        const answer = await api.post(one, type, item as Uint8Array<ArrayBuffer>);
        const code = answer.status === 204 ? undefined : JSON.parse(answer.text).error.code;
        if (code === undefined) tail = Number(answer.headers.get("stream-next-offset"));
        expected.push([answer.status, tail, code]);
      }
      const got = itemsOf(await post(many, type, items));
      assert.deepEqual(
        got.map((item) => [item.status, item.stream_next_offset, item.error_code]),
        expected,
      );
      for (let from = 0; from < tail;) {
        const query = `?offset=${from}&max_bytes=16`;
        const [a, b] = [await api.get(one + query), await api.get(many + query)];
        assert.deepEqual(b.bytes, a.bytes);
        const next = a.headers.get("stream-next-offset");
        assert.equal(b.headers.get("stream-next-offset"), next);
        from = Number(next);
      }
    }),
    { numRuns: 40 },
  );
});
