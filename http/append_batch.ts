import {
  type AppendBatchRoute,
  type ErrorCode,
  ERRORS,
  IF_MATCH,
  parseBatch,
  PREFER,
  PREFERENCE_APPLIED,
  PRODUCER_EPOCH,
  PRODUCER_EXPECTED_SEQ,
  PRODUCER_ID,
  PRODUCER_RECEIVED_SEQ,
  PRODUCER_SEQ,
  type Query,
  STREAM_CLOSED,
  STREAM_INCARNATION,
  STREAM_SEQ,
} from "../protocol/mod.ts";
import type { Body, StreamFacts } from "../stream/mod.ts";
import {
  type HeaderMap,
  type Obstacle,
  type Reply,
  respond,
  respondError,
  respondObstacle,
  tailHeaders,
} from "./answer.ts";
import { respondBodyError, unexpected } from "./append.ts";
import { type ItemFault, type StoredBatch, storedBatch } from "./batch_body.ts";
import { compressed } from "./compress.ts";
import type { HttpContext } from "./context.ts";
import { isMediaType, parseContentType } from "./write_request.ts";

/** Headers that speak of one append. */
const NOT_ALLOWED = [
  STREAM_CLOSED,
  STREAM_SEQ,
  IF_MATCH,
  PRODUCER_ID,
  PRODUCER_EPOCH,
  PRODUCER_SEQ,
  PRODUCER_EXPECTED_SEQ,
  PRODUCER_RECEIVED_SEQ,
];

const MINIMAL = "return=minimal";
/** RFC 7240 section 2: names and values may be spelt in any case, a value may be quoted. */
const PREFERS_MINIMAL = /(?:^|,)[ \t]*return[ \t]*=[ \t]*(?:minimal|"minimal")[ \t]*(?:[;,]|$)/i;

const utf8 = new TextEncoder();

interface Wish {
  readonly contentType: string;
  readonly incarnation: string | undefined;
}

/** What became of a batch whose stream is there. */
interface Decided {
  /** As of right after the batch. */
  readonly facts: StreamFacts;
  /** Why no item at all was appended. */
  readonly refused?: "stream_closed" | "content_type_mismatch";
}

/**
 * POST …/append-batch: many appends in one request (SPEC section 4).
 *
 * The good items go to the log as one command that adds a message for each, so that they stand side
 * by side and in their order whatever happens on the way to it, and share one fate: whatever else an
 * append is decided by is the same for all of them. Only what an item itself shows is its own.
 */
export async function appendBatch(
  context: HttpContext,
  request: Request,
  route: AppendBatchRoute,
  query: Query,
): Promise<Reply> {
  const { admission, bodies, settings } = context;
  const wish = parseBatchHeaders(request.headers, query);
  if (typeof wish === "string") return respondError(wish);
  if (!admission.admits()) return respondError("overloaded");
  const bytes = await bodies.read(request, settings.batchBytesMax);
  if (bytes === "payload_too_large") return respondTooLarge(context, { "connection": "close" });
  if (typeof bytes === "string") return respondBodyError(bytes, settings.batchBytesMax);
  const lengths = parseBatch(bytes, settings.batchItemsMax);
  if (lengths === "batch_too_large") return respondTooLarge(context);
  if (typeof lengths === "string") return respondError(lengths);
  bodies.hold(bytes.length);
  const entered = admission.enter();
  let decides = false;
  try {
    const batch = storedBatch(bytes, lengths, wish.contentType, settings.appendBytesMax);
    const decided = await decide(context, route, wish, batch.body);
    decides = "facts" in decided;
    if (!("facts" in decided)) return respondObstacle(decided.obstacle);
    return await render(request, batch, decided);
  } finally {
    bodies.release(bytes.length);
    admission.leave(entered, decides);
  }
}

function parseBatchHeaders(headers: Headers, query: Query): Wish | ErrorCode {
  if (NOT_ALLOWED.some((name) => headers.get(name) !== null)) return "batch_header_not_allowed";
  const contentType = parseContentType(headers);
  if (contentType === undefined) return "missing_content_type";
  if (!isMediaType(contentType)) return "invalid_content_type";
  const incarnation = query.incarnation ?? headers.get(STREAM_INCARNATION) ?? undefined;
  return { contentType, incarnation };
}

/** Appends what there is to append; without that, only looks whether the stream is there. */
async function decide(
  context: HttpContext,
  route: AppendBatchRoute,
  wish: Wish,
  body: Body | undefined,
): Promise<Decided | { readonly obstacle: Obstacle }> {
  const { key } = route;
  const { contentType, incarnation } = wish;
  if (body === undefined) {
    const asked = { key, from: "now", maxBytes: 0, incarnation, touch: false } as const;
    const found = await context.streams.read(asked);
    return "plan" in found ? { facts: found.plan.facts } : { obstacle: found };
  }
  const answer = await context.streams.append({
    type: "append",
    key,
    contentType,
    body,
    closed: false,
    incarnation,
  });
  if ("ok" in answer) {
    if (answer.ok !== "appended") throw unexpected(answer.ok);
    return { facts: answer.facts };
  }
  if ("unavailable" in answer) return { obstacle: answer };
  const { refused, facts } = answer;
  if (facts === undefined) return { obstacle: answer };
  if (refused !== "stream_closed" && refused !== "content_type_mismatch") {
    return { obstacle: answer };
  }
  return { refused, facts };
}

async function render(request: Request, batch: StoredBatch, decided: Decided): Promise<Reply> {
  const headers = tailHeaders(decided.facts);
  const isWhole = decided.refused === undefined &&
    batch.items.every((item) => typeof item === "number");
  if (isWhole && PREFERS_MINIMAL.test(request.headers.get(PREFER) ?? "")) {
    headers[PREFERENCE_APPLIED] = MINIMAL;
    return respond(204, headers);
  }
  headers["content-type"] = "application/json";
  headers["cache-control"] = "no-store";
  const body = utf8.encode(renderItems(batch, decided));
  return respond(200, headers, await compressed(request, "application/json", headers, body));
}

/** In item order; each is told the tail as it was right after it. */
function renderItems({ items }: StoredBatch, { facts, refused }: Decided): string {
  const rest = facts.closed ? ',"stream_closed":true' : "";
  let tail = facts.tail;
  if (refused === undefined) {
    for (const item of items) {
      tail -= typeof item === "number" ? item : 0;
    }
  }
  const parts = items.map((item) => {
    if (typeof item !== "number") return renderFault(item, tail, rest);
    if (refused !== undefined) return renderFault({ error: refused }, tail, rest);
    tail += item;
    return `{"status":204,"stream_next_offset":${tail}${rest}}`;
  });
  return `[${parts.join(",")}]`;
}

function renderFault({ error, message }: ItemFault, tail: number, rest: string): string {
  const { status, message: usual } = ERRORS[error];
  const text = JSON.stringify(message ?? usual);
  return `{"status":${status},"stream_next_offset":${tail}${rest},` +
    `"error_code":"${error}","error":${text}}`;
}

function respondTooLarge({ settings }: HttpContext, headers: HeaderMap = {}): Reply {
  const { batchItemsMax, batchBytesMax } = settings;
  const message = `a batch may have at most ${batchItemsMax} items and ${batchBytesMax} bytes, ` +
    "their lengths included";
  return respondError("batch_too_large", headers, { message });
}
