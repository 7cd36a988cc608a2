import type { Route } from "../protocol/mod.ts";
import type { SpanName, Tracer } from "../io/mod.ts";
import type { HttpContext } from "./context.ts";
import type { Exchange } from "./exchange.ts";

/** Begins the span of an exchange that is worth one; the exchange ends it with its answer. */
export function trace(
  tracer: Tracer,
  { streams }: HttpContext,
  exchange: Exchange,
  route: Route,
): void {
  const name = nameOf(exchange.method, route.kind);
  // Neither bucket nor stream are named: who looks at traces need not know what is in there.
  if (name === undefined || !("key" in route)) return;
  const group = streams.homeOf(route.key);
  const length = name === "append" ? exchange.request.headers.get("content-length") : null;
  exchange.span = tracer.begin(name, {
    "ursula.group": group,
    ...(length === null ? {} : { "ursula.bytes": Number(length) }),
  });
}

function nameOf(method: string, kind: Route["kind"]): SpanName | undefined {
  if (method === "POST" && (kind === "stream" || kind === "append_batch")) return "append";
  return method === "GET" && kind === "stream" ? "read" : undefined;
}
