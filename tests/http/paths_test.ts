import assert from "node:assert/strict";
import { freshBucket, serve } from "./client.ts";
import { assertError, assertErrorShape, assertStatus } from "./expect.ts";
import { exchange, request } from "./raw.ts";

const api = serve();

/** The same stream, spelled in several ways; the first one creates it. */
const SPELLINGS: readonly (readonly string[])[] = [
  ["/v1/stream/alone", "/_default/alone", "/%5fdefault/%61lone", "/v1/stream/_default/alone"],
  ["/v1/stream/pair-a/b", "/pair-a/b", "/pair%2Da/%62"],
  ["/v1/stream/pair-c/a/b", "/pair-c/a%2Fb", "/pair-c/a%2fb", "/v1/stream/pair-c/a%2Fb"],
  ["/v1/stream/enc%2Foded", "/_default/enc%2Foded"],
  ["/v1/stream/pair-d/caf%C3%A9", "/pair-d/caf%c3%a9"],
  ["/v1/stream/pair-e/a%20b%3Fc%23d", "/pair-e/a%20b%3fc%23d"],
  ["/v1/stream/pair-f/100%25", "/pair-f/%31%30%30%25"],
  ["/v1/stream/pair-g/line%0Abreak", "/pair-g/line%0abreak"],
  ["/v1/stream/pair-h/...", "/pair-h/%2e%2E."],
  ["/v1/stream/pair-i/.hidden/..x", "/pair-i/.hidden%2f..x"],
  ["/v1/stream/pair-j/a+b", "/pair-j/a%2Bb"],
];

for (const [first = "", ...others] of SPELLINGS) {
  Deno.test(`${first} is one stream however it is spelled`, async () => {
    assertStatus(await raw("PUT", first), 201);
    for (const other of others) {
      const made = await raw("PUT", other);
      assertStatus(made, 200, other);
      assertStatus(
        await exchange(api.server.address, request("POST", other, OCTETS, `<${other}>`)),
        204,
        other,
      );
    }
    assert.equal((await raw("GET", first))?.text, others.map((other) => `<${other}>`).join(""));
  });
}

Deno.test("the first raw slash ends a flat bucket, an encoded one does not", async () => {
  assertStatus(await raw("PUT", "/v1/stream/left/right"), 201);
  assertStatus(await raw("HEAD", "/v1/stream/left%2Fright"), 404);
});

Deno.test("Location is absolute and names the stream that was created", async () => {
  const { host } = new URL(api.url);
  for (
    const path of [
      "/v1/stream/loc-a/x",
      "/v1/stream/loc-a/a%20b%2Fc%0A%C3%A9",
      "/v1/stream/loc-alone",
    ]
  ) {
    const answer = await api.put(path, "text/plain");
    assertStatus(answer, 201);
    const location = answer.headers.get("location") ?? "";
    assert.match(location, /^http:\/\//);
    assert.equal(new URL(location).host, host);
    assertStatus(await api.head(new URL(location).pathname), 200, location);
    assert.equal(
      (await api.head(new URL(location).pathname)).headers.get("stream-incarnation"),
      answer.headers.get("stream-incarnation"),
    );
  }
  const bucket = freshBucket();
  await api.send("PUT", `/${bucket}`);
  const answer = await api.put(`/${bucket}/s`, "text/plain");
  assertStatus(await api.head(new URL(answer.headers.get("location") ?? "").pathname), 200);
});

Deno.test("Location follows the Host that the client used", async () => {
  const answer = await exchange(
    api.server.address,
    request("PUT", "/v1/stream/loc-host", { host: "streams.example:8080" }),
  );
  assert.equal(answer?.headers.get("location"), "http://streams.example:8080/v1/stream/loc-host");
});

const INVALID: readonly string[] = [
  "/v1/stream/",
  "/v1/stream//a",
  "/v1/stream/a/",
  "/v1/stream/a//b",
  "/v1/stream/a/b/",
  "//",
  "//a",
  "/buck-et/",
  "/v1/stream/.",
  "/v1/stream/..",
  "/v1/stream/a/.",
  "/v1/stream/a/../b",
  "/v1/stream/../stream/x",
  "/v1/stream/%2e%2e/x",
  "/v1/stream/a/%2E/b",
  "/buck-et/a%2F..%2Fb",
  "/buck-et/%2e",
  "/buck-et/a%2f%2fb",
  "/buck-et/%2f",
  "/v1/stream/a%00b",
  "/v1/stream/a/%00",
  "/v1/stream/%",
  "/v1/stream/a%2",
  "/v1/stream/a%zz",
  "/v1/stream/%ff",
  "/v1/stream/%C3",
  "/v1/stream/%ED%A0%80", // a surrogate
  "/v1/stream/%C0%AF", // overlong slash
  "/v1/stream/%2F",
];

for (const path of INVALID) {
  Deno.test(`${path} is 400 for every method`, async () => {
    for (const method of ["PUT", "POST", "GET", "DELETE"]) {
      const answer = await raw(method, path);
      assertStatus(answer, 400, method);
      assertErrorShape(answer, `${method} ${path}`);
    }
    assertStatus(await raw("HEAD", path), 400);
  });
}

Deno.test("bucket and stream together are at most 1024 bytes, counted decoded", async () => {
  const long = "a".repeat(1024 - "bucket/".length);
  assertStatus(await raw("PUT", `/v1/stream/bucket/${long}`), 201);
  assertError(await raw("PUT", `/v1/stream/bucket/${long}a`), "path_too_long");
  const accents = "%C3%A9".repeat((1024 - "bucket/".length - 1) / 2);
  assertStatus(await raw("PUT", `/v1/stream/bucket/${accents}x`), 201);
  assertError(await raw("PUT", `/v1/stream/bucket/${accents}xx`), "path_too_long");
  const alone = "b".repeat(1024 - "_default/".length);
  assertStatus(await raw("PUT", `/v1/stream/${alone}`), 201);
  assertError(await raw("PUT", `/v1/stream/${alone}b`), "path_too_long");
});

Deno.test("a path of many kilobytes is a clear error, not a broken connection", async () => {
  const answer = await raw("PUT", `/v1/stream/${"x".repeat(30_000)}`);
  assert.ok(answer && answer.status >= 400 && answer.status < 500, `${answer?.status}`);
});

Deno.test("names that begin with __ are reserved on the flat form too", async () => {
  for (const path of ["/v1/stream/__mine/x", "/v1/stream/__ursula/metrics"]) {
    assertError(await raw("PUT", path), "reserved_name", path);
  }
  assertStatus(await raw("PUT", "/v1/stream/x__y/x"), 201);
  assertStatus(await raw("PUT", "/v1/stream/x__y/__z"), 201);
});

Deno.test("__ds is never a stream", async () => {
  for (const path of ["/v1/stream/__ds/x", "/v1/stream/work/__ds/subscriptions/a"]) {
    const answer = await raw("PUT", path);
    assert.ok(answer && answer.status >= 400, `${path}: ${answer?.status}`);
    assertErrorShape(answer, path);
  }
});

Deno.test("streams is reserved on the bucketed form and a name like others on the flat one", async () => {
  await raw("PUT", "/res-a");
  const answer = await raw("PUT", "/res-a/streams");
  assert.ok(answer?.status === 400 || answer?.status === 405, `${answer?.status}`);
  assertStatus(await raw("PUT", "/v1/stream/res-a/streams"), 201);
  assert.match((await raw("GET", "/res-a/streams"))?.text ?? "", /"stream_count"/);
});

Deno.test("paths that name nothing are 404 with the error shape", async () => {
  await raw("PUT", "/noth-a");
  for (const path of ["/noth-a/s/unknown", "/noth-a/s/a/b/c", "/v1/stream/none", "/noth-a/none"]) {
    const answer = await raw("GET", path);
    assertStatus(answer, 404, path);
    assertErrorShape(answer, path);
  }
});

Deno.test("query parameters that mean nothing are ignored", async () => {
  assertStatus(await raw("PUT", "/v1/stream/query?x=1&y"), 201);
  assertStatus(await raw("GET", "/v1/stream/query?nonsense=%20&=&&"), 200);
  assertError(await raw("GET", "/v1/stream/query?offset=%"), "invalid_query");
});

Deno.test("an absolute-form request target is understood", async () => {
  const answer = await exchange(
    api.server.address,
    request("PUT", `${api.url}/v1/stream/absolute-form`),
  );
  assertStatus(answer, 201);
});

const OCTETS = { "content-type": "application/octet-stream" };

function raw(method: string, path: string) {
  return exchange(api.server.address, request(method, path));
}
