/**
 * The order in which an append is decided (SPEC section 3): a row per pair of neighbours, each a
 * request that is wrong in both ways and must be answered with the earlier one.
 */

import assert from "node:assert/strict";
import { type Answer, fresh, offset, serve } from "./client.ts";
import { assertError, assertStatus } from "./expect.ts";
import { exchange, request } from "./raw.ts";
import type { ErrorCode } from "../../protocol/errors.ts";

const api = serve();

type Headers = Record<string, string>;

/** What stands before the request of a row. */
const STATES = {
  missing: () => Promise.resolve(fresh()),
  open: async () => {
    const path = await api.create("text/plain", "abc");
    await api.append(path, "text/plain", "d", { "stream-seq": "m" });
    await api.append(path, "text/plain", "e", producer(2, 0));
    return path;
  },
  closed: async () => {
    const path = await STATES.open();
    await api.append(path, "text/plain", "f", { ...producer(2, 1), "stream-closed": "true" });
    return path;
  },
  soft: async () => {
    const path = await STATES.open();
    assertStatus(await api.put(fresh(), undefined, undefined, { "stream-forked-from": path }), 201);
    assertStatus(await api.delete(path), 204);
    return path;
  },
};

const OTHER_LIFE: Headers = { "stream-incarnation": "another" };
const STALE = producer(1, 0);
const GAP = producer(2, 7);
const EPOCH_START = producer(3, 4);
const DUPLICATE = producer(2, 0);
const OTHER_TAIL: Headers = { "if-match": offset(1) };
const OLD_SEQ: Headers = { "stream-seq": "a" };

interface Row {
  readonly first: ErrorCode;
  readonly then: ErrorCode;
  readonly state: keyof typeof STATES;
  readonly headers?: Headers;
  readonly type?: string;
  readonly body?: string;
}

const ROWS: readonly Row[] = [
  // The request alone, before existence.
  { first: "empty_body", then: "stream_not_found", state: "missing", body: "" },
  {
    first: "invalid_producer",
    then: "stream_not_found",
    state: "missing",
    headers: { "producer-id": "p" },
  },
  {
    first: "invalid_if_match",
    then: "stream_not_found",
    state: "missing",
    headers: { "if-match": "x" },
  },
  { first: "missing_content_type", then: "stream_not_found", state: "missing", type: "" },
  { first: "empty_body", then: "stream_gone", state: "soft", body: "" },
  {
    first: "empty_body",
    then: "incarnation_mismatch",
    state: "open",
    body: "",
    headers: OTHER_LIFE,
  },
  { first: "empty_body", then: "stream_closed", state: "closed", body: "" },
  {
    first: "invalid_json",
    then: "stream_not_found",
    state: "missing",
    type: "application/json",
    body: "{",
  },
  {
    first: "invalid_json",
    then: "stream_closed",
    state: "closed",
    type: "application/json",
    body: "{",
  },
  {
    first: "invalid_json",
    then: "content_type_mismatch",
    state: "open",
    type: "application/json",
    body: "{",
  },
  // Existence, before the incarnation.
  {
    first: "stream_not_found",
    then: "incarnation_mismatch",
    state: "missing",
    headers: OTHER_LIFE,
  },
  { first: "stream_gone", then: "incarnation_mismatch", state: "soft", headers: OTHER_LIFE },
  { first: "stream_gone", then: "content_type_mismatch", state: "soft", type: "text/html" },
  // The incarnation, before closed.
  { first: "incarnation_mismatch", then: "stream_closed", state: "closed", headers: OTHER_LIFE },
  {
    first: "incarnation_mismatch",
    then: "producer_epoch_stale",
    state: "open",
    headers: { ...OTHER_LIFE, ...STALE },
  },
  // Closed, before the producer.
  { first: "stream_closed", then: "producer_epoch_stale", state: "closed", headers: STALE },
  { first: "stream_closed", then: "producer_gap", state: "closed", headers: GAP },
  { first: "stream_closed", then: "producer_epoch_start", state: "closed", headers: EPOCH_START },
  { first: "stream_closed", then: "content_type_mismatch", state: "closed", type: "text/html" },
  { first: "stream_closed", then: "offset_mismatch", state: "closed", headers: OTHER_TAIL },
  { first: "stream_closed", then: "stream_seq_conflict", state: "closed", headers: OLD_SEQ },
  // The producer, before the content type.
  {
    first: "producer_epoch_stale",
    then: "content_type_mismatch",
    state: "open",
    headers: STALE,
    type: "text/html",
  },
  {
    first: "producer_epoch_start",
    then: "content_type_mismatch",
    state: "open",
    headers: EPOCH_START,
    type: "text/html",
  },
  {
    first: "producer_gap",
    then: "content_type_mismatch",
    state: "open",
    headers: GAP,
    type: "text/html",
  },
  {
    first: "producer_gap",
    then: "offset_mismatch",
    state: "open",
    headers: { ...GAP, ...OTHER_TAIL },
  },
  // The content type, before If-Match.
  {
    first: "content_type_mismatch",
    then: "offset_mismatch",
    state: "open",
    headers: OTHER_TAIL,
    type: "text/html",
  },
  {
    first: "content_type_mismatch",
    then: "stream_seq_conflict",
    state: "open",
    headers: OLD_SEQ,
    type: "text/html",
  },
  // If-Match, before Stream-Seq.
  {
    first: "offset_mismatch",
    then: "stream_seq_conflict",
    state: "open",
    headers: { ...OTHER_TAIL, ...OLD_SEQ },
  },
  // Last of all.
  { first: "stream_seq_conflict", then: "stream_seq_conflict", state: "open", headers: OLD_SEQ },
];

for (const row of ROWS) {
  Deno.test(`append of ${JSON.stringify(row.headers ?? {})} answers ${row.first} before ${row.then} (${row.state})`, async () => {
    const path = await STATES[row.state]();
    const before = await snapshot(path);
    const type = row.type === "" ? undefined : row.type ?? "text/plain";
    // Bytes, because fetch gives a text body a content type of its own.
    const body = new TextEncoder().encode(row.body ?? "x");
    const answer = await api.post(path, type, body, row.headers);
    assertError(answer, row.first);
    if (row.state === "closed" && row.first !== "empty_body" && row.first !== "invalid_json") {
      assertClosed(answer);
    }
    assert.deepEqual(await snapshot(path), before, "a refused append changes nothing");
  });
}

Deno.test("append beyond the size limit answers 413 before 404, by its Content-Length", async () => {
  const answer = await exchange(
    api.server.address,
    request("POST", fresh(), { "content-type": "text/plain", "content-length": "40000000" }),
  );
  assertError(answer, "payload_too_large");
});

Deno.test("append that repeats a producer's request is a duplicate, whatever follows in the order", async () => {
  const wrongs: readonly [string, Headers][] = [
    ["text/plain", {}],
    ["text/html", {}],
    ["text/plain", OTHER_TAIL],
    ["text/plain", OLD_SEQ],
    ["text/html", { ...OTHER_TAIL, ...OLD_SEQ }],
  ];
  for (const [type, headers] of wrongs) {
    const path = await STATES.open();
    const answer = await api.post(path, type, "other", { ...DUPLICATE, ...headers });
    assertStatus(answer, 204, JSON.stringify(headers));
    assert.equal(answer.headers.get("stream-next-offset"), offset(5));
    assert.equal(answer.headers.get("producer-epoch"), "2");
    assert.equal(answer.headers.get("producer-seq"), "0");
    assert.equal((await api.get(path)).text, "abcde");
  }
});

Deno.test("append that repeats the very request that closed the stream succeeds again", async () => {
  const path = await STATES.closed();
  for (const headers of [{}, OTHER_TAIL, OLD_SEQ]) {
    const answer = await api.post(path, "text/plain", "f", {
      ...producer(2, 1),
      ...headers,
      "stream-closed": "true",
    });
    assertStatus(answer, 204, JSON.stringify(headers));
    assertClosed(answer);
  }
  const older = await api.post(path, "text/plain", "e", DUPLICATE);
  assertError(older, "stream_closed", "a repeat of an earlier append than the closing one");
  assertClosed(older);
  assert.equal((await api.get(path)).text, "abcdef");
});

Deno.test("close of a closed stream succeeds without a body, and not with one", async () => {
  const path = await STATES.closed();
  const again = await api.post(path, undefined, undefined, { "stream-closed": "true" });
  assertStatus(again, 204);
  assertClosed(again);
  const body = await api.post(path, "text/plain", "f", { "stream-closed": "true" });
  assertError(body, "stream_closed");
  assertClosed(body);
});

Deno.test("append that is right in every way goes through", async () => {
  const path = await STATES.open();
  const life = (await api.head(path)).headers.get("stream-incarnation") ?? "";
  const answer = await api.post(path, "text/plain", "f", {
    ...producer(2, 1),
    "stream-incarnation": life,
    "if-match": offset(5),
    "stream-seq": "n",
  });
  assertStatus(answer, 200);
  assert.equal(answer.headers.get("producer-seq"), "1");
  assert.equal((await api.get(path)).text, "abcdef");
});

Deno.test("Stream-Seq conflict says the last one accepted", async () => {
  const path = await STATES.open();
  const answer = await api.post(path, "text/plain", "x", OLD_SEQ);
  assertError(answer, "stream_seq_conflict");
  assert.equal(answer.headers.get("stream-seq"), "m");
});

Deno.test("Stream-Seq compares bytes", async () => {
  const path = await api.create("text/plain");
  for (
    const [seq, status] of [["9", 204], ["10", 409], ["9", 409], ["90", 204], ["B", 204], [
      "a",
      204,
    ], ["Z", 409]]
  ) {
    assertStatus(
      await api.post(path, "text/plain", "x", { "stream-seq": String(seq) }),
      Number(status),
      String(seq),
    );
  }
});

Deno.test("producer answers say the epoch in force, the expected and the received sequence", async () => {
  const path = await STATES.open();
  const stale = await api.post(path, "text/plain", "x", STALE);
  assertError(stale, "producer_epoch_stale");
  assert.equal(stale.headers.get("producer-epoch"), "2");
  const gap = await api.post(path, "text/plain", "x", GAP);
  assertError(gap, "producer_gap");
  assert.equal(gap.headers.get("producer-expected-seq"), "1");
  assert.equal(gap.headers.get("producer-received-seq"), "7");
});

Deno.test("producer headers are all or none, and plain numbers", async () => {
  const path = await api.create("text/plain");
  const all = producer(0, 0);
  const wrong: Headers[] = [
    { "producer-id": "p" },
    { "producer-id": "p", "producer-epoch": "0" },
    { "producer-epoch": "0", "producer-seq": "0" },
    { ...all, "producer-id": "" },
    { ...all, "producer-epoch": "-1" },
    { ...all, "producer-epoch": "1.0" },
    { ...all, "producer-seq": "1e3" },
    { ...all, "producer-seq": "" },
    { ...all, "producer-seq": "+1" },
    { ...all, "producer-seq": "9007199254740992" },
    { ...all, "producer-epoch": "99999999999999999999" },
  ];
  for (const headers of wrong) {
    assertError(
      await api.post(path, "text/plain", "x", headers),
      "invalid_producer",
      JSON.stringify(headers),
    );
  }
  assertStatus(
    await api.post(path, "text/plain", "x", { ...all, "producer-epoch": "9007199254740991" }),
    200,
  );
});

Deno.test("many repeats of one producer's request at once are applied once", async () => {
  const path = await api.create("text/plain");
  for (let seq = 0; seq < 20; seq++) {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => api.post(path, "text/plain", `<${seq}>`, producer(0, seq))),
    );
    const statuses = answers.map((answer) => answer.status).sort();
    assert.deepEqual(statuses, [200, 204, 204, 204, 204, 204, 204, 204]);
  }
  const all = Array.from({ length: 20 }, (_, seq) => `<${seq}>`).join("");
  assert.equal((await api.get(path)).text, all);
});

function producer(epoch: number, seq: number): Headers {
  return { "producer-id": "p", "producer-epoch": String(epoch), "producer-seq": String(seq) };
}

function assertClosed(answer: Answer): void {
  assert.equal(answer.headers.get("stream-closed"), "true");
  assert.equal(answer.headers.get("stream-next-offset"), offset(6));
}

/** What a refused append must leave as it was. */
async function snapshot(path: string): Promise<unknown> {
  const { status, text, headers } = await api.get(path);
  if (status !== 200) return status;
  return [text, headers.get("stream-next-offset"), headers.get("stream-closed")];
}
