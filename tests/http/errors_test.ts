/** Every answer of 400 and above has the shape, code and status of the table. */

import assert from "node:assert/strict";
import { type Answer, fresh, freshBucket, serve } from "./client.ts";
import { assertError } from "./expect.ts";
import { batchOf } from "../given/batch.ts";
import { ERROR_CODES, type ErrorCode } from "../../protocol/errors.ts";

const api = serve();
const TEXT = "text/plain";
const JSON_TYPE = "application/json";
const PRODUCER = { "producer-id": "p", "producer-epoch": "0", "producer-seq": "0" };

type Row = readonly [code: ErrorCode, what: string, provoke: () => Promise<Answer>];

const ROWS: readonly Row[] = [
  ["invalid_path", "empty segment", () => api.get("/v1/stream/a//b")],
  ["path_too_long", "1025 bytes", () => api.get(`/v1/stream/bucket/${"a".repeat(1018)}`)],
  ["invalid_bucket_id", "upper case", () => api.send("PUT", "/UPPER")],
  ["reserved_name", "__", () => api.send("PUT", "/__mine")],
  ["invalid_query", "broken escape", async () => api.get(`${await stream()}?offset=%zz`)],
  ["repeated_parameter", "two offsets", async () => api.get(`${await stream()}?offset=0&offset=1`)],
  ["invalid_offset", "letters", async () => api.get(`${await stream()}?offset=abc`)],
  ["offset_required", "long-poll", async () => api.get(`${await stream()}?live=long-poll`)],
  ["offset_required", "sse", async () => api.get(`${await stream()}?live=sse`)],
  ["invalid_live", "unknown mode", async () => api.get(`${await stream()}?offset=0&live=maybe`)],
  [
    "invalid_timeout",
    "too long",
    async () => api.get(`${await stream()}?offset=0&live=long-poll&timeout_ms=60001`),
  ],
  ["invalid_max_bytes", "zero", async () => api.get(`${await stream()}?max_bytes=0`)],
  ["invalid_max_bytes", "other spelling", async () => api.get(`${await stream()}?max-bytes=x`)],
  ["invalid_limit", "zero", () => api.get("/?limit=0")],
  [
    "header_too_long",
    "producer id",
    () => post({ ...PRODUCER, "producer-id": "p".repeat(257) }),
  ],
  ["header_too_long", "stream seq", () => post({ "stream-seq": "s".repeat(257) })],
  [
    "missing_content_type",
    "append",
    async () => api.post(await stream(), undefined, new Uint8Array([1])),
  ],
  ["batch_empty", "no body", () => batch([])],
  ["batch_item_empty", "a zero length", () => batch([""])],
  ["batch_truncated", "an end missing", () => batch(["abc"], {}, -1)],
  ["batch_header_not_allowed", "Stream-Seq", () => batch(["abc"], { "stream-seq": "1" })],
  ["batch_too_large", "513 items", () => batch(Array.from({ length: 513 }, () => "x"))],
  [
    "too_many_messages",
    "four million, and some",
    async () => api.post(await api.create(JSON_TYPE), JSON_TYPE, `[${"0,".repeat(2 ** 22)}0]`),
  ],
  ["invalid_content_type", "create", () => api.put(fresh(), "nonsense")],
  ["invalid_ttl", "sign", () => api.put(fresh(), TEXT, "", { "stream-ttl": "+1" })],
  ["invalid_ttl", "leading zero", () => api.put(fresh(), TEXT, "", { "stream-ttl": "01" })],
  [
    "invalid_expires_at",
    "words",
    () => api.put(fresh(), TEXT, "", { "stream-expires-at": "tomorrow" }),
  ],
  [
    "ttl_and_expires_at",
    "both",
    () =>
      api.put(fresh(), TEXT, "", {
        "stream-ttl": "1",
        "stream-expires-at": "2099-01-01T00:00:00Z",
      }),
  ],
  ["invalid_producer", "one of three", () => post({ "producer-id": "p" })],
  ["invalid_if_match", "word", () => post({ "if-match": "tail" })],
  ["invalid_fork", "offset alone", () => api.put(fresh(), TEXT, "", { "stream-fork-offset": "0" })],
  [
    "invalid_offset",
    "fork offset",
    async () =>
      api.put(fresh(), TEXT, "", {
        "stream-forked-from": await stream(),
        "stream-fork-offset": "x",
      }),
  ],
  ["empty_body", "append", async () => api.post(await stream(), TEXT, "")],
  ["invalid_json", "append", async () => api.post(await api.create(JSON_TYPE), JSON_TYPE, "{")],
  ["invalid_json", "create", () => api.put(fresh(), JSON_TYPE, "{")],
  [
    "empty_json_array",
    "append",
    async () => api.post(await api.create(JSON_TYPE), JSON_TYPE, "[]"),
  ],
  ["not_found", "no such route", () => api.get("/some/path/that/is/none")],
  ["body_encoded", "append", () => post({ "content-encoding": "gzip" })],
  [
    "body_encoded",
    "create",
    () => api.put(fresh(), TEXT, "x", { "content-encoding": "gzip, br" }),
  ],
  ["body_encoded", "append batch", () => batch(["abc"], { "content-encoding": "zstd" })],
  ["body_encoded", "snapshot", async () => {
    const bucket = freshBucket();
    await api.put(`/v1/stream/${bucket}/s`, TEXT);
    const path = `/${bucket}/s/snapshot/${"0".repeat(20)}`;
    return api.put(path, TEXT, "x", { "content-encoding": "gzip" });
  }],
  ["method_not_allowed", "PATCH", async () => api.send("PATCH", await stream())],
  ["bucket_not_found", "describe", () => api.get(`/${freshBucket()}`)],
  ["bucket_not_empty", "delete", async () => {
    const bucket = freshBucket();
    await api.put(`/v1/stream/${bucket}/s`, TEXT);
    return api.delete(`/${bucket}`);
  }],
  ["stream_not_found", "read", () => api.get(fresh())],
  ["stream_not_found", "append", () => api.post(fresh(), TEXT, "x")],
  ["stream_not_found", "delete", () => api.delete(fresh())],
  ["stream_not_found", "long-poll", () => api.get(`${fresh()}?offset=0&live=long-poll`)],
  ["stream_not_found", "sse", () => api.get(`${fresh()}?offset=0&live=sse`)],
  ["stream_gone", "read", async () => api.get(await softDeleted())],
  ["stream_gone", "append", async () => api.post(await softDeleted(), TEXT, "x")],
  ["stream_gone", "delete", async () => api.delete(await softDeleted())],
  ["stream_exists", "other type", async () => api.put(await stream(), "text/html")],
  [
    "stream_exists",
    "other ttl",
    async () => api.put(await stream(), TEXT, "", { "stream-ttl": "9" }),
  ],
  ["stream_exists", "soft-deleted", async () => api.put(await softDeleted(), TEXT)],
  ["incarnation_mismatch", "append", () => post({ "stream-incarnation": "x" })],
  [
    "stream_closed",
    "append",
    async () => api.post(await api.create(TEXT, "a", { "stream-closed": "true" }), TEXT, "x"),
  ],
  ["producer_epoch_stale", "append", async () => {
    const path = await stream();
    await api.append(path, TEXT, "x", { ...PRODUCER, "producer-epoch": "3" });
    return api.post(path, TEXT, "x", PRODUCER);
  }],
  ["producer_epoch_start", "append", async () => {
    const path = await stream();
    await api.append(path, TEXT, "x", PRODUCER);
    return api.post(path, TEXT, "x", { ...PRODUCER, "producer-epoch": "1", "producer-seq": "1" });
  }],
  ["producer_gap", "append", async () => {
    const path = await stream();
    await api.append(path, TEXT, "x", PRODUCER);
    return api.post(path, TEXT, "x", { ...PRODUCER, "producer-seq": "5" });
  }],
  ["content_type_mismatch", "append", async () => api.post(await stream(), "text/html", "x")],
  ["offset_mismatch", "append", () => post({ "if-match": "99" })],
  ["stream_seq_conflict", "append", async () => {
    const path = await stream();
    await api.append(path, TEXT, "x", { "stream-seq": "b" });
    return api.post(path, TEXT, "x", { "stream-seq": "b" });
  }],
  [
    "offset_not_boundary",
    "read",
    async () => api.get(`${await api.create(JSON_TYPE, "[10,20]")}?offset=1`),
  ],
  ["fork_source_not_found", "create", () => fork(fresh())],
  ["fork_source_gone", "create", async () => fork(await softDeleted())],
  [
    "fork_offset_beyond_tail",
    "create",
    async () => fork(await stream(), { "stream-fork-offset": "99" }),
  ],
  [
    "fork_sub_offset_invalid",
    "create",
    async () => fork(await stream(), { "stream-fork-offset": "0", "stream-fork-sub-offset": "99" }),
  ],
];

for (const [code, what, provoke] of ROWS) {
  Deno.test(`${code} comes as its row of the table says: ${what}`, async () => {
    const answer = await provoke();
    assertError(answer, code);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    const { error } = JSON.parse(answer.text);
    assert.deepEqual(Object.keys(JSON.parse(answer.text)), ["error"]);
    assert.deepEqual(Object.keys(error).sort(), ["code", "message"]);
    assert.match(error.code, /^[a-z][a-z0-9_]*$/);
  });
}

Deno.test("the message of an error never repeats what the client or the stream holds", async () => {
  const secret = "s3cr3t-b0dy";
  const path = await api.create(JSON_TYPE, JSON.stringify([secret]));
  const answers = [
    await api.post(path, JSON_TYPE, `{"${secret}":`),
    await api.post(path, secret, "x"),
    await api.get(`${path}?offset=${secret}`),
    await api.post(path, JSON_TYPE, "1", { "producer-id": secret }),
    await api.post(path, "text/plain", secret),
  ];
  for (const answer of answers) {
    assert.ok(answer.status >= 400);
    assert.ok(!answer.text.includes(secret), answer.text);
  }
});

Deno.test("HEAD answers an error without a body", async () => {
  for (const [path, status] of [[fresh(), 404], [await softDeleted(), 410]] as const) {
    const answer = await api.head(path);
    assert.equal(answer.status, status);
    assert.equal(answer.text, "");
  }
});

Deno.test("the rows above name the codes that a single healthy node can be brought to", () => {
  const covered = new Set(ROWS.map(([code]) => code));
  console.log("not provoked here:", ERROR_CODES.filter((code) => !covered.has(code)).join(" "));
});

function stream(): Promise<string> {
  return api.create(TEXT, "abc");
}

async function post(headers: Record<string, string>): Promise<Answer> {
  return await api.post(await stream(), TEXT, "x", headers);
}

async function batch(
  items: readonly string[],
  headers: Record<string, string> = {},
  end?: number,
): Promise<Answer> {
  const path = (await stream()).replace("/stream/", "/append-batch/");
  return await api.post(path, TEXT, batchOf(items).slice(0, end), headers);
}

function fork(source: string, headers: Record<string, string> = {}): Promise<Answer> {
  return api.put(fresh(), undefined, undefined, { "stream-forked-from": source, ...headers });
}

async function softDeleted(): Promise<string> {
  const path = await stream();
  await fork(path);
  await api.delete(path);
  return path;
}
