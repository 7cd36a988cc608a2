import assert from "node:assert/strict";
import { ERRORS } from "../protocol/mod.ts";
import type { Refusal } from "../stream/mod.ts";
import { factsOf } from "../tests/given/facts.ts";
import { type Obstacle, type Reply, respondError, respondObstacle, tailHeaders } from "./answer.ts";

const FACTS = factsOf({ tail: 7, earliest: 3, closed: true });

/** Every refusal of the state machine and of buckets: a missing one does not compile. */
const STATUSES: Record<Refusal | "bucket_not_empty", number> = {
  bucket_not_found: 404,
  bucket_not_empty: 409,
  bucket_busy: 409,
  stream_not_found: 404,
  stream_gone: 410,
  stream_exists: 409,
  path_reserved: 409,
  incarnation_mismatch: 412,
  stream_closed: 409,
  producer_epoch_stale: 403,
  producer_epoch_start: 400,
  producer_gap: 409,
  producer_limit: 429,
  content_type_mismatch: 409,
  offset_mismatch: 412,
  stream_seq_conflict: 409,
  offset_trimmed: 410,
  offset_not_boundary: 400,
  fork_source_not_found: 404,
  fork_source_gone: 409,
  fork_offset_beyond_tail: 400,
  fork_sub_offset_invalid: 400,
  fork_too_late: 503,
  snapshot_beyond_tail: 409,
  snapshot_conflict: 409,
};

function codeOf({ body }: Reply): string {
  assert.ok(typeof body === "string");
  return JSON.parse(body).error.code;
}

Deno.test("respondObstacle() answers every refusal with its entry of the table", () => {
  for (const [refused, status] of Object.entries(STATUSES)) {
    const reply = respondObstacle({ refused } as Obstacle);
    assert.deepEqual([reply.status, codeOf(reply)], [status, refused]);
    assert.equal(reply.headers["cache-control"], "no-store");
  }
});

Deno.test("respondObstacle() answers every reason for which there is no answer", () => {
  const producer = { id: "p", epoch: 0, seq: 0 };
  const answers = [
    ["no_leader", 503, "no_leader", "1"],
    ["overloaded", 503, "overloaded", "1"],
    ["stopping", 503, "shutting_down", "1"],
    ["cold_unavailable", 503, "cold_unavailable", "1"],
    ["cold_damaged", 500, "cold_damaged", undefined],
  ] as const;
  for (const [unavailable, status, code, retryAfter] of answers) {
    const reply = respondObstacle({ unavailable });
    assert.deepEqual([reply.status, codeOf(reply)], [status, code]);
    assert.equal(reply.headers["retry-after"], retryAfter);
  }
  const unknown = respondObstacle({ unavailable: "outcome_unknown" });
  assert.deepEqual([unknown.status, codeOf(unknown)], [408, "outcome_unknown"]);
  assert.equal(unknown.headers["retry-after"], undefined, "nobody shall append twice");
  const safe = respondObstacle({ unavailable: "outcome_unknown" }, producer);
  assert.deepEqual([safe.status, safe.headers["retry-after"]], [503, "1"]);
});

Deno.test("respondObstacle() says what the stream is, and what the writer needs to know", () => {
  const closed = respondObstacle({ refused: "stream_closed", facts: FACTS });
  assert.equal(closed.headers["stream-next-offset"], "7".padStart(20, "0"));
  assert.equal(closed.headers["stream-closed"], "true");
  assert.equal(closed.headers["stream-incarnation"], "i");
  const trimmed = respondObstacle({ refused: "offset_trimmed", facts: FACTS });
  assert.equal(trimmed.headers["stream-earliest-offset"], "3".padStart(20, "0"));
  const gap = respondObstacle(
    { refused: "producer_gap", producerEpoch: 2, expectedSeq: 5 },
    { id: "p", epoch: 2, seq: 9 },
  );
  assert.deepEqual(
    ["producer-epoch", "producer-expected-seq", "producer-received-seq"].map((name) =>
      gap.headers[name]
    ),
    ["2", "5", "9"],
  );
  const conflict = respondObstacle({ refused: "stream_seq_conflict", lastStreamSeq: "b" });
  assert.equal(conflict.headers["stream-seq"], "b");
});

Deno.test("respondObstacle() puts no header together that can't be sent", () => {
  const reply = respondObstacle({
    refused: "stream_seq_conflict",
    lastStreamSeq: "a\r\nb: c\u{1f600}é",
  });
  assert.doesNotThrow(() => new Headers(reply.headers));
  assert.match(reply.headers["stream-seq"] ?? "", /^a\?\?b: c\?+é$/);
});

Deno.test("respondError() asks to repeat what passes by itself, and nothing else", () => {
  for (const [code, { status, retryable }] of Object.entries(ERRORS)) {
    const { headers } = respondError(code as keyof typeof ERRORS);
    assert.equal(headers["retry-after"], retryable && status >= 429 ? "1" : undefined, code);
  }
});

Deno.test("tailHeaders() tells closed from open", () => {
  assert.equal(tailHeaders({ ...FACTS, closed: false })["stream-closed"], undefined);
  assert.equal(tailHeaders(FACTS)["stream-closed"], "true");
});
