/**
 * Names of the headers that the protocol speaks, in lower case as HTTP/2 and `Headers` have them.
 *
 * @module
 */

/** Media type of a stream; of an error it is `application/json`. */
export const CONTENT_TYPE = "content-type";
/** Where a created resource lies, as an absolute URL. */
export const LOCATION = "location";
/** Entity tag of a read (P§10.1). */
export const ETAG = "etag";
/** Entity tags that the client holds already. */
export const IF_NONE_MATCH = "if-none-match";
/** Offset that the writer believes to be the tail (SPEC section 3). */
export const IF_MATCH = "if-match";
/** How long an answer may be kept, and by whom. */
export const CACHE_CONTROL = "cache-control";
/** Whole seconds until a request that was refused is worth repeating. */
export const RETRY_AFTER = "retry-after";
/** `return=minimal` shortens the answer to a batch. */
export const PREFER = "prefer";
/** Which of those wishes the answer follows (RFC 7240 section 3). */
export const PREFERENCE_APPLIED = "preference-applied";
/** Part of a body that is asked for (RFC 9110 section 14.2). */
export const RANGE = "range";
/** Only where the body still has this entity tag; else all of it (RFC 9110 section 13.1.5). */
export const IF_RANGE = "if-range";
/** Which part of a body an answer holds. */
export const CONTENT_RANGE = "content-range";
/** `bytes` where parts of a body may be asked for. */
export const ACCEPT_RANGES = "accept-ranges";
/** What a token has to be like, on 401 and 403 (RFC 6750 section 3). */
export const WWW_AUTHENTICATE = "www-authenticate";
/** Methods that a resource takes, on 405. */
export const ALLOW = "allow";

/** Where reading goes on; on writes the tail. */
export const STREAM_NEXT_OFFSET = "stream-next-offset";
/** Token that a live reader sends back, so that caches collapse requests (P§10.1). */
export const STREAM_CURSOR = "stream-cursor";
/** `true` when the answer reaches the tail. */
export const STREAM_UP_TO_DATE = "stream-up-to-date";
/** `true` closes a stream, and says that one is closed (P§4.1). */
export const STREAM_CLOSED = "stream-closed";
/** The writer's own sequence, compared byte by byte (P§5.2). */
export const STREAM_SEQ = "stream-seq";
/** Sliding time to live in seconds (P§5.1). */
export const STREAM_TTL = "stream-ttl";
/** Absolute end of life, RFC 3339 (P§5.1). */
export const STREAM_EXPIRES_AT = "stream-expires-at";
/** Path of the stream that a fork starts from (P§4.2). */
export const STREAM_FORKED_FROM = "stream-forked-from";
/** Offset in the source where a fork branches off (P§4.2). */
export const STREAM_FORK_OFFSET = "stream-fork-offset";
/** Messages or bytes past the fork offset (P§4.2). */
export const STREAM_FORK_SUB_OFFSET = "stream-fork-sub-offset";
/** `base64` where SSE data events carry bytes that are no text (P§5.8). */
export const STREAM_SSE_DATA_ENCODING = "stream-sse-data-encoding";
/** Which life of the stream an answer is about, or a request means (SPEC section 3). */
export const STREAM_INCARNATION = "stream-incarnation";
/** Earliest offset that can still be read (SPEC section 3). */
export const STREAM_EARLIEST_OFFSET = "stream-earliest-offset";
/** Offset of the published StreamSnapshot (SPEC section 5). */
export const STREAM_SNAPSHOT_OFFSET = "stream-snapshot-offset";

/** Name of an idempotent producer (P§5.2.1). */
export const PRODUCER_ID = "producer-id";
/** The producer's epoch; on 403 the one in force (P§5.2.1). */
export const PRODUCER_EPOCH = "producer-epoch";
/** The producer's sequence number; on answers the highest accepted (P§5.2.1). */
export const PRODUCER_SEQ = "producer-seq";
/** On a gap: the sequence number that would have been taken. */
export const PRODUCER_EXPECTED_SEQ = "producer-expected-seq";
/** On a gap: the sequence number that came. */
export const PRODUCER_RECEIVED_SEQ = "producer-received-seq";

/** What a page of another origin may read of an answer (`Access-Control-Expose-Headers`). */
export const EXPOSED_HEADERS: readonly string[] = [
  STREAM_NEXT_OFFSET,
  STREAM_CURSOR,
  STREAM_UP_TO_DATE,
  STREAM_CLOSED,
  STREAM_SEQ,
  STREAM_TTL,
  STREAM_EXPIRES_AT,
  STREAM_FORKED_FROM,
  STREAM_FORK_OFFSET,
  STREAM_FORK_SUB_OFFSET,
  STREAM_SSE_DATA_ENCODING,
  STREAM_INCARNATION,
  STREAM_EARLIEST_OFFSET,
  STREAM_SNAPSHOT_OFFSET,
  PRODUCER_EPOCH,
  PRODUCER_SEQ,
  PRODUCER_EXPECTED_SEQ,
  PRODUCER_RECEIVED_SEQ,
  CONTENT_TYPE,
  ETAG,
  LOCATION,
  RETRY_AFTER,
  CONTENT_RANGE,
  ACCEPT_RANGES,
  ALLOW,
  PREFERENCE_APPLIED,
  WWW_AUTHENTICATE,
];

/** What a page of another origin may send (`Access-Control-Allow-Headers`). */
export const ALLOWED_REQUEST_HEADERS: readonly string[] = [
  CONTENT_TYPE,
  "authorization",
  CACHE_CONTROL,
  IF_MATCH,
  IF_NONE_MATCH,
  "last-event-id",
  PREFER,
  RANGE,
  IF_RANGE,
  STREAM_SEQ,
  STREAM_TTL,
  STREAM_EXPIRES_AT,
  STREAM_CLOSED,
  STREAM_CURSOR,
  STREAM_FORKED_FROM,
  STREAM_FORK_OFFSET,
  STREAM_FORK_SUB_OFFSET,
  STREAM_INCARNATION,
  PRODUCER_ID,
  PRODUCER_EPOCH,
  PRODUCER_SEQ,
];
