import { ALLOW, EMPTY_QUERY, parseQuery, type Query, type Route } from "../protocol/mod.ts";
import type { Eventually } from "../shard/mod.ts";
import { type Reply, respond, respondError } from "./answer.ts";
import { type Gate, needsOf, refusalOf, type Visitor } from "./auth/mod.ts";
import { append } from "./append.ts";
import { appendBatch } from "./append_batch.ts";
import { bootstrap } from "./bootstrap.ts";
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
import { Exchange, type Manners } from "./exchange.ts";
import { health } from "./health.ts";
import { metricsJson, metricsText } from "./metrics/mod.ts";
import { OPERATION, operationOf } from "./operations.ts";
import { head, read } from "./read.ts";
import { readiness } from "./readiness.ts";
import { Refusals } from "./refusals.ts";
import { remove } from "./remove.ts";
import { type Arrival, LoggedExchange, type RequestLog } from "./request_log.ts";
import { Routes } from "./routes.ts";
import { publishSnapshot } from "./snapshot_publish.ts";
import { deleteSnapshot, locateSnapshot, readSnapshot } from "./snapshot_read.ts";
import { trace } from "./tracing.ts";
import { TurnTime } from "./turn_time.ts";

/** Answers one request. Never rejects. */
export type Handler = (request: Request, arrival?: Arrival) => Promise<Response>;

/** Methods that each kind of route takes, beside OPTIONS. */
const METHODS: Record<Route["kind"], string> = {
  stream: "GET, HEAD, PUT, POST, DELETE",
  append_batch: "POST",
  latest_snapshot: "GET, HEAD",
  snapshot: "GET, HEAD, PUT, DELETE",
  bootstrap: "GET, HEAD",
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

/**
 * The handler of the client plane.
 *
 * @param onError told of what no request should cause
 * @param log told of every request that was answered; left out, nothing is spent on that
 */
export function createHandler(
  context: HttpContext,
  onError: (reason: unknown) => void,
  log?: RequestLog,
): Handler {
  const cors = new Cors(context.settings.corsOrigins);
  const time = new TurnTime(context.clock);
  const { traffic, outgoing } = context;
  const manners: Manners = { cors, time, traffic, outgoing, onError };
  const routes = new Routes();
  const answerTo = (exchange: Exchange) => {
    try {
      if (exchange.method === "OPTIONS") preflight(cors, exchange);
      else dispatch(context, routes, exchange);
    } catch (reason) {
      exchange.fail(reason);
    }
  };
  const refusals = new Refusals(context.admission, context.settings.corsOrigins);
  if (log !== undefined) {
    return (request, arrival) =>
      new Promise((resolve) => {
        const { method } = request;
        const exchange = new LoggedExchange(manners, request, method, resolve, log, arrival);
        if (refusals.of(method) === undefined) answerTo(exchange);
        else exchange.answer(respondError("overloaded"));
      });
  }
  return (request) => {
    const { method } = request;
    const refusal = refusals.of(method);
    if (refusal !== undefined) {
      // Nobody has looked at what it asks for.
      context.traffic.record(OPERATION.other, refusal.status, 0);
      return Promise.resolve(refusal);
    }
    return new Promise((resolve) => {
      answerTo(new Exchange(manners, request, method, resolve));
    });
  };
}

function preflight(cors: Cors, exchange: Exchange): void {
  exchange.operation = OPERATION.preflight;
  exchange.answer(respond(204, cors.preflight()));
}

function dispatch(context: HttpContext, routes: Routes, exchange: Exchange): void {
  const { url } = exchange.request;
  const pathStart = url.indexOf("/", SCHEME_LENGTH + 1);
  let pathEnd = url.indexOf("?", pathStart);
  let query: Query = EMPTY_QUERY;
  if (pathEnd < 0) {
    pathEnd = url.length;
  } else {
    const parsed = parseQuery(url.slice(pathEnd));
    if (typeof parsed === "string") return exchange.answer(respondError(parsed));
    query = parsed;
  }
  const route = routes.of(url.slice(pathStart, pathEnd));
  if (typeof route === "string") return exchange.answer(respondError(route));
  exchange.operation = operationOf(route.kind, exchange.method, query.live);
  if (context.tracer !== undefined) trace(context.tracer, context, exchange, route);
  if (context.gate === undefined) serve(context, exchange, route, query);
  else admit(context.gate, exchange, route, () => serve(context, exchange, route, query));
}

/** Goes on where whoever sends the request may do so. */
function admit(gate: Gate, exchange: Exchange, route: Route, goOn: () => void): void {
  const { headers } = exchange.request;
  const needs = needsOf(exchange.method, route, headers);
  if (needs.length === 0) return goOn();
  const judge = (visitor: Visitor) => {
    const refusal = refusalOf(visitor, needs);
    if (refusal !== undefined) return exchange.answer(refusal);
    if (typeof visitor !== "string") exchange.credentials = visitor;
    goOn();
  };
  const visitor = gate.identify(headers);
  if (!(visitor instanceof Promise)) return judge(visitor);
  visitor.then(judge).catch((reason) => exchange.fail(reason));
}

function serve(context: HttpContext, exchange: Exchange, route: Route, query: Query): void {
  if (route.kind === "stream") onStream(context, exchange, route, query);
  else exchange.answerWith(onOther(context, exchange, route, query));
}

function onStream(
  context: HttpContext,
  exchange: Exchange,
  route: Extract<Route, { kind: "stream" }>,
  query: Query,
): void {
  const { request } = exchange;
  switch (exchange.method) {
    case "POST":
      return append(context, exchange, route, query);
    case "GET":
      return read(context, exchange, route, query);
    case "PUT":
      return exchange.answerWith(create(context, request, route, query));
    case "HEAD":
      return exchange.answerWith(head(context, request, route, query));
    case "DELETE":
      return exchange.answerWith(remove(context, request, route, query));
    default:
      return exchange.answer(methodNotAllowed(route));
  }
}

function onOther(
  context: HttpContext,
  exchange: Exchange,
  route: Exclude<Route, { kind: "stream" }>,
  query: Query,
): Eventually<Reply> {
  const { method } = exchange;
  if (route.kind === "append_batch") {
    if (method === "POST") return appendBatch(context, exchange.request, route, query);
    return methodNotAllowed(route);
  }
  if (route.kind === "snapshot") {
    if (method === "GET" || method === "HEAD") {
      return readSnapshot(context, exchange.request, route, query);
    }
    if (method === "PUT") return publishSnapshot(context, exchange.request, route, query);
    if (method === "DELETE") return deleteSnapshot(context, exchange.request, route, query);
    return methodNotAllowed(route);
  }
  if (route.kind === "bucket") {
    if (method === "GET" || method === "HEAD") return describeBucket(context, route);
    if (method === "PUT") return createBucket(context, route);
    if (method === "DELETE") return deleteBucket(context, route);
    return methodNotAllowed(route);
  }
  if (method !== "GET" && method !== "HEAD") return methodNotAllowed(route);
  switch (route.kind) {
    case "latest_snapshot":
      return locateSnapshot(context, exchange.request, route, query);
    case "streams":
      return listStreams(context, route, query);
    case "bootstrap":
      return bootstrap(context, exchange.request, route, query);
    case "root":
      return listBuckets(context, query, exchange.credentials);
    case "healthz":
      return health();
    case "readyz":
      return context.facts().then(readiness);
    case "metrics":
      return context.facts().then(metricsText);
    case "ursula_metrics":
      return context.facts().then(metricsJson);
  }
}

function methodNotAllowed(route: Route): Reply {
  return respondError("method_not_allowed", { [ALLOW]: `${METHODS[route.kind]}, OPTIONS` });
}
