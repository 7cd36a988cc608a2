import {
  ADMIN_PREFIX,
  type ErrorCode,
  type FixedRoute,
  parseDecimal,
  parsePath,
} from "../../protocol/mod.ts";

/** What a path of the admin plane names. */
export type AdminRoute =
  | { readonly kind: Exclude<FixedRoute["kind"], "root"> | "maintenance" }
  | { readonly kind: "snapshot" | "purge" | "membership"; readonly group: number }
  | { readonly kind: "transfer" | "learner"; readonly group: number; readonly node: number }
  | { readonly kind: "flush_cold"; readonly key: string };

/** Methods that each kind of route takes. */
export const METHODS: Readonly<Record<AdminRoute["kind"], string>> = {
  healthz: "GET, HEAD",
  readyz: "GET, HEAD",
  metrics: "GET, HEAD",
  ursula_metrics: "GET, HEAD",
  maintenance: "POST, DELETE",
  snapshot: "POST",
  purge: "POST",
  membership: "POST",
  transfer: "POST",
  learner: "POST",
  flush_cold: "POST",
};

const NODE_ID_MAX = 0xffff_ffff;
const VOTERS = "voters=";
/** The client plane's name for any stream, in whatever bucket. */
const STREAMS_PREFIX = "/v1/stream/";
const FLUSH_PREFIX = `${ADMIN_PREFIX}/flush-cold/`;

/**
 * What a path names, or the code of the answer where it can't name anything.
 *
 * @param rawPath as in the request line, without the query
 * @param groupCount groups of this cluster
 */
export function adminRoute(rawPath: string, groupCount: number): AdminRoute | ErrorCode {
  if (!rawPath.startsWith(`${ADMIN_PREFIX}/`)) return fixedRoute(rawPath);
  if (rawPath.startsWith(FLUSH_PREFIX)) return flushRoute(rawPath.slice(FLUSH_PREFIX.length));
  const [name, group, verb, ...rest] = rawPath.slice(ADMIN_PREFIX.length + 1).split("/");
  if (name === "raft" && group !== undefined && verb !== undefined) {
    return groupRoute(group, [verb, ...rest], groupCount);
  }
  if (rawPath === `${ADMIN_PREFIX}/leadership-shed/maintenance`) return { kind: "maintenance" };
  return fixedRoute(rawPath);
}

/** `voters=1,2,3` of a query: node ids, each once; undefined where it is none. */
export function parseVoters(search: string): number[] | undefined {
  const parts = search.replace(/^\?/, "").split("&").filter((part) => part.startsWith(VOTERS));
  const [part] = parts;
  if (part === undefined || parts.length > 1) return undefined;
  const voters: number[] = [];
  for (const text of part.slice(VOTERS.length).replaceAll(/%2c/gi, ",").split(",")) {
    const node = nodeId(text);
    if (node === undefined || voters.includes(node)) return undefined;
    voters.push(node);
  }
  return voters;
}

function groupRoute(
  groupText: string,
  [verb, ...rest]: readonly string[],
  groupCount: number,
): AdminRoute | ErrorCode {
  const found = verbRoute(verb, rest);
  if (found === undefined) return "not_found";
  const group = parseDecimal(groupText);
  if (group === undefined || group >= groupCount) return "invalid_group";
  const { kind, nodeText } = found;
  if (kind !== "transfer" && kind !== "learner") return { kind, group };
  const node = nodeId(nodeText);
  return node === undefined ? "invalid_node" : { kind, group, node };
}

/** What stands behind the group's number, before its own number is read. */
function verbRoute(verb: string | undefined, rest: readonly string[]) {
  const [first = "", second = ""] = rest;
  switch (`${verb} ${rest.length}`) {
    case "snapshot 0":
      return { kind: "snapshot", nodeText: "" } as const;
    case "purge 0":
      return { kind: "purge", nodeText: "" } as const;
    case "membership 0":
      return { kind: "membership", nodeText: "" } as const;
    case "learners 1":
      return { kind: "learner", nodeText: first } as const;
    case "leader 2":
      return first === "transfer" ? { kind: "transfer", nodeText: second } as const : undefined;
    default:
      return undefined;
  }
}

function nodeId(text: string): number | undefined {
  const id = parseDecimal(text);
  return id !== undefined && id >= 1 && id <= NODE_ID_MAX ? id : undefined;
}

/** Bucket and stream are read as the client plane reads them. */
function flushRoute(rawKey: string): AdminRoute | ErrorCode {
  if (!rawKey.includes("/")) return "not_found";
  const route = parsePath(STREAMS_PREFIX + rawKey);
  if (typeof route === "string") return route;
  return route.kind === "stream" ? { kind: "flush_cold", key: route.key } : "not_found";
}

/** What the client plane has too; streams and buckets are not to be had here. */
function fixedRoute(rawPath: string): AdminRoute | ErrorCode {
  const route = parsePath(rawPath);
  if (typeof route === "string") return route;
  switch (route.kind) {
    case "healthz":
    case "readyz":
    case "metrics":
    case "ursula_metrics":
      return { kind: route.kind };
    default:
      return "not_found";
  }
}
