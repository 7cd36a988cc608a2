/**
 * The closed table of everything that can go wrong with a request (SPEC section 3, Errors).
 *
 * A message says what was wrong and what would be right. It never repeats what a stream holds, nor
 * what the client sent: both may be secret, and both end up in logs.
 *
 * @module
 */

/** What a code means to a client. */
export interface ErrorEntry {
  /** HTTP status. */
  readonly status: number;
  /** The very same request may succeed later. */
  readonly retryable: boolean;
  /** The server is sure that the request changed nothing. */
  readonly nothingApplied: boolean;
  /** One line for a person, where the caller has nothing more exact to say. */
  readonly message: string;
}

/** A refusal that stands until the request or the stream changes. */
function refused(status: number, message: string): ErrorEntry {
  return { status, retryable: false, nothingApplied: true, message };
}

/** A refusal that passes by itself. */
function refusedForNow(status: number, message: string): ErrorEntry {
  return { status, retryable: true, nothingApplied: true, message };
}

/** The server itself is at fault, and changed nothing. */
function failed(status: number, message: string): ErrorEntry {
  return { status, retryable: false, nothingApplied: true, message };
}

/** The server can't say whether the request took effect. */
function unsure(status: number, message: string): ErrorEntry {
  return { status, retryable: false, nothingApplied: false, message };
}

const TABLE = {
  // What the request alone shows.
  bad_request: refused(400, "the request is malformed"),
  invalid_path: refused(
    400,
    "the path is not valid: segments are percent-encoded UTF-8, not empty, not . or .., without NUL",
  ),
  path_too_long: refused(400, "bucket and stream id together are longer than 1024 bytes"),
  invalid_bucket_id: refused(400, "a bucket id is 4 to 64 characters out of a-z, 0-9, _ and -"),
  reserved_name: refused(400, "this name is reserved; bucket ids do not begin with __"),
  invalid_stream_id: refused(400, "a stream id is UTF-8 without NUL and without . or .. segments"),
  invalid_query: refused(400, "the query is not valid percent-encoded UTF-8"),
  repeated_parameter: refused(400, "offset stands in the query more than once; send it once"),
  invalid_offset: refused(
    400,
    "the offset is not valid: send -1, now, or a Stream-Next-Offset the server gave",
  ),
  offset_required: refused(400, "a live read needs an offset: send -1, now, or the last one given"),
  invalid_live: refused(400, "live is not valid: send long-poll or sse"),
  invalid_cursor: refused(400, "the cursor is not valid: send the last Stream-Cursor, or none"),
  invalid_timeout: refused(400, "timeout_ms is not valid: send 0 to 60000 milliseconds"),
  invalid_max_bytes: refused(400, "max_bytes is not valid: send a whole number above 0"),
  invalid_limit: refused(400, "limit is not valid: send 1 to 1000"),
  invalid_header: refused(400, "a request header has a value that is not valid"),
  header_too_long: refused(400, "a request header is longer than the server takes"),
  missing_content_type: refused(400, "an append needs a Content-Type: send the stream's"),
  invalid_content_type: refused(400, "Content-Type is not valid: send type/subtype"),
  invalid_ttl: refused(
    400,
    "Stream-TTL is not valid: send whole seconds without sign, fraction or leading zero",
  ),
  invalid_expires_at: refused(
    400,
    "Stream-Expires-At is not valid: send an RFC 3339 time such as 2030-01-31T12:00:00Z",
  ),
  ttl_and_expires_at: refused(400, "Stream-TTL and Stream-Expires-At exclude each other: send one"),
  invalid_producer: refused(
    400,
    "producer headers are not valid: send Producer-Id (not empty), Producer-Epoch and Producer-Seq " +
      "(0 to 2^53-1) together",
  ),
  invalid_stream_seq: refused(400, "Stream-Seq is not valid: send a text that is not empty"),
  invalid_if_match: refused(400, "If-Match is not valid: send the offset you take for the tail"),
  invalid_fork: refused(
    400,
    "fork headers are not valid: Stream-Fork-Offset is an offset, Stream-Fork-Sub-Offset a whole " +
      "number, and both need Stream-Forked-From, the path of a stream on this server",
  ),
  empty_body: refused(400, "an append needs a body, unless it carries Stream-Closed: true"),
  invalid_json: refused(
    400,
    "the body is not valid JSON, which this stream's content type asks for",
  ),
  json_too_deep: refused(400, "the JSON in the body is nested too deeply"),
  empty_json_array: refused(400, "an empty JSON array appends nothing: send at least one element"),
  body_broken_off: refused(400, "the body ended before it was whole"),
  too_many_messages: refused(413, "the body has more JSON messages than one request appends"),
  payload_too_large: refused(413, "the body is larger than the server takes"),
  body_encoded: refused(
    415,
    "the body has a Content-Encoding, which would be lost: send the bytes that readers are to get",
  ),
  request_timeout: refusedForNow(408, "the body made no progress for too long"),
  unauthorized: refused(401, "send a token that is in force: Authorization: Bearer …"),
  forbidden: refused(403, "the token is not good for this: it lacks the scope, or the bucket"),
  not_found: refused(404, "there is nothing at this path"),
  method_not_allowed: refused(
    405,
    "this path does not take this method; Allow names those it takes",
  ),

  // Append batch (SPEC section 4).
  batch_empty: refused(
    400,
    "a batch needs an item: its length as four bytes, the highest first, and so many bytes",
  ),
  batch_item_empty: refused(400, "an item of the batch has length zero"),
  batch_truncated: refused(400, "the batch ends within an item"),
  batch_header_not_allowed: refused(
    400,
    "a batch takes no Stream-Closed, Producer-*, If-Match or Stream-Seq header",
  ),
  batch_too_large: refused(413, "the batch has more items or bytes than the server takes"),

  // Buckets (SPEC section 2).
  bucket_not_found: refused(404, "there is no such bucket; create it with PUT"),
  bucket_not_empty: refused(409, "the bucket still holds streams, perhaps deleted ones with forks"),
  bucket_busy: refusedForNow(409, "the bucket is being created or deleted by another request"),

  // Streams (SPEC section 3).
  stream_not_found: refused(404, "there is no such stream; create it with PUT"),
  stream_gone: refused(410, "the stream was deleted, and is kept for its forks alone"),
  stream_exists: refused(409, "the stream exists with another configuration"),
  path_reserved: refusedForNow(409, "a fork is being created at this path"),
  incarnation_mismatch: refused(412, "the stream was deleted and made anew since: read it afresh"),
  stream_closed: refused(409, "the stream is closed and takes no more appends"),
  producer_epoch_stale: refused(403, "a newer epoch of this producer is in force"),
  producer_epoch_start: refused(400, "a new producer epoch begins with Producer-Seq 0"),
  producer_gap: refusedForNow(409, "Producer-Seq skips numbers; Producer-Expected-Seq comes next"),
  producer_limit: refusedForNow(429, "the stream has as many producers as it can remember"),
  content_type_mismatch: refused(409, "Content-Type differs from the stream's"),
  offset_mismatch: refused(412, "If-Match is not the tail; Stream-Next-Offset is"),
  stream_seq_conflict: refused(409, "Stream-Seq is not above the last one accepted"),
  offset_trimmed: refused(410, "the offset is no longer kept; Stream-Earliest-Offset is the first"),
  offset_not_boundary: refused(
    400,
    "the offset lies within a message: send a Stream-Next-Offset the server gave",
  ),

  // Forks (P§4.2, SPEC section 7).
  fork_source_not_found: refused(404, "Stream-Forked-From names no stream"),
  fork_source_gone: refused(409, "Stream-Forked-From names a deleted stream"),
  fork_offset_beyond_tail: refused(400, "Stream-Fork-Offset lies beyond the source's tail"),
  fork_sub_offset_invalid: refused(
    400,
    "Stream-Fork-Sub-Offset leads past the next boundary of the source",
  ),
  fork_too_late: refusedForNow(503, "the fork took too long to create; nothing was created"),

  // StreamSnapshots (SPEC section 5).
  snapshot_not_found: refused(404, "there is no snapshot at this offset"),
  snapshot_beyond_tail: refused(409, "the snapshot's offset lies beyond the tail"),
  snapshot_conflict: refused(409, "another snapshot is published at this offset"),
  snapshot_published: refused(409, "the published snapshot can't be deleted, only replaced"),
  range_not_satisfiable: refused(416, "the range lies outside the snapshot"),

  // The admin plane (SPEC section 11).
  invalid_group: refused(400, "there is no group of this number; they count from 0"),
  invalid_node: refused(400, "there is no node of this id among the configured peers"),
  invalid_voters: refused(400, "voters is not valid: send node ids, each once, such as 1,2,3"),
  not_a_voter: refused(400, "the node that leadership should go to is no voter of the group"),
  origin_forbidden: refused(403, "the admin plane takes no requests that carry Origin"),
  host_forbidden: refused(
    403,
    "the admin plane takes requests for an IP address, localhost or a name of --admin-host",
  ),
  not_leader: refusedForNow(409, "this node does not lead the group; leader_id does, if any"),
  node_absent: refusedForNow(409, "the group's leader has no connection to this node"),
  membership_busy: refusedForNow(409, "the group's membership is being changed already"),
  transfer_failed: refusedForNow(503, "the leadership did not move in time"),
  not_caught_up: unsure(503, "a node to be voter did not catch up in time; it stays a learner"),
  no_cold_store: refused(409, "there is no cold store to flush to"),

  // The server itself (SPEC section 8).
  overloaded: refusedForNow(503, "the server is at one of its bounds; wait as Retry-After says"),
  no_leader: refusedForNow(503, "no leader could be reached in time"),
  cold_unavailable: refusedForNow(503, "the store that holds these bytes does not answer in time"),
  cold_damaged: failed(500, "an object that holds these bytes is damaged or missing"),
  not_ready: refusedForNow(503, "the server is not ready yet"),
  shutting_down: refusedForNow(503, "the server is shutting down"),
  outcome_unknown: unsure(503, "the write may or may not have been applied; read the tail to see"),
  internal: unsure(500, "the server failed at this request; its log says more"),
} as const satisfies Record<string, ErrorEntry>;

/** A code of the table. */
export type ErrorCode = keyof typeof TABLE;

/** The table: code → what it means. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = TABLE;

/** Every code, in the order of the table. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(TABLE) as ErrorCode[];

const defaultBodies = new Map<ErrorCode, string>(
  ERROR_CODES.map((code) => [code, body(code, TABLE[code].message)]),
);

/**
 * The JSON body of an error, `{"error":{"code","message"}}`.
 *
 * @param message one line that replaces the table's; must not repeat stored or secret data
 */
export function renderError(code: ErrorCode, message?: string): string {
  if (message !== undefined) return body(code, message);
  return defaultBodies.get(code) ?? body(code, TABLE[code].message);
}

/**
 * The status of `outcome_unknown` (SPEC section 8): 503 where the write names a producer and may be
 * repeated as it is; 408 where it does not, because clients repeat every 5xx and would append twice.
 */
export function outcomeUnknownStatus(hasProducer: boolean): 503 | 408 {
  return hasProducer ? 503 : 408;
}

function body(code: ErrorCode, message: string): string {
  return JSON.stringify({ error: { code, message } });
}
