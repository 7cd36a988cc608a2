import assert from "node:assert/strict";
import { OPERATION, operationOf, OPERATIONS } from "./operations.ts";

Deno.test("operationOf() tells what a request asks for", () => {
  const rows: [...Parameters<typeof operationOf>, name: string][] = [
    ["stream", "POST", undefined, "append"],
    ["stream", "GET", undefined, "read"],
    ["stream", "GET", "sse", "sse"],
    ["stream", "GET", "long-poll", "long_poll"],
    ["stream", "HEAD", "sse", "head"],
    ["snapshot", "GET", undefined, "snapshot_read"],
    ["snapshot", "PUT", undefined, "snapshot_publish"],
    ["latest_snapshot", "HEAD", undefined, "snapshot_read"],
    ["bucket", "PUT", undefined, "bucket_create"],
    ["ursula_metrics", "GET", undefined, "metrics"],
    ["stream", "PATCH", undefined, "other"],
    ["streams", "DELETE", undefined, "other"],
    ["root", "constructor", undefined, "other"],
  ];
  for (const [kind, method, live, name] of rows) {
    const found = operationOf(kind, method, live);
    assert.equal(OPERATIONS[found], name, `${method} ${kind} ${live}`);
  }
});

Deno.test("OPERATION numbers all names", () => {
  assert.deepEqual(OPERATIONS.map((name) => OPERATION[name]), OPERATIONS.map((_, at) => at));
});
