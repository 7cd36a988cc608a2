import assert from "node:assert/strict";
import { serve } from "./client.ts";
import { assertError, assertErrorShape, assertStatus } from "./expect.ts";
import { exchange, request } from "./raw.ts";

const api = serve();

/** Resource → methods that it takes (SPEC section 1); HEAD wherever GET is. */
const RESOURCES: readonly (readonly [path: string, methods: readonly string[]])[] = [
  ["/", ["GET"]],
  ["/meth-bucket", ["PUT", "GET", "DELETE"]],
  ["/meth-bucket/streams", ["GET"]],
  ["/meth-bucket/s", ["PUT", "POST", "GET", "HEAD", "DELETE"]],
  ["/v1/stream/meth-bucket/s", ["PUT", "POST", "GET", "HEAD", "DELETE"]],
  ["/v1/stream/alone", ["PUT", "POST", "GET", "HEAD", "DELETE"]],
  ["/meth-bucket/s/append-batch", ["POST"]],
  ["/v1/append-batch/meth-bucket/s", ["POST"]],
  ["/meth-bucket/s/bootstrap", ["GET", "HEAD"]],
  ["/healthz", ["GET"]],
  ["/readyz", ["GET"]],
  ["/metrics", ["GET"]],
  ["/__ursula/metrics", ["GET"]],
];

const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "PROPFIND", "BREW"];

for (const [path, methods] of RESOURCES) {
  Deno.test(`${path} answers 405 with Allow to a method it does not take`, async () => {
    await api.send("PUT", "/meth-bucket");
    for (const method of METHODS) {
      if (methods.includes(method) || (method === "HEAD" && methods.includes("GET"))) continue;
      const answer = await exchange(
        api.server.address,
        request(method, path, { "content-type": "text/plain" }),
      );
      if (method === "PUT" && answer?.status === 400) continue; // a reserved name
      if (method === "HEAD") assertStatus(answer, 405); // it has no body
      else assertError(answer, "method_not_allowed", method);
      const allow = (answer?.headers.get("allow") ?? "").split(",").map((name) => name.trim());
      for (const taken of methods) assert.ok(allow.includes(taken), `${method}: Allow ${allow}`);
      assert.ok(!allow.includes(method));
    }
  });
}

Deno.test("OPTIONS is answered on every resource", async () => {
  for (const [path] of RESOURCES) {
    const answer = await exchange(api.server.address, request("OPTIONS", path));
    assert.ok(answer?.status === 204 || answer?.status === 200, `${path} ${answer?.status}`);
  }
});

Deno.test("health and readiness are answered, for GET and HEAD", async () => {
  for (const path of ["/healthz", "/readyz"]) {
    assertStatus(await api.get(path), 200, path);
    assertStatus(await api.head(path), 200, path);
  }
});

Deno.test("metrics come as JSON and as Prometheus text", async () => {
  const json = await api.get("/__ursula/metrics");
  assertStatus(json, 200);
  assert.equal(typeof JSON.parse(json.text).uptime_ms, "number");
  const text = await api.get("/metrics");
  assertStatus(text, 200);
  assert.match(text.headers.get("content-type") ?? "", /^text\/plain/);
  assert.match(text.text, /^# (HELP|TYPE) /m);
});

Deno.test("the admin plane's routes are not served to clients", async () => {
  for (const path of ["/__ursula/raft/0/snapshot", "/__ursula/leadership-shed/maintenance"]) {
    const answer = await exchange(api.server.address, request("POST", path));
    assert.ok(answer && answer.status >= 400 && answer.status < 500, `${path} ${answer?.status}`);
    assertErrorShape(answer, path);
  }
});
