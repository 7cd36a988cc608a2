import {
  CONTENT_TYPE,
  type ErrorCode,
  parseDecimal,
  parseOffset,
  parsePath,
  type Query,
  STREAM_CLOSED,
  STREAM_EXPIRES_AT,
  STREAM_FORK_OFFSET,
  STREAM_FORK_SUB_OFFSET,
  STREAM_FORKED_FROM,
  STREAM_INCARNATION,
  STREAM_TTL,
  type StreamRoute,
} from "../protocol/mod.ts";
import type { CreateStream } from "../stream/mod.ts";
import { type Reply, respond, respondError, respondObstacle, tailHeaders } from "./answer.ts";
import { respondBodyError, unexpected } from "./append.ts";
import type { HttpContext } from "./context.ts";
import { isMediaType, isTrue, parseContentType, storedBody } from "./write_request.ts";

/** SPEC section 3, Default content type. */
const DEFAULT_CONTENT_TYPE = "application/octet-stream";

type Wish = Pick<CreateStream, "contentType" | "ttlSeconds" | "expiresAtMs" | "closed" | "fork">;

/** PUT: create a stream or a fork (P§5.1, P§4.2). */
export async function create(
  context: HttpContext,
  request: Request,
  route: StreamRoute,
  query: Query,
): Promise<Reply> {
  const wish = parseCreate(request.headers);
  if (typeof wish === "string") return respondError(wish);
  if (!context.admission.admits()) return respondError("overloaded");
  const bytes = await context.bodies.read(request, context.settings.appendBytesMax);
  if (typeof bytes === "string") return respondBodyError(bytes, context.settings.appendBytesMax);
  const { admission, bodies } = context;
  bodies.hold(bytes.length);
  const entered = admission.enter();
  let decided = false;
  try {
    const reply = await createWith(context, request, route, query, wish, bytes);
    decided = reply.status < 500;
    return reply;
  } finally {
    bodies.release(bytes.length);
    admission.leave(entered, decided);
  }
}

async function createWith(
  context: HttpContext,
  request: Request,
  route: StreamRoute,
  query: Query,
  wish: Wish,
  bytes: Uint8Array,
): Promise<Reply> {
  const mismatch = await checkIncarnation(context, request, route, query);
  if (mismatch !== undefined) return mismatch;
  let contentType = wish.contentType;
  if (contentType === undefined && bytes.length > 0) {
    // How a fork's own first bytes are stored depends on the type that it inherits.
    contentType = wish.fork && await contentTypeOf(context, wish.fork.source);
  }
  const body = storedBody(bytes, contentType ?? DEFAULT_CONTENT_TYPE);
  if (body !== undefined && "error" in body) return respondError(body.error, {}, body);
  const command: CreateStream = { type: "create", key: route.key, ...wish, contentType, body };
  const answer = await context.streams.create(command, route.flat ? "make" : "refuse");
  if (!("ok" in answer)) return respondObstacle(answer);
  if (answer.ok !== "created" && answer.ok !== "existed") throw unexpected(answer.ok);
  const headers = tailHeaders(answer.facts);
  headers[CONTENT_TYPE] = answer.facts.contentType;
  if (answer.ok === "existed") return respond(200, headers);
  headers["location"] = locationOf(request.url);
  return respond(201, headers);
}

function parseCreate(headers: Headers): Wish | ErrorCode {
  const contentType = parseContentType(headers);
  if (contentType !== undefined && !isMediaType(contentType)) return "invalid_content_type";
  const ttl = headers.get(STREAM_TTL);
  const expiresAt = headers.get(STREAM_EXPIRES_AT);
  if (ttl !== null && expiresAt !== null) return "ttl_and_expires_at";
  const ttlSeconds = ttl === null ? undefined : parseDecimal(ttl);
  if (ttl !== null && (ttlSeconds === undefined || ttlSeconds > TTL_SECONDS_MAX)) {
    return "invalid_ttl";
  }
  const expiresAtMs = expiresAt === null ? undefined : parseTimestamp(expiresAt);
  if (expiresAt !== null && expiresAtMs === undefined) return "invalid_expires_at";
  const fork = parseFork(headers);
  if (typeof fork === "string") return fork;
  return { contentType, ttlSeconds, expiresAtMs, closed: isTrue(headers.get(STREAM_CLOSED)), fork };
}

/** A hundred years; beyond it sums of times would leave the range of exact integers sooner or later. */
const TTL_SECONDS_MAX = 3_155_760_000;

function parseFork(headers: Headers): CreateStream["fork"] | ErrorCode {
  const from = headers.get(STREAM_FORKED_FROM);
  const offsetText = headers.get(STREAM_FORK_OFFSET);
  const subOffsetText = headers.get(STREAM_FORK_SUB_OFFSET);
  if (from === null) return offsetText ?? subOffsetText !== null ? "invalid_fork" : undefined;
  const source = parsePath(from);
  if (typeof source === "string" || source.kind !== "stream") return "invalid_fork";
  const offset = offsetText === null ? undefined : parseOffset(offsetText);
  if (offsetText !== null && (offset === undefined || offset === "now")) return "invalid_offset";
  const subOffset = subOffsetText === null ? 0 : parseDecimal(subOffsetText);
  if (subOffset === undefined) return "invalid_fork";
  if (subOffset > 0 && offset === undefined) return "invalid_fork";
  return {
    source: source.key,
    offset: offset === "start" ? 0 : offset as number | undefined,
    subOffset,
  };
}

/** RFC 3339 date-time in ms since the Unix epoch. */
function parseTimestamp(text: string): number | undefined {
  if (!RFC_3339.test(text)) return undefined;
  const ms = Date.parse(text.replace(" ", "T"));
  return Number.isNaN(ms) ? undefined : ms;
}

const RFC_3339 =
  /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** A PUT may name the incarnation that it takes to be there, like every other request. */
async function checkIncarnation(
  context: HttpContext,
  request: Request,
  route: StreamRoute,
  query: Query,
): Promise<Reply | undefined> {
  const incarnation = query.incarnation ?? request.headers.get(STREAM_INCARNATION);
  if (incarnation === null) return undefined;
  const found = await context.streams.read({
    key: route.key,
    from: "now",
    maxBytes: 0,
    incarnation,
    touch: false,
  });
  if ("plan" in found) return undefined;
  if ("refused" in found && found.refused === "stream_not_found") {
    return respondError("incarnation_mismatch");
  }
  return respondObstacle(found);
}

async function contentTypeOf(context: HttpContext, key: string): Promise<string | undefined> {
  const found = await context.streams.read({ key, from: "now", maxBytes: 0, touch: false });
  return "plan" in found ? found.plan.facts.contentType : undefined;
}

function locationOf(url: string): string {
  const query = url.indexOf("?");
  return query < 0 ? url : url.slice(0, query);
}
