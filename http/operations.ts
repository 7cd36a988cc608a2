import type { Route } from "../protocol/mod.ts";

/** What requests ask for, as metrics tell them apart. */
export const OPERATIONS = [
  "other",
  "append",
  "append_batch",
  "read",
  "long_poll",
  "sse",
  "head",
  "create",
  "delete",
  "bootstrap",
  "snapshot_publish",
  "snapshot_read",
  "snapshot_delete",
  "bucket_create",
  "bucket_read",
  "bucket_delete",
  "bucket_list",
  "stream_list",
  "healthz",
  "readyz",
  "metrics",
  "preflight",
] as const;

/** One of {@linkcode OPERATIONS}. */
export type Operation = typeof OPERATIONS[number];

/** The number of each: its place in {@linkcode OPERATIONS}. */
export const OPERATION: Readonly<Record<Operation, number>> = Object.fromEntries(
  OPERATIONS.map((name, at) => [name, at]),
) as Record<Operation, number>;

type ByMethod = ReadonlyMap<string, Operation>;

/** Of methods that a stream's path takes, GET apart. Maps, as a client may call its method anything. */
const ON_STREAM: ByMethod = new Map([
  ["POST", "append"],
  ["PUT", "create"],
  ["HEAD", "head"],
  ["DELETE", "delete"],
]);

/** Of methods that the other paths take. */
const ON_OTHER: Readonly<Record<Exclude<Route["kind"], "stream">, ByMethod>> = {
  append_batch: new Map([["POST", "append_batch"]]),
  latest_snapshot: looking("snapshot_read"),
  snapshot: looking("snapshot_read", { PUT: "snapshot_publish", DELETE: "snapshot_delete" }),
  bootstrap: looking("bootstrap"),
  bucket: looking("bucket_read", { PUT: "bucket_create", DELETE: "bucket_delete" }),
  streams: looking("stream_list"),
  root: looking("bucket_list"),
  healthz: looking("healthz"),
  readyz: looking("readyz"),
  metrics: looking("metrics"),
  ursula_metrics: looking("metrics"),
};

function looking(operation: Operation, more: Record<string, Operation> = {}): ByMethod {
  return new Map(Object.entries({ GET: operation, HEAD: operation, ...more }));
}

/**
 * The number of what a request asks for; that of `other` where the path does not take the method.
 *
 * @param live as the query has it: who waits for new messages is told apart from who reads old ones
 */
export function operationOf(kind: Route["kind"], method: string, live: string | undefined): number {
  if (kind === "stream" && method === "GET") {
    if (live === undefined) return OPERATION.read;
    return live === "sse" ? OPERATION.sse : OPERATION.long_poll;
  }
  const known = kind === "stream" ? ON_STREAM : ON_OTHER[kind];
  return OPERATION[known.get(method) ?? "other"];
}
