/**
 * Query parameters of the client plane. Unknown ones are nobody's business and ignored.
 *
 * @module
 */

import { parseDecimal } from "./decimal.ts";
import type { ErrorCode } from "./errors.ts";

/** Longest wait that `timeout_ms` may ask for (SPEC section 3). */
export const TIMEOUT_MS_MAX = 60_000;
/** Most entries of a listing, and its default (SPEC section 2). */
export const LIST_LIMIT_MAX = 1000;

/** Parameters as text, decoded; undefined where the query has none. An empty value is `""`. */
export interface Query {
  /** Where to read from, for `parseOffset()`. */
  readonly offset: string | undefined;
  /** Live mode, for {@linkcode parseLive}. */
  readonly live: string | undefined;
  /** The last `Stream-Cursor` the client saw. */
  readonly cursor: string | undefined;
  /** `timeout_ms`, for {@linkcode parseTimeoutMs}. */
  readonly timeoutMs: string | undefined;
  /** `max_bytes` or `max-bytes`, for {@linkcode parseMaxBytes}. */
  readonly maxBytes: string | undefined;
  /** The life of the stream that the request means. */
  readonly incarnation: string | undefined;
  /** Listings: names begin with this. */
  readonly prefix: string | undefined;
  /** Listings: names come after this one. */
  readonly after: string | undefined;
  /** Listings: at most so many, for {@linkcode parseLimit}. */
  readonly limit: string | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A query that asks for nothing. */
export const EMPTY_QUERY: Query = Object.freeze(emptyQuery());

/**
 * Splits a query. Where a parameter stands more than once the first one counts, save for `offset`:
 * caches and servers would disagree about which bytes were asked for, so that is refused.
 *
 * @param search as in the request line, with or without the leading `?`
 */
export function parseQuery(search: string): Query | ErrorCode {
  let at = search.charCodeAt(0) === 0x3f ? 1 : 0;
  const length = search.length;
  if (at === length) return EMPTY_QUERY;
  const query = emptyQuery();
  const coded = search.includes("%") || search.includes("+");
  while (at < length) {
    let end = search.indexOf("&", at);
    if (end < 0) end = length;
    if (end > at) {
      let equals = search.indexOf("=", at);
      if (equals < 0 || equals > end) equals = end;
      const rawName = search.slice(at, equals);
      const rawValue = search.slice(equals + 1, end);
      const name = coded ? decodeParameter(rawName) : rawName;
      const value = coded ? decodeParameter(rawValue) : rawValue;
      if (name === undefined || value === undefined) return "invalid_query";
      if (name === "offset" && query.offset !== undefined) return "repeated_parameter";
      assign(query, name, value);
    }
    at = end + 1;
  }
  return query;
}

/** `live` as asked for: undefined for a catch-up read. */
export function parseLive(text: string): "long-poll" | "sse" | undefined {
  return text === "long-poll" || text === "sse" ? text : undefined;
}

/** `timeout_ms`: 0 to 60000 milliseconds; undefined where it is not that. */
export function parseTimeoutMs(text: string): number | undefined {
  return within(parseDecimal(text), 0, TIMEOUT_MS_MAX);
}

/** `max_bytes`: 1 or more; undefined where it is not that. */
export function parseMaxBytes(text: string): number | undefined {
  return within(parseDecimal(text), 1, Number.MAX_SAFE_INTEGER);
}

/** `limit` of a listing: 1 to 1000; undefined where it is not that. */
export function parseLimit(text: string): number | undefined {
  return within(parseDecimal(text), 1, LIST_LIMIT_MAX);
}

function emptyQuery(): Mutable<Query> {
  return {
    offset: undefined,
    live: undefined,
    cursor: undefined,
    timeoutMs: undefined,
    maxBytes: undefined,
    incarnation: undefined,
    prefix: undefined,
    after: undefined,
    limit: undefined,
  };
}

function assign(query: Mutable<Query>, name: string, value: string): void {
  switch (name) {
    case "offset":
    case "live":
    case "cursor":
    case "incarnation":
    case "prefix":
    case "after":
    case "limit":
      query[name] ??= value;
      break;
    case "timeout_ms":
      query.timeoutMs ??= value;
      break;
    case "max_bytes":
    case "max-bytes":
      query.maxBytes ??= value;
      break;
  }
}

/** Decodes as `application/x-www-form-urlencoded`; undefined where that fails. */
function decodeParameter(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

function within(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined;
}
