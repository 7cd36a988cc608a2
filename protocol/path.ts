/**
 * Request paths of the client plane (SPEC section 1) → routes.
 *
 * Every request passes here: the path is walked once by character, and nothing is allocated beyond
 * the route and its key unless a `%` makes decoding necessary.
 *
 * @module
 */

import type { ErrorCode } from "./errors.ts";
import {
  bucketOf,
  DEFAULT_BUCKET,
  isControlStreamId,
  isRegularBucketId,
  isReservedBucketId,
  STREAM_KEY_BYTES_MAX,
  utf8Length,
} from "./names.ts";

/** A stream, on either form of path. */
export interface StreamRoute {
  /** Tells routes apart. */
  readonly kind: "stream";
  /** `bucket + "/" + stream id`, decoded. */
  readonly key: string;
  /** Came as `/v1/stream/…`: a create makes the bucket silently. */
  readonly flat: boolean;
}

/** Many appends to a stream in one request, on either form of path. */
export interface AppendBatchRoute {
  /** Tells routes apart. */
  readonly kind: "append_batch";
  /** As in {@linkcode StreamRoute}. */
  readonly key: string;
}

/** The StreamSnapshot of a stream, wherever it is (SPEC section 5). */
export interface LatestSnapshotRoute {
  /** Tells routes apart. */
  readonly kind: "latest_snapshot";
  /** As in {@linkcode StreamRoute}. */
  readonly key: string;
}

/** A stream's StreamSnapshot and messages in one response. */
export interface BootstrapRoute {
  /** Tells routes apart. */
  readonly kind: "bootstrap";
  /** As in {@linkcode StreamRoute}. */
  readonly key: string;
}

/** The StreamSnapshot at an offset. */
export interface SnapshotRoute {
  /** Tells routes apart. */
  readonly kind: "snapshot";
  /** As in {@linkcode StreamRoute}. */
  readonly key: string;
  /** As it stands in the path, decoded, for `parseOffset()`. */
  readonly offset: string;
}

/** What a path that names a stream is about. */
type KeyedKind = (StreamRoute | AppendBatchRoute)["kind"];

/** A bucket, or the listing of its streams. */
export interface BucketRoute {
  /** Tells routes apart; `streams` is the listing. */
  readonly kind: "bucket" | "streams";
  /** The bucket's id, decoded. */
  readonly bucket: string;
  /** The id matches the pattern. Others exist only where a flat create made them. */
  readonly regular: boolean;
}

/** A path that names no data. */
export interface FixedRoute {
  /** Tells routes apart. */
  readonly kind: "root" | "healthz" | "readyz" | "metrics" | "ursula_metrics";
}

/** What a path names. */
export type Route =
  | StreamRoute
  | AppendBatchRoute
  | LatestSnapshotRoute
  | SnapshotRoute
  | BootstrapRoute
  | BucketRoute
  | FixedRoute;

const ROOT: FixedRoute = { kind: "root" };
const HEALTHZ: FixedRoute = { kind: "healthz" };
const READYZ: FixedRoute = { kind: "readyz" };
const METRICS: FixedRoute = { kind: "metrics" };
const URSULA_METRICS: FixedRoute = { kind: "ursula_metrics" };

const FLAT_PREFIX = "/v1/stream/";
const FLAT_BATCH_PREFIX = "/v1/append-batch/";
const BATCH_SEGMENT = "append-batch";
const BOOTSTRAP_SEGMENT = "bootstrap";
const SNAPSHOT_SEGMENT = "snapshot";
const OPERATOR_PREFIX = "/__ursula/";

/** What a walk over a path found: only ASCII that stands for itself … */
const PLAIN = 0;
/** … a `%` or a character outside ASCII … */
const CODED = 1;
/** … or what no path may hold. */
const BROKEN = 2;

/**
 * What a path names, or the code of the answer where it can't name anything.
 *
 * @param rawPath as it stands in the request line, before percent-decoding, without the query
 */
export function parsePath(rawPath: string): Route | ErrorCode {
  if (rawPath === "/") return ROOT;
  if (rawPath.charCodeAt(0) !== 0x2f) return "invalid_path";
  const found = walk(rawPath, 1);
  if (found === BROKEN) return "invalid_path";
  if (rawPath.startsWith(FLAT_PREFIX)) {
    return flat("stream", rawPath, FLAT_PREFIX.length, found === CODED);
  }
  if (rawPath.startsWith(FLAT_BATCH_PREFIX)) {
    return flat("append_batch", rawPath, FLAT_BATCH_PREFIX.length, found === CODED);
  }
  return bucketed(rawPath, found === CODED);
}

function flat(
  kind: KeyedKind,
  rawPath: string,
  start: number,
  coded: boolean,
): Route | ErrorCode {
  const slash = rawPath.indexOf("/", start);
  if (!coded) {
    const path = rawPath.slice(start);
    if (isControlStreamId(path)) return "not_found";
    return slash < 0
      ? stream(kind, DEFAULT_BUCKET + "/" + path, true, false)
      : flatWithBucket(kind, bucketOf(path), path, false);
  }
  const path = decode(rawPath, slash < 0 ? start : slash + 1, rawPath.length);
  if (path === undefined) return "invalid_path";
  if (slash < 0) {
    if (isControlStreamId(path)) return "not_found";
    return stream(kind, DEFAULT_BUCKET + "/" + path, true, true);
  }
  const bucket = decode(rawPath, start, slash);
  if (bucket === undefined) return "invalid_path";
  if (isControlStreamId(bucket)) return "not_found";
  // The first `/` of a key ends the bucket: an encoded one would move the end.
  if (bucket.includes("/")) return "invalid_bucket_id";
  return flatWithBucket(kind, bucket, bucket + "/" + path, true);
}

function flatWithBucket(
  kind: KeyedKind,
  bucket: string,
  key: string,
  coded: boolean,
): Route | ErrorCode {
  if (isReservedBucketId(bucket)) return "reserved_name";
  if (isControlStreamId(key.slice(bucket.length + 1))) return "not_found";
  return stream(kind, key, true, coded);
}

function bucketed(rawPath: string, coded: boolean): Route | ErrorCode {
  const slash = rawPath.indexOf("/", 1);
  if (slash < 0) return bucketAlone(rawPath, coded);
  if (rawPath.startsWith(OPERATOR_PREFIX)) {
    return rawPath === "/__ursula/metrics" ? URSULA_METRICS : "not_found";
  }
  const bucket = coded ? decode(rawPath, 1, slash) : rawPath.slice(1, slash);
  if (bucket === undefined) return "invalid_path";
  if (isReservedBucketId(bucket)) return "reserved_name";
  let end = rawPath.indexOf("/", slash + 1);
  const isBelow = end >= 0;
  if (!isBelow) end = rawPath.length;
  const id = coded ? decode(rawPath, slash + 1, end) : rawPath.slice(slash + 1, end);
  if (id === undefined) return "invalid_path";
  if (isBelow) return belowStream(rawPath, bucket, id, end + 1, coded);
  if (id === "streams") return bucketRoute("streams", bucket);
  if (!isRegularBucketId(bucket)) return "invalid_bucket_id";
  if (isControlStreamId(id)) return "not_found";
  return stream("stream", coded ? bucket + "/" + id : rawPath.slice(1, end), false, coded);
}

/**
 * What a path says below a stream, from `start` on. What has no flat form reaches every stream that
 * exists, in whatever bucket a flat create made it, and even if it is called `streams`.
 */
function belowStream(
  rawPath: string,
  bucket: string,
  id: string,
  start: number,
  coded: boolean,
): Route | ErrorCode {
  const segments = rawPath.slice(start).split("/")
    .map((segment) => coded ? decode(segment, 0, segment.length) : segment);
  if (segments.includes(undefined)) return "invalid_path";
  const [name, offset] = segments;
  const isBatch = name === BATCH_SEGMENT && segments.length === 1;
  const isBootstrap = name === BOOTSTRAP_SEGMENT && segments.length === 1;
  const isSnapshot = name === SNAPSHOT_SEGMENT && segments.length <= 2;
  if (!isBatch && !isBootstrap && !isSnapshot) return "not_found";
  if (isBatch && id === "streams") return "not_found";
  if (isBatch ? !isRegularBucketId(bucket) : bucket.includes("/")) return "invalid_bucket_id";
  if (isControlStreamId(id)) return "not_found";
  const key = bucket + "/" + id;
  if ((coded ? utf8Length(key) : key.length) > STREAM_KEY_BYTES_MAX) return "path_too_long";
  if (isBatch) return { kind: "append_batch", key };
  if (isBootstrap) return { kind: "bootstrap", key };
  return offset === undefined
    ? { kind: "latest_snapshot", key }
    : { kind: "snapshot", key, offset };
}

function bucketAlone(rawPath: string, coded: boolean): Route | ErrorCode {
  if (rawPath === "/healthz") return HEALTHZ;
  if (rawPath === "/readyz") return READYZ;
  if (rawPath === "/metrics") return METRICS;
  const bucket = coded ? decode(rawPath, 1, rawPath.length) : rawPath.slice(1);
  if (bucket === undefined) return "invalid_path";
  return isReservedBucketId(bucket) ? "reserved_name" : bucketRoute("bucket", bucket);
}

function bucketRoute(kind: "bucket" | "streams", bucket: string): Route | ErrorCode {
  if (bucket.includes("/")) return "invalid_bucket_id";
  return { kind, bucket, regular: isRegularBucketId(bucket) };
}

function stream(
  kind: KeyedKind,
  key: string,
  flat: boolean,
  coded: boolean,
): Route | ErrorCode {
  const bytes = coded ? utf8Length(key) : key.length;
  if (bytes > STREAM_KEY_BYTES_MAX) return "path_too_long";
  return kind === "stream" ? { kind, key, flat } : { kind, key };
}

/** Percent-decodes a stretch of a path; undefined where the result may not be part of a name. */
function decode(rawPath: string, start: number, end: number): string | undefined {
  let text: string;
  try {
    text = decodeURIComponent(rawPath.slice(start, end));
  } catch {
    return undefined;
  }
  return text.isWellFormed() && walk(text, 0) !== BROKEN ? text : undefined;
}

/** Walks `text` from `start`, where a segment begins, looking for what no name may hold. */
function walk(text: string, start: number): typeof PLAIN | typeof CODED | typeof BROKEN {
  let found: typeof PLAIN | typeof CODED = PLAIN;
  let segment = start;
  const length = text.length;
  for (let at = start; at < length; at++) {
    const c = text.charCodeAt(at);
    if (c === 0x2f) {
      if (!isSegment(text, segment, at)) return BROKEN;
      segment = at + 1;
    } else if (c === 0x25 || c > 0x7e) {
      found = CODED;
    } else if (c === 0) {
      return BROKEN;
    }
  }
  return isSegment(text, segment, length) ? found : BROKEN;
}

/** Is the stretch neither empty nor `.` nor `..`? */
function isSegment(text: string, start: number, end: number): boolean {
  if (end - start > 2) return true;
  if (end === start) return false;
  if (text.charCodeAt(start) !== 0x2e) return true;
  return end - start === 2 && text.charCodeAt(start + 1) !== 0x2e;
}
