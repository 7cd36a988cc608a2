import {
  type BucketRoute,
  type ErrorCode,
  LIST_LIMIT_MAX,
  parseLimit,
  type Query,
} from "../protocol/mod.ts";
import type { Unavailable } from "../group/mod.ts";
import type { Listing } from "../node/listing.ts";
import type { Page } from "../shard/mod.ts";
import type { ListedStream } from "../stream/mod.ts";
import { coversBucket, type Credentials } from "./auth/mod.ts";
import { type Reply, respond, respondError, respondJson, respondObstacle } from "./answer.ts";
import type { HttpContext } from "./context.ts";

/** PUT /{bucket}: 201 when new, 200 when it exists (SPEC section 2). */
export async function createBucket(context: HttpContext, route: BucketRoute): Promise<Reply> {
  if (!route.regular) return respondError("invalid_bucket_id");
  const answer = await context.buckets.create(route.bucket);
  if ("refused" in answer || "unavailable" in answer) return respondObstacle(answer);
  return respond(answer.ok === "created" ? 201 : 200, {});
}

/** GET /{bucket}. */
export async function describeBucket(context: HttpContext, route: BucketRoute): Promise<Reply> {
  const found = await context.listings.describe(route.bucket);
  if (found === undefined) return respondError("bucket_not_found");
  if ("unavailable" in found) return respondObstacle(found);
  return respondJson(200, { bucket_id: found.bucket, streams: found.streams });
}

/** DELETE /{bucket}: only when it holds no stream. */
export async function deleteBucket(context: HttpContext, route: BucketRoute): Promise<Reply> {
  const answer = await context.buckets.delete(route.bucket);
  if ("refused" in answer || "unavailable" in answer) return respondObstacle(answer);
  return respond(204, {});
}

/** GET /{bucket}/streams. */
export async function listStreams(
  context: HttpContext,
  route: BucketRoute,
  query: Query,
): Promise<Reply> {
  const page = parsePage(query);
  if (typeof page === "string") return respondError(page);
  const exists = await context.listings.exists(route.bucket);
  if (typeof exists === "object") return respondObstacle(exists);
  if (!exists) return respondError("bucket_not_found");
  const listing = await context.listings.streams(route.bucket, page);
  if ("unavailable" in listing) return respondObstacle(listing);
  const { items, hasMore } = listing;
  return respondJson(200, {
    bucket_id: route.bucket,
    prefix: page.prefix,
    stream_count: items.length,
    streams: items.map(renderStream),
    next_cursor: hasMore ? items[items.length - 1]?.streamId : null,
    has_more: hasMore,
  });
}

/** GET /: the buckets, those that the token covers where one was asked for. */
export async function listBuckets(
  context: HttpContext,
  query: Query,
  credentials?: Credentials,
): Promise<Reply> {
  const page = parsePage(query);
  if (typeof page === "string") return respondError(page);
  const listing = credentials === undefined
    ? await context.listings.buckets(page)
    : await coveredBuckets(context, page, credentials);
  if ("unavailable" in listing) return respondObstacle(listing);
  const { items, hasMore } = listing;
  return respondJson(200, {
    prefix: page.prefix,
    bucket_count: items.length,
    buckets: items.map((bucket) => ({ bucket_id: bucket })),
    next_cursor: hasMore ? items[items.length - 1] : null,
    has_more: hasMore,
  });
}

/** A page of what a token covers, out of as many pages of all buckets as that takes. */
async function coveredBuckets(
  { listings }: HttpContext,
  page: Page,
  credentials: Credentials,
): Promise<Listing<string> | Unavailable> {
  const covered: string[] = [];
  for (let { after } = page;;) {
    const listing = await listings.buckets({ ...page, after, limit: LIST_LIMIT_MAX });
    if ("unavailable" in listing) return listing;
    for (const bucket of listing.items) {
      if (!coversBucket(credentials, bucket)) continue;
      if (covered.length === page.limit) return { items: covered, hasMore: true };
      covered.push(bucket);
    }
    const last = listing.items.at(-1);
    if (!listing.hasMore || last === undefined) return { items: covered, hasMore: false };
    after = last;
  }
}

function renderStream({ streamId, facts }: ListedStream) {
  return {
    stream_id: streamId,
    status: facts.closed ? "Closed" : "Open",
    content_type: facts.contentType,
    tail_offset: facts.tail,
    created_at_ms: facts.createdAtMs,
    last_write_at_ms: facts.lastWriteAtMs,
  };
}

function parsePage(query: Query): Page | ErrorCode {
  const limit = query.limit === undefined ? LIST_LIMIT_MAX : parseLimit(query.limit);
  if (limit === undefined) return "invalid_limit";
  return { prefix: query.prefix ?? "", after: query.after ?? "", limit };
}
