import assert from "node:assert/strict";
import { givenPlane } from "../tests/given/plane.ts";

const TEXT = { "content-type": "text/plain" };

Deno.test("a request is logged once it is answered, without its query", async () => {
  const { ask, clock, plane, requests, close } = await givenPlane({ logRequests: true });
  await ask("PUT", "/v1/stream/a", undefined, TEXT);
  const headers = { ...TEXT, "content-length": "5" };
  const post = new Request("http://node/v1/stream/a?token=secret", {
    method: "POST",
    body: "hello",
    headers,
  });
  await clock.until(
    plane.fetch(post, { remoteAddr: { hostname: "::1", port: 4321 } }),
  );
  await ask("GET", "/v1/stream/a?offset=-1");
  await ask("GET", "/v1/stream/b");
  const seen = requests.map(({ method, path, status, bytes_in, bytes_out, remote }) =>
    [method, path, status, bytes_in, bytes_out, remote].join(" ").trimEnd()
  );
  assert.deepEqual(seen.slice(0, 3), [
    "PUT /v1/stream/a 201  0",
    "POST /v1/stream/a 204 5 0 [::1]:4321",
    "GET /v1/stream/a 200  5",
  ]);
  assert.match(seen[3] ?? "", /^GET \/v1\/stream\/b 404 {2}\d+$/);
  assert.ok(requests.every(({ ms }) => typeof ms === "number" && ms >= 0));
  assert.doesNotMatch(JSON.stringify(requests), /secret/);
  await close();
});

Deno.test("an answer that is streamed is logged when it ends, with what went out", async () => {
  const { ask, clock, plane, requests, close } = await givenPlane({ logRequests: true });
  await ask("PUT", "/v1/stream/a", "hello", TEXT);
  const live = "http://node/v1/stream/a?offset=-1&live=sse";
  const { body } = await clock.until(plane.fetch(new Request(live)));
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  const { value } = await reader.read();
  assert.equal(requests.length, 1, "the PUT alone");
  await reader.cancel();
  await new Promise((resolve) => setTimeout(resolve, 0));
  const [, logged] = requests;
  assert.equal(logged?.path, "/v1/stream/a");
  assert.ok(Number(logged?.bytes_out) >= (value?.length ?? Infinity));
  await close();
});

Deno.test("no request is logged unless asked for", async () => {
  const { ask, requests, close } = await givenPlane();
  await ask("PUT", "/v1/stream/a", undefined, TEXT);
  assert.deepEqual(requests, []);
  await close();
});
