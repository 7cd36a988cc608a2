import { ALLOW, EMPTY_QUERY, parseQuery, type Query, type Route } from "../protocol/mod.ts";
import { type HeaderMap, type Reply, respond, respondError } from "./answer.ts";
import { append } from "./append.ts";
import {
  createBucket,
  deleteBucket,
  describeBucket,
  listBuckets,
  listStreams,
} from "./bucket_routes.ts";
import type { HttpContext } from "./context.ts";
import { Cors } from "./cors.ts";
import { create } from "./create.ts";
import { health, metricsJson, metricsText, readiness } from "./operator.ts";
import { head, read } from "./read.ts";
import { remove } from "./remove.ts";
import { Routes } from "./routes.ts";

/** Answers one request. Never rejects. */
export type Handler = (request: Request) => Promise<Response>;

/** Methods that each kind of route takes, beside OPTIONS. */
const METHODS: Record<Route["kind"], string> = {
  stream: "GET, HEAD, PUT, POST, DELETE",
  bucket: "GET, HEAD, PUT, DELETE",
  streams: "GET, HEAD",
  root: "GET, HEAD",
  healthz: "GET, HEAD",
  readyz: "GET, HEAD",
  metrics: "GET, HEAD",
  ursula_metrics: "GET, HEAD",
};

/** Where the path begins in `http://host/path`: behind the first `/` after the scheme's two. */
const SCHEME_LENGTH = "http://".length;

/** The handler of the client plane. @param onError told of what no request should cause */
export function createHandler(context: HttpContext, onError: (reason: unknown) => void): Handler {
  const cors = new Cors(context.settings.corsOrigins);
  const routes = new Routes();
  return async (request) => {
    let reply: Reply;
    try {
      reply = request.method === "OPTIONS"
        ? respond(204, cors.preflight())
        : await dispatch(context, routes, request);
    } catch (reason) {
      onError(reason);
      reply = respondError("internal");
    }
    const { status, headers } = reply;
    const body = request.method === "HEAD" ? null : reply.body;
    headers["x-content-type-options"] = "nosniff";
    headers["cross-origin-resource-policy"] = "cross-origin";
    cors.admit(request, headers);
    return new Response(bodyInit(body, headers), { status, headers });
  };
}

/** Longer bodies are streamed from where they lie: a `Response` would copy them first. */
const COPIED_BYTES_MAX = 64 * 1024;

function bodyInit(body: Reply["body"], headers: HeaderMap): BodyInit | null {
  if (!(body instanceof Uint8Array) || body.length <= COPIED_BYTES_MAX) {
    return body as BodyInit | null;
  }
  headers["content-length"] = String(body.length);
  return new ReadableStream({
    start(controller) {
      controller.enqueue(body);
      controller.close();
    },
  });
}

function dispatch(
  context: HttpContext,
  routes: Routes,
  request: Request,
): Promise<Reply> | Reply {
  const { url } = request;
  const pathStart = url.indexOf("/", SCHEME_LENGTH + 1);
  let pathEnd = url.indexOf("?", pathStart);
  let query: Query = EMPTY_QUERY;
  if (pathEnd < 0) {
    pathEnd = url.length;
  } else {
    const parsed = parseQuery(url.slice(pathEnd));
    if (typeof parsed === "string") return respondError(parsed);
    query = parsed;
  }
  const route = routes.of(url.slice(pathStart, pathEnd));
  if (typeof route === "string") return respondError(route);
  return route.kind === "stream"
    ? onStream(context, request, route, query)
    : onOther(context, request, route, query);
}

function onStream(
  context: HttpContext,
  request: Request,
  route: Extract<Route, { kind: "stream" }>,
  query: Query,
): Promise<Reply> | Reply {
  switch (request.method) {
    case "POST":
      return append(context, request, route, query);
    case "GET":
      return read(context, request, route, query);
    case "PUT":
      return create(context, request, route, query);
    case "HEAD":
      return head(context, request, route, query);
    case "DELETE":
      return remove(context, request, route, query);
    default:
      return methodNotAllowed(route);
  }
}

function onOther(
  context: HttpContext,
  request: Request,
  route: Exclude<Route, { kind: "stream" }>,
  query: Query,
): Promise<Reply> | Reply {
  const { method } = request;
  if (route.kind === "bucket") {
    if (method === "GET" || method === "HEAD") return describeBucket(context, route);
    if (method === "PUT") return createBucket(context, route);
    if (method === "DELETE") return deleteBucket(context, route);
    return methodNotAllowed(route);
  }
  if (method !== "GET" && method !== "HEAD") return methodNotAllowed(route);
  switch (route.kind) {
    case "streams":
      return listStreams(context, route, query);
    case "root":
      return listBuckets(context, query);
    case "healthz":
      return health();
    case "readyz":
      return readiness(context);
    case "metrics":
      return metricsText(context);
    case "ursula_metrics":
      return metricsJson(context);
  }
}

function methodNotAllowed(route: Route): Reply {
  return respondError("method_not_allowed", { [ALLOW]: `${METHODS[route.kind]}, OPTIONS` });
}
