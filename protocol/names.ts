/**
 * What buckets and streams may be called (SPEC section 2), and how their keys are put together.
 *
 * @module
 */

/** The bucket of a flat path that names none. */
export const DEFAULT_BUCKET = "_default";

/** Longest `bucket/stream`, in bytes of UTF-8. */
export const STREAM_KEY_BYTES_MAX = 1024;

/** Fewest and most characters of a bucket id. */
export const BUCKET_ID_LENGTH_MIN = 4;
/** See {@linkcode BUCKET_ID_LENGTH_MIN}. */
export const BUCKET_ID_LENGTH_MAX = 64;

/** First segment of the protocol's own control paths (P§6); never a stream. */
export const CONTROL_SEGMENT = "__ds";

const RESERVED_BUCKETS: readonly string[] = ["metrics", "healthz", "readyz"];

/** Does `id` match `^[a-z0-9_-]{4,64}$`? Flat creates may have made buckets whose ids do not. */
export function isRegularBucketId(id: string): boolean {
  const length = id.length;
  if (length < BUCKET_ID_LENGTH_MIN || length > BUCKET_ID_LENGTH_MAX) return false;
  for (let at = 0; at < length; at++) {
    const c = id.charCodeAt(at);
    const allowed = (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39) || c === 0x5f ||
      c === 0x2d;
    if (!allowed) return false;
  }
  return true;
}

/** Is this a bucket id that no client may use, on any form of path? */
export function isReservedBucketId(id: string): boolean {
  return id.startsWith("__") || RESERVED_BUCKETS.includes(id);
}

/** Does a stream id lie in the protocol's own name space (P§6)? */
export function isControlStreamId(id: string): boolean {
  return id.startsWith(CONTROL_SEGMENT) &&
    (id.length === CONTROL_SEGMENT.length || id.charCodeAt(CONTROL_SEGMENT.length) === 0x2f);
}

/** The bucket's part of a key. */
export function bucketOf(key: string): string {
  return key.slice(0, key.indexOf("/"));
}

/** The stream's part of a key. */
export function streamIdOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

/** Length of well-formed `text` in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Either half of a surrogate pair counts 2 of the pair's 4 bytes.
    if (unit >= 0x80) bytes += unit >= 0x800 && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

/** `/v1/stream/…` of a key, percent-encoded: the form that every stream has. */
export function flatPath(key: string): string {
  const bucket = bucketOf(key);
  const id = streamIdOf(key);
  const segments = id.split("/").map(encodeURIComponent).join("/");
  return `/v1/stream/${encodeURIComponent(bucket)}/${segments}`;
}

/** `/{bucket}/{stream}` of a key, percent-encoded: for regular bucket ids. */
export function bucketedPath(key: string): string {
  return `/${encodeURIComponent(bucketOf(key))}/${encodeURIComponent(streamIdOf(key))}`;
}
