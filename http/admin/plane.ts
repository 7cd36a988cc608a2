import type { ShardRuntime } from "../../node/runtime.ts";
import { ALLOW, type Maintenance } from "../../protocol/mod.ts";
import type { GroupOrder } from "../../shard/mod.ts";
import { type Reply, respondError, respondJson, respondObstacle } from "../answer.ts";
import { adminRefusal, type Gate } from "../auth/mod.ts";
import type { HttpContext } from "../context.ts";
import type { Handler } from "../handler.ts";
import { health } from "../health.ts";
import { metricsJson, metricsText } from "../metrics/mod.ts";
import { readiness } from "../readiness.ts";
import { intrusion } from "./guard.ts";
import { renderOrder, renderRefusal } from "./render.ts";
import { type AdminRoute, adminRoute, METHODS, parseVoters } from "./routes.ts";

/** The part of a node that the admin plane commands. */
export type AdminNode = Pick<ShardRuntime, "order" | "drain" | "streams"> & {
  readonly access: Pick<ShardRuntime["access"], "groupCount">;
};

/** What the admin plane is made with. */
export interface AdminOptions {
  /** Undefined while the cluster has not formed. */
  readonly serving: () =>
    | {
      readonly node: AdminNode;
      /** The client plane's, for what both planes answer. */
      readonly context: HttpContext;
    }
    | undefined;
  /** This node's id. */
  readonly nodeId: number;
  /** Names that operators call this node by. */
  readonly hostNames: readonly string[];
  /** Undefined lets everybody in. */
  readonly gate: Gate | undefined;
  /** Told of what no request should cause. */
  readonly onError: (reason: unknown) => void;
}

/** Where the path begins in `http://host/path`, or `https:`: behind the first `/` after these two. */
const SCHEME_LENGTH = "http://".length;

/** The handler of the admin plane: everything that changes the cluster (SPEC section 11). */
export function createAdminHandler(options: AdminOptions): Handler {
  return async (request) => {
    let reply: Reply;
    try {
      reply = await answer(options, request);
    } catch (reason) {
      options.onError(reason);
      reply = respondError("internal");
    }
    const { status, headers } = reply;
    headers["x-content-type-options"] = "nosniff";
    headers["cross-origin-resource-policy"] = "same-origin";
    // Nobody streams here, nor answers in bytes.
    const body = request.method === "HEAD" ? null : reply.body as string | null;
    return new Response(body, { status, headers });
  };
}

async function answer(options: AdminOptions, request: Request): Promise<Reply> {
  const intruder = intrusion(request, options.hostNames);
  if (intruder !== undefined) return respondError(intruder);
  const { path, search } = partsOf(request.url);
  // Health stays open; that there is nothing at a path is for those to know who may ask.
  if (path !== "/healthz" && path !== "/readyz") {
    const refusal = await adminRefusal(options.gate, request.headers);
    if (refusal !== undefined) return refusal;
  }
  const serving = options.serving();
  // Which groups there are is known before any of them serves; then none of them answers.
  const route = adminRoute(path, serving?.node.access.groupCount ?? Infinity);
  if (typeof route === "string") return respondError(route);
  const methods = METHODS[route.kind];
  if (!methods.split(", ").includes(request.method)) {
    return respondError("method_not_allowed", { [ALLOW]: methods });
  }
  if (route.kind === "healthz") return health();
  if (serving === undefined) {
    return respondError("not_ready", {}, { message: "the cluster has not formed yet" });
  }
  const { node, context } = serving;
  if ("group" in route) {
    const order = orderOf(route, search);
    return order === undefined
      ? respondError("invalid_voters")
      : await give(node, route.group, order);
  }
  switch (route.kind) {
    case "readyz":
      return readiness(await context.facts());
    case "metrics":
      return metricsText(await context.facts());
    case "ursula_metrics":
      return metricsJson(await context.facts());
    case "maintenance":
      return await maintain(node, options.nodeId, request.method === "POST");
    case "flush_cold":
      return await flush(node, route.key);
  }
}

function partsOf(url: string): { path: string; search: string } {
  const start = url.indexOf("/", SCHEME_LENGTH + 1);
  const end = url.indexOf("?", start);
  return end < 0
    ? { path: url.slice(start), search: "" }
    : { path: url.slice(start, end), search: url.slice(end) };
}

function orderOf(
  route: Extract<AdminRoute, { group: number }>,
  search: string,
): GroupOrder | undefined {
  switch (route.kind) {
    case "snapshot":
    case "purge":
      return { order: route.kind };
    case "transfer":
    case "learner":
      return { order: route.kind, node: route.node };
    case "membership": {
      const voters = parseVoters(search);
      return voters && { order: "membership", voters };
    }
  }
}

async function give(node: AdminNode, group: number, order: GroupOrder): Promise<Reply> {
  const answer = await node.order(group, order);
  // A shard that is gone already answers nothing else.
  if ("unavailable" in answer) return renderRefusal({ refused: "shutting_down" });
  return renderOrder(group, order, answer);
}

async function maintain(node: AdminNode, nodeId: number, draining: boolean): Promise<Reply> {
  const leaderships = await node.drain(draining);
  return respondJson(200, { node_id: nodeId, draining, leaderships } satisfies Maintenance);
}

async function flush(node: AdminNode, key: string): Promise<Reply> {
  const group = await node.streams.whereabouts(key);
  if (group === undefined) return respondError("stream_not_found");
  if (typeof group !== "number") return respondObstacle(group);
  return await give(node, group, { order: "flush", key });
}
