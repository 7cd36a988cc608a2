import assert from "node:assert/strict";
import fc from "fast-check";
import { bucketedPath, flatPath, isControlStreamId, isReservedBucketId } from "./names.ts";
import { parsePath } from "./path.ts";

/** Row: raw path, and the key, the kind with the bucket, or the code that must come of it. */
type Row = readonly [path: string, expected: string];

function outcome(path: string): string {
  const route = parsePath(path);
  if (typeof route === "string") return route;
  switch (route.kind) {
    case "stream":
      return `${route.flat ? "flat" : "bucketed"} ${route.key}`;
    case "append_batch":
      return `batch ${route.key}`;
    case "latest_snapshot":
      return `snapshot of ${route.key}`;
    case "snapshot":
      return `snapshot ${route.offset} of ${route.key}`;
    case "bootstrap":
      return `bootstrap ${route.key}`;
    case "bucket":
    case "streams":
      return `${route.kind} ${route.bucket}${route.regular ? "" : " irregular"}`;
    default:
      return route.kind;
  }
}

function check(rows: readonly Row[]): void {
  for (const [path, expected] of rows) assert.equal(outcome(path), expected, path);
}

Deno.test("parsePath() knows the fixed paths", () => {
  check([
    ["/", "root"],
    ["/healthz", "healthz"],
    ["/readyz", "readyz"],
    ["/metrics", "metrics"],
    ["/__ursula/metrics", "ursula_metrics"],
    ["/__ursula/raft/1/snapshot", "not_found"],
  ]);
});

Deno.test("parsePath() reads the flat form", () => {
  check([
    ["/v1/stream/x", "flat _default/x"],
    ["/v1/stream/workspace/a", "flat workspace/a"],
    ["/v1/stream/workspace/a/b", "flat workspace/a/b"],
    ["/v1/stream/workspace/a%2Fb", "flat workspace/a/b"],
    ["/v1/stream/a%2Fb", "flat _default/a/b"],
    ["/v1/stream/Any%20Text!/x", "flat Any Text!/x"],
    ["/v1/stream/%C3%A9t%C3%A9/x", "flat été/x"],
    ["/v1/stream/été/x", "flat été/x"],
    ["/v1/stream/metrics", "flat _default/metrics"],
    ["/v1/stream/demo/streams", "flat demo/streams"],
  ]);
});

Deno.test("parsePath() reads the bucketed form", () => {
  check([
    ["/demo", "bucket demo"],
    ["/demo/streams", "streams demo"],
    ["/demo/hello", "bucketed demo/hello"],
    ["/_default/x", "bucketed _default/x"],
    ["/workspace/a%2Fb", "bucketed workspace/a/b"],
    ["/Free%20Text", "bucket Free Text irregular"],
    ["/v1/streams", "streams v1 irregular"],
  ]);
});

Deno.test("parsePath() reads both forms of append-batch", () => {
  check([
    ["/v1/append-batch/x", "batch _default/x"],
    ["/v1/append-batch/workspace/a/b", "batch workspace/a/b"],
    ["/v1/append-batch/workspace/a%2Fb", "batch workspace/a/b"],
    ["/v1/append-batch/%C3%A9t%C3%A9/x", "batch été/x"],
    ["/v1/stream/demo/append-batch", "flat demo/append-batch"],
    ["/demo/append-batch", "bucketed demo/append-batch"],
    ["/demo/hello/append-batch", "batch demo/hello"],
    ["/demo/append-batch/append-batch", "batch demo/append-batch"],
    ["/workspace/a%2Fb/append-batch", "batch workspace/a/b"],
    ["/demo/hello/append%2Dbatch", "batch demo/hello"],
    ["/_default/x/append-batch", "batch _default/x"],
    ["/v1/append-batch", "invalid_bucket_id"],
    ["/v1/append-batch/", "invalid_path"],
    ["/v1/append-batch/__ds/x", "not_found"],
    ["/v1/append-batch/__demo/x", "reserved_name"],
    ["/v1/append-batch/a%2Fb/c", "invalid_bucket_id"],
    ["/demo/hello/append-batch/", "invalid_path"],
    ["/demo/hello/append-batch/x", "not_found"],
    ["/demo/hello/append-batches", "not_found"],
    ["/demo/hello%2Fappend-batch", "bucketed demo/hello/append-batch"],
    ["/demo/streams/append-batch", "not_found"],
    ["/demo/__ds/append-batch", "not_found"],
    ["/abc/x/append-batch", "invalid_bucket_id"],
    ["/__demo/x/append-batch", "reserved_name"],
    ["/v1/append-batch/demo/" + "s".repeat(1020), "path_too_long"],
    ["/demo/" + "s".repeat(1020) + "/append-batch", "path_too_long"],
  ]);
});

Deno.test("parsePath() reads snapshots of any stream that may exist", () => {
  check([
    ["/demo/hello/snapshot", "snapshot of demo/hello"],
    ["/demo/hello/snapshot/5", "snapshot 5 of demo/hello"],
    ["/demo/hello/snapshot/abc", "snapshot abc of demo/hello"],
    ["/demo/hello/snapshot/%35", "snapshot 5 of demo/hello"],
    ["/demo/hello/snaps%68ot/now", "snapshot now of demo/hello"],
    ["/demo/a%2Fb/snapshot", "snapshot of demo/a/b"],
    ["/demo/snapshot/snapshot", "snapshot of demo/snapshot"],
    ["/demo/snapshot", "bucketed demo/snapshot"],
    ["/_default/x/snapshot", "snapshot of _default/x"],
    ["/abc/x/snapshot", "snapshot of abc/x"],
    ["/Any%20Text!/x/snapshot/5", "snapshot 5 of Any Text!/x"],
    ["/été/x/snapshot", "snapshot of été/x"],
    ["/demo/streams/snapshot/5", "snapshot 5 of demo/streams"],
    ["/v1/x/snapshot", "snapshot of v1/x"],
    ["/v1/stream/snapshot", "flat _default/snapshot"],
    ["/v1/stream/snapshot/5", "flat snapshot/5"],
    ["/%761/stream/snapshot", "snapshot of v1/stream"],
    ["/v1/stream/demo/x/snapshot", "flat demo/x/snapshot"],
    ["/demo/hello/snapshot/", "invalid_path"],
    ["/demo/hello/snapshot/%zz", "invalid_path"],
    ["/demo/hello/snapshot/..", "invalid_path"],
    ["/demo/hello/snapshot/5/6", "not_found"],
    ["/demo/hello/snapshots", "not_found"],
    ["/demo/__ds/snapshot", "not_found"],
    ["/de%2Fmo/x/snapshot", "invalid_bucket_id"],
    ["/__demo/x/snapshot", "reserved_name"],
    ["/healthz/x/snapshot", "reserved_name"],
    ["/demo/" + "s".repeat(1019) + "/snapshot", "snapshot of demo/" + "s".repeat(1019)],
    ["/demo/" + "s".repeat(1020) + "/snapshot", "path_too_long"],
    ["/demo/" + "%E2%82%AC".repeat(340) + "/snapshot/5", "path_too_long"],
  ]);
});

Deno.test("parsePath() reads bootstrap below a stream, on the bucketed form alone", () => {
  check([
    ["/demo/hello/bootstrap", "bootstrap demo/hello"],
    ["/demo/bootstrap/bootstrap", "bootstrap demo/bootstrap"],
    ["/workspace/a%2Fb/bootstrap", "bootstrap workspace/a/b"],
    ["/demo/hello/boot%73trap", "bootstrap demo/hello"],
    ["/_default/x/bootstrap", "bootstrap _default/x"],
    ["/demo/bootstrap", "bucketed demo/bootstrap"],
    ["/v1/stream/demo/hello/bootstrap", "flat demo/hello/bootstrap"],
    ["/demo/hello/bootstrap/x", "not_found"],
    ["/demo/streams/bootstrap", "bootstrap demo/streams"],
    ["/abc/x/bootstrap", "bootstrap abc/x"],
  ]);
});

Deno.test("parsePath() refuses bucket ids that are irregular or reserved", () => {
  check([
    ["/abc/x", "invalid_bucket_id"],
    ["/Demo/x", "invalid_bucket_id"],
    ["/" + "b".repeat(65) + "/x", "invalid_bucket_id"],
    ["/de%2Fmo", "invalid_bucket_id"],
    ["/v1/stream/a%2Fb/c", "invalid_bucket_id"],
    ["/v1/stream", "invalid_bucket_id"],
    ["/__demo", "reserved_name"],
    ["/__demo/x", "reserved_name"],
    ["/%5F_demo/x", "reserved_name"],
    ["/metrics/x", "reserved_name"],
    ["/healthz/streams", "reserved_name"],
    ["/v1/stream/__demo/x", "reserved_name"],
    ["/v1/stream/readyz/x", "reserved_name"],
  ]);
});

Deno.test("parsePath() keeps the protocol's control paths from being streams", () => {
  check([
    ["/v1/stream/__ds", "not_found"],
    ["/v1/stream/__ds/subscriptions/a", "not_found"],
    ["/v1/stream/%5F%5Fds/subscriptions/a", "not_found"],
    ["/v1/stream/__ds%2Fsubscriptions", "not_found"],
    ["/v1/stream/demo/__ds/jwks.json", "not_found"],
    ["/demo/__ds", "not_found"],
    ["/demo/__ds/jwks.json", "not_found"],
    ["/demo/__ds%2Fjwks.json", "not_found"],
    ["/demo/__dsx", "bucketed demo/__dsx"],
    ["/demo/hello/unknown", "not_found"],
  ]);
});

Deno.test("parsePath() refuses segments that are empty, dots, NUL or no UTF-8", () => {
  const paths = [
    "",
    "*",
    "demo/x",
    "//",
    "/demo/",
    "/demo//x",
    "/v1/stream/",
    "/v1/stream/x/",
    "/v1/stream//x",
    "/v1/stream/a//b",
    "/demo/a%2F%2Fb",
    "/demo/%2Fb",
    "/demo/.",
    "/demo/..",
    "/demo/%2e%2E",
    "/v1/stream/a/../b",
    "/v1/stream/a/%2e/b",
    "/demo/a%2F..%2Fb",
    "/demo/a%00b",
    "/demo/a\0b",
    "/demo/a%",
    "/demo/a%2",
    "/demo/a%zz",
    "/demo/%ff",
    "/demo/%C0%AF",
    "/demo/%ED%A0%80",
    "/demo/\ud800",
  ];
  check(paths.map((path) => [path, "invalid_path"]));
  check([["/demo/...", "bucketed demo/..."], ["/demo/.a", "bucketed demo/.a"]]);
});

Deno.test("parsePath() counts bucket, slash and stream in bytes of UTF-8 up to 1024", () => {
  check([
    ["/demo/" + "x".repeat(1019), "bucketed demo/" + "x".repeat(1019)],
    ["/demo/" + "x".repeat(1020), "path_too_long"],
    ["/v1/stream/" + "x".repeat(1015), "flat _default/" + "x".repeat(1015)],
    ["/v1/stream/" + "x".repeat(1016), "path_too_long"],
    ["/demo/" + "%F0%9F%98%80".repeat(254) + "abc", "bucketed demo/" + "😀".repeat(254) + "abc"],
    ["/demo/" + "%F0%9F%98%80".repeat(255), "path_too_long"],
    ["/demo/" + "%E2%82%AC".repeat(340), "path_too_long"],
  ]);
});

const segment = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((text) =>
  text !== "." && text !== ".." && !/[\0/]/.test(text) && text.isWellFormed()
);
const streamId = fc.array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join("/")).filter((id) => !isControlStreamId(id));

Deno.test("parsePath() takes back what flatPath() writes", () => {
  const bucket = segment.filter((id) => !isReservedBucketId(id) && id !== "__ds");
  fc.assert(fc.property(bucket, streamId, (bucket, id) => {
    const key = `${bucket}/${id}`;
    assert.equal(outcome(flatPath(key)), `flat ${key}`);
  }));
});

Deno.test("parsePath() takes back what bucketedPath() writes", () => {
  const bucket = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{3,63}$/)
    .filter((id) => !isReservedBucketId(id));
  fc.assert(fc.property(bucket, streamId.filter((id) => id !== "streams"), (bucket, id) => {
    const key = `${bucket}/${id}`;
    assert.equal(outcome(bucketedPath(key)), `bucketed ${key}`);
  }));
});

Deno.test("parsePath() never throws, and never lets a broken key through", () => {
  const piece = fc.oneof(
    fc.constantFrom("/", "%", "%2F", "%2e", "..", "v1", "stream", "__ds", "demo", "%00", "%ff"),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const route = parsePath("/" + pieces.join(""));
      if (typeof route === "string" || !("key" in route)) return;
      assert.ok(route.key.isWellFormed());
      assert.doesNotMatch(route.key, /^__|\0|\/\/|^\/|\/$|(^|\/)\.\.?(\/|$)/);
    }),
    { numRuns: 1000 },
  );
});
