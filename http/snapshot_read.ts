import type { FoundSnapshot } from "../node/snapshots.ts";
import {
  ACCEPT_RANGES,
  CACHE_CONTROL,
  CONTENT_RANGE,
  CONTENT_TYPE,
  ETAG,
  formatOffset,
  IF_NONE_MATCH,
  IF_RANGE,
  type LatestSnapshotRoute,
  LOCATION,
  type Query,
  RANGE,
  type SnapshotRoute,
  STREAM_CLOSED,
  STREAM_INCARNATION,
  STREAM_NEXT_OFFSET,
  STREAM_SNAPSHOT_OFFSET,
  STREAM_UP_TO_DATE,
} from "../protocol/mod.ts";
import type { StreamFacts, StreamSnapshot } from "../stream/mod.ts";
import {
  type HeaderMap,
  type Reply,
  respond,
  respondError,
  respondObstacle,
  tailHeaders,
} from "./answer.ts";
import type { HttpContext } from "./context.ts";
import { type ByteRange, parseRange } from "./range.ts";
import { matches } from "./read.ts";
import { snapshotBytes } from "./snapshot_body.ts";
import { parseSnapshotOffset, respondSnapshotError } from "./snapshot_publish.ts";

type Found = FoundSnapshot & { readonly snapshot: StreamSnapshot };

/** GET and HEAD of the snapshot wherever it is: says where. */
export async function locateSnapshot(
  context: HttpContext,
  request: Request,
  route: LatestSnapshotRoute,
  query: Query,
): Promise<Reply> {
  const found = await find(context, request, route, query);
  if ("status" in found) return found;
  const { facts, snapshot } = found;
  const offset = formatOffset(snapshot.offset);
  return respond(307, {
    [LOCATION]: below(request.url, offset),
    [STREAM_SNAPSHOT_OFFSET]: offset,
    [STREAM_INCARNATION]: facts.incarnation,
    // Where it is changes whenever another one is published.
    [CACHE_CONTROL]: "no-store",
  });
}

/** GET and HEAD of the snapshot at an offset, or of a part of it (RFC 9110 section 14). */
export async function readSnapshot(
  context: HttpContext,
  request: Request,
  route: SnapshotRoute,
  query: Query,
): Promise<Reply> {
  const offset = parseSnapshotOffset(route.offset);
  if (offset === undefined) return respondSnapshotError("invalid_offset");
  const found = await find(context, request, route, query);
  if ("status" in found) return found;
  const { facts, snapshot } = found;
  if (snapshot.offset !== offset) return respondError("snapshot_not_found", tailHeaders(facts));
  const headers = snapshotHeaders(facts, snapshot);
  const etag = headers[ETAG] = `"${facts.incarnation}:s${snapshot.offset}"`;
  if (matches(request.headers.get(IF_NONE_MATCH), etag)) return respond(304, headers);
  const { length } = snapshot;
  const range = request.method === "GET" ? rangeOf(request.headers, etag, length) : undefined;
  if (range === "not_satisfiable") {
    return respondError("range_not_satisfiable", {
      ...tailHeaders(facts),
      [CONTENT_RANGE]: `bytes */${length}`,
    });
  }
  headers[CONTENT_TYPE] = snapshot.contentType;
  const { from, to } = range ?? { from: 0, to: length };
  headers["content-length"] = String(to - from);
  if (range !== undefined) headers[CONTENT_RANGE] = `bytes ${from}-${to - 1}/${length}`;
  if (request.method === "HEAD") return respond(200, headers);
  const body = await snapshotBytes(
    context.outgoing,
    (at, bytes) => context.snapshots.read(found, snapshot, at, bytes),
    from,
    to,
  );
  if ("unavailable" in body) return respondObstacle(body);
  return respond(range === undefined ? 200 : 206, headers, body);
}

/** DELETE: the published snapshot can't be deleted, and there is no other. */
export async function deleteSnapshot(
  context: HttpContext,
  request: Request,
  route: SnapshotRoute,
  query: Query,
): Promise<Reply> {
  const offset = parseSnapshotOffset(route.offset);
  if (offset === undefined) return respondSnapshotError("invalid_offset");
  const found = await find(context, request, route, query);
  if ("status" in found) return found;
  const isPublished = found.snapshot.offset === offset;
  const code = isPublished ? "snapshot_published" : "snapshot_not_found";
  return respondError(code, tailHeaders(found.facts));
}

/** The snapshot of a stream that has one, or what to answer where there is none. */
async function find(
  { snapshots }: HttpContext,
  request: Request,
  { key }: LatestSnapshotRoute | SnapshotRoute,
  query: Query,
): Promise<Found | Reply> {
  const incarnation = query.incarnation ?? request.headers.get(STREAM_INCARNATION) ?? undefined;
  const found = await snapshots.find(key, incarnation, request.method === "GET");
  if (!("group" in found)) return respondObstacle(found);
  const { snapshot, facts } = found;
  if (snapshot === undefined) return respondError("snapshot_not_found", tailHeaders(facts));
  return { ...found, snapshot };
}

function snapshotHeaders(facts: StreamFacts, { offset }: StreamSnapshot): HeaderMap {
  const headers: HeaderMap = {
    [ACCEPT_RANGES]: "bytes",
    // The bytes at an offset of an incarnation never change, but they go, and the tail moves on.
    [CACHE_CONTROL]: "no-cache",
    [STREAM_SNAPSHOT_OFFSET]: formatOffset(offset),
    [STREAM_NEXT_OFFSET]: formatOffset(offset),
    [STREAM_INCARNATION]: facts.incarnation,
  };
  if (offset < facts.tail) return headers;
  headers[STREAM_UP_TO_DATE] = "true";
  if (facts.closed) headers[STREAM_CLOSED] = "true";
  return headers;
}

/** The part that is asked for; all of it where the client holds a part of something else. */
function rangeOf(
  headers: Headers,
  etag: string,
  length: number,
): ByteRange | "not_satisfiable" | undefined {
  const ifRange = headers.get(IF_RANGE);
  if (ifRange !== null && ifRange.trim() !== etag) return undefined;
  return parseRange(headers.get(RANGE), length);
}

/** The URL of a path's child. The query goes along, as it may name the incarnation. */
function below(url: string, child: string): string {
  const query = url.indexOf("?");
  return query < 0 ? `${url}/${child}` : `${url.slice(0, query)}/${child}${url.slice(query)}`;
}
