import {
  CACHE_CONTROL,
  CONTENT_TYPE,
  ETAG,
  formatOffset,
  IF_NONE_MATCH,
  type Query,
  STREAM_CLOSED,
  STREAM_EARLIEST_OFFSET,
  STREAM_EXPIRES_AT,
  STREAM_INCARNATION,
  STREAM_NEXT_OFFSET,
  STREAM_SNAPSHOT_OFFSET,
  STREAM_TTL,
  STREAM_UP_TO_DATE,
  type StreamRoute,
} from "../protocol/mod.ts";
import type { Eventually } from "../shard/mod.ts";
import type { ReadPlan } from "../stream/mod.ts";
import {
  type HeaderMap,
  type Reply,
  respond,
  respondError,
  respondObstacle,
  tailHeaders,
} from "./answer.ts";
import { compressed, mayCompress } from "./compress.ts";
import type { HttpContext } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import { longPoll } from "./long_poll.ts";
import { nextOffset, parseRead, type ReadWish } from "./read_request.ts";
import { serverSentEvents } from "./sse.ts";
import { CATCH_UP_BYTES } from "./sse_reader.ts";
import { clientBytes } from "./stored_form.ts";

/** What never changes again may be kept by anybody (P§10.1). */
const CACHE_FOR_A_WHILE = "public, max-age=60, stale-while-revalidate=300";
/** The same where tokens say who may read it. */
const CACHE_PRIVATELY = "private, max-age=60, stale-while-revalidate=300";

/** How an answer may be kept whose bytes never change again. */
export function cachedForAWhile({ gate }: HttpContext): string {
  return gate === undefined ? CACHE_FOR_A_WHILE : CACHE_PRIVATELY;
}

/** GET: catch-up, long-poll or SSE (P§5.6 to P§5.8). */
export function read(
  context: HttpContext,
  exchange: Exchange,
  route: StreamRoute,
  query: Query,
): void {
  const { headers } = exchange.request;
  const wish = parseRead(query, headers, exchange.credentials?.expiresAtMs);
  if (typeof wish === "string") return exchange.answer(respondError(wish));
  const { from, incarnation } = wish;
  const maxBytes = Math.min(wish.maxBytes, context.outgoing.answerBytesMax);
  const found = context.streams.read({
    key: route.key,
    from,
    maxBytes: wish.live === "sse" ? Math.min(maxBytes, CATCH_UP_BYTES) : maxBytes,
    incarnation,
    touch: true,
  });
  if (!(found instanceof Promise)) return respondRead(context, exchange, route, wish, found);
  found.then((answer) => respondRead(context, exchange, route, wish, answer))
    .catch((reason) => exchange.fail(reason));
}

function respondRead(
  context: HttpContext,
  exchange: Exchange,
  { key }: StreamRoute,
  wish: ReadWish,
  answer: Awaited<ReturnType<HttpContext["streams"]["read"]>>,
): void {
  if (!("plan" in answer)) return exchange.answer(respondObstacle(answer));
  const { plan } = answer;
  const { request } = exchange;
  if (wish.live === "long-poll") return longPoll(context, exchange, key, wish, plan);
  if (wish.live === "sse") {
    return exchange.answerWith(serverSentEvents(context, request, key, wish, plan));
  }
  exchange.answerWith(catchUp(context, plan, wish, request));
}

function catchUp(
  context: HttpContext,
  plan: ReadPlan,
  wish: ReadWish,
  request: Request,
): Eventually<Reply> {
  const headers = planHeaders(plan, wish);
  if (wish.from === "now") {
    headers[CACHE_CONTROL] = "no-store";
    return respond(200, headers, clientBytes(plan));
  }
  const etag = etagOf(plan);
  headers[ETAG] = etag;
  headers[CACHE_CONTROL] = plan.upToDate ? "no-cache" : cachedForAWhile(context);
  const { contentType } = plan.facts;
  if (matches(request.headers.get(IF_NONE_MATCH), etag)) {
    if (mayCompress(contentType, plan.next - plan.from)) headers["vary"] = "accept-encoding";
    return respond(304, headers);
  }
  const body = context.recentReads.body(etag, () => clientBytes(plan));
  const packed = compressed(request, contentType, headers, body);
  if (packed instanceof Promise) return packed.then((bytes) => respond(200, headers, bytes));
  const turn = context.largeAnswers.turn(body.length);
  if (turn === undefined) return respond(200, headers, body);
  return turn.then(() => respond(200, headers, body));
}

/** What every answer with bytes of a stream says of them. */
export function planHeaders(plan: ReadPlan, wish: ReadWish): HeaderMap {
  const { facts } = plan;
  const headers: HeaderMap = {
    [CONTENT_TYPE]: facts.contentType,
    [STREAM_NEXT_OFFSET]: nextOffset(plan.next, facts.tail, wish),
    [STREAM_INCARNATION]: facts.incarnation,
  };
  if (!plan.upToDate) return headers;
  headers[STREAM_UP_TO_DATE] = "true";
  if (facts.closed) headers[STREAM_CLOSED] = "true";
  return headers;
}

/** P§5.6, P§10.1: stream and stretch, and whether the end is in it. */
export function etagOf(plan: ReadPlan): string {
  const end = plan.upToDate && plan.facts.closed ? ":c" : "";
  return `"${plan.facts.incarnation}:${plan.from}:${plan.next}${end}"`;
}

/** RFC 9110 section 13.1.2: weak comparison with a list of tags, or `*`. */
export function matches(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  if (ifNoneMatch.trim() === "*") return true;
  return ifNoneMatch.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
}

/** HEAD: facts alone, never to be kept (P§5.5). */
export async function head(
  context: HttpContext,
  request: Request,
  route: StreamRoute,
  query: Query,
): Promise<Reply> {
  const incarnation = query.incarnation ?? request.headers.get(STREAM_INCARNATION) ?? undefined;
  const answer = await context.streams.read({
    key: route.key,
    from: "now",
    maxBytes: 0,
    incarnation,
    touch: false,
  });
  if (!("plan" in answer)) return respondObstacle(answer);
  return respond(200, headHeaders(answer.plan));
}

function headHeaders({ facts, snapshot }: ReadPlan): HeaderMap {
  const headers = tailHeaders(facts);
  headers[CONTENT_TYPE] = facts.contentType;
  headers[CACHE_CONTROL] = "no-store";
  if (facts.ttlSeconds !== undefined) headers[STREAM_TTL] = String(facts.ttlSeconds);
  if (facts.expiresAtMs !== undefined) {
    headers[STREAM_EXPIRES_AT] = new Date(facts.expiresAtMs).toISOString();
  }
  if (facts.earliest > 0) headers[STREAM_EARLIEST_OFFSET] = formatOffset(facts.earliest);
  if (snapshot !== undefined) headers[STREAM_SNAPSHOT_OFFSET] = formatOffset(snapshot.offset);
  return headers;
}
