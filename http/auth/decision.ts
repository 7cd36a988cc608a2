/**
 * Who may do what: decided from a token's credentials and the route alone.
 *
 * @module
 */

import { bucketOf, parsePath, type Route, STREAM_FORKED_FROM } from "../../protocol/mod.ts";
import { coversBucket, type Credentials, type Scope } from "./credentials.ts";

/** What a request asks of a token. */
export interface Need {
  /** One of these scopes. */
  readonly scopes: readonly Scope[];
  /** For this bucket; undefined asks for none in particular. */
  readonly bucket?: string;
}

/** What comes of it: 401 has shown no good token, 403 one that is not good for this. */
export type Decision = "ok" | 401 | 403;

const READ: readonly Scope[] = ["read"];
const WRITE: readonly Scope[] = ["write"];
/** What the admin plane asks for, whatever the route. */
export const ADMIN_NEED: Need = { scopes: ["admin"] };
/** Metrics name no bucket and no stream. */
const METRICS_NEED: Need = { scopes: ["read", "admin"] };
/** The listing of buckets shows only those that the token covers. */
const LISTING_NEED: Need = { scopes: READ };

/** All that a request of the client plane needs; nothing where the route is open to all. */
export function needsOf(method: string, route: Route, headers: Headers): Need[] {
  const need = needOf(method, route);
  if (need === undefined) return [];
  if (method !== "PUT" || route.kind !== "stream") return [need];
  const from = headers.get(STREAM_FORKED_FROM);
  const source = from === null ? undefined : forkNeed(from);
  return source === undefined ? [need] : [need, source];
}

function needOf(method: string, route: Route): Need | undefined {
  switch (route.kind) {
    case "healthz":
    case "readyz":
      return undefined;
    case "metrics":
    case "ursula_metrics":
      return METRICS_NEED;
    case "root":
      return LISTING_NEED;
    case "bucket":
    case "streams":
      return { scopes: scopesOf(method), bucket: route.bucket };
    default:
      return { scopes: scopesOf(method), bucket: bucketOf(route.key) };
  }
}

/** A fork shows what its source holds: what it needs beside the path's own. @param from a path */
function forkNeed(from: string): Need | undefined {
  const source = parsePath(from);
  // What names no stream is refused for that.
  if (typeof source === "string" || source.kind !== "stream") return undefined;
  return { scopes: READ, bucket: bucketOf(source.key) };
}

/** @param credentials undefined where no good token was shown */
export function allowed(
  credentials: Credentials | undefined,
  need: Need | undefined,
): Decision {
  if (need === undefined) return "ok";
  if (credentials === undefined) return 401;
  const { scopes, bucket } = need;
  if (!scopes.some((scope) => credentials.scopes.has(scope))) return 403;
  return bucket === undefined || coversBucket(credentials, bucket) ? "ok" : 403;
}

function scopesOf(method: string): readonly Scope[] {
  return method === "GET" || method === "HEAD" ? READ : WRITE;
}
