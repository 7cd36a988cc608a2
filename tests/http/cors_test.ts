import assert from "node:assert/strict";
import { fresh, send, serve } from "./client.ts";
import { assertStatus } from "./expect.ts";
import { startServer } from "../server.ts";
import { EventReader } from "./sse.ts";

const api = serve();
const ORIGIN = { origin: "https://app.example" };

/** What a page needs to read (SPEC section 3, CORS). */
const EXPOSED = [
  "stream-next-offset",
  "stream-cursor",
  "stream-up-to-date",
  "stream-closed",
  "stream-incarnation",
  "stream-earliest-offset",
  "stream-ttl",
  "stream-expires-at",
  "stream-sse-data-encoding",
  "producer-epoch",
  "producer-seq",
  "producer-expected-seq",
  "producer-received-seq",
  "etag",
  "location",
  "retry-after",
];

/** What a page needs to send. */
const SENT = [
  "content-type",
  "stream-seq",
  "stream-ttl",
  "stream-expires-at",
  "stream-closed",
  "stream-forked-from",
  "stream-fork-offset",
  "stream-fork-sub-offset",
  "stream-incarnation",
  "producer-id",
  "producer-epoch",
  "producer-seq",
  "if-match",
  "if-none-match",
  "authorization",
];

Deno.test("a preflight allows every method and header of the protocol", async () => {
  for (const path of [fresh(), "/some-bucket", "/some-bucket/streams", "/some-bucket/s", "/"]) {
    for (const method of ["GET", "HEAD", "PUT", "POST", "DELETE"]) {
      const answer = await api.send("OPTIONS", path, {
        headers: {
          ...ORIGIN,
          "access-control-request-method": method,
          "access-control-request-headers": SENT.join(","),
        },
      });
      assert.ok(answer.status === 204 || answer.status === 200, `${path} ${answer.status}`);
      assert.equal(answer.headers.get("access-control-allow-origin"), "*");
      assert.ok(
        names(answer.headers, "access-control-allow-methods").includes(method.toLowerCase()),
      );
      const allowed = names(answer.headers, "access-control-allow-headers");
      for (const name of SENT) assert.ok(allowed.includes(name), `${path} ${name}`);
      assert.equal(answer.text, "");
    }
  }
});

Deno.test("a preflight may be remembered for a while", async () => {
  const answer = await api.send("OPTIONS", fresh(), {
    headers: { ...ORIGIN, "access-control-request-method": "PUT" },
  });
  assert.ok(Number(answer.headers.get("access-control-max-age")) > 0);
});

Deno.test("every answer names the origin and exposes the protocol's headers, errors too", async () => {
  const path = await api.create("text/plain", "abc");
  const answers = {
    read: await api.get(path, ORIGIN),
    head: await api.head(path, ORIGIN),
    append: await api.post(path, "text/plain", "d", ORIGIN),
    create: await api.put(fresh(), "text/plain", "d", ORIGIN),
    missing: await api.get(fresh(), ORIGIN),
    malformed: await api.get(`${path}?offset=x`, ORIGIN),
    conflict: await api.post(path, "text/html", "d", ORIGIN),
    method: await api.send("PATCH", path, { headers: ORIGIN }),
    delete: await api.delete(path, ORIGIN),
    bucket: await api.send("PUT", "/cors-bucket", { headers: ORIGIN }),
    listing: await api.get("/cors-bucket/streams", ORIGIN),
    path: await api.get("/v1/stream//", ORIGIN),
  };
  for (const [what, { headers }] of Object.entries(answers)) {
    assert.equal(headers.get("access-control-allow-origin"), "*", what);
    const exposed = names(headers, "access-control-expose-headers");
    for (const name of EXPOSED) {
      assert.ok(exposed.includes(name), `${what} does not expose ${name}`);
    }
    assert.equal(headers.get("access-control-allow-credentials"), null, what);
  }
});

Deno.test("a 304 and live answers carry the CORS headers", async () => {
  const path = await api.create("text/plain", "abc");
  const etag = (await api.get(path)).headers.get("etag") ?? "";
  const unchanged = await api.get(path, { ...ORIGIN, "if-none-match": etag });
  assertStatus(unchanged, 304);
  assert.equal(unchanged.headers.get("access-control-allow-origin"), "*");
  await using reader = await EventReader.open(`${api.url}${path}?offset=-1&live=sse`, ORIGIN);
  assert.equal(reader.response.headers.get("access-control-allow-origin"), "*");
  const polled = await api.get(`${path}?offset=0&live=long-poll`, ORIGIN);
  assert.equal(polled.headers.get("access-control-allow-origin"), "*");
});

Deno.test("--cors-origin off sends no CORS header at all", async () => {
  await using server = await startServer({ memory: true, args: ["--cors-origin", "off"] });
  const path = `${server.url}${fresh()}`;
  const answers = [
    await send(path, "PUT", { headers: { ...ORIGIN, "content-type": "text/plain" } }),
    await send(path, "GET", { headers: ORIGIN }),
    await send(`${path}-none`, "GET", { headers: ORIGIN }),
    await send(path, "OPTIONS", {
      headers: { ...ORIGIN, "access-control-request-method": "PUT" },
    }),
  ];
  for (const { headers } of answers) {
    for (const [name] of headers) assert.ok(!name.startsWith("access-control-"), name);
  }
});

Deno.test("--cors-origin with an origin allows that one alone, and says that answers vary", async () => {
  await using server = await startServer({
    memory: true,
    args: ["--cors-origin", ORIGIN.origin],
  });
  const path = `${server.url}${fresh()}`;
  const put = (origin: string) =>
    send(path, "PUT", { headers: { origin, "content-type": "text/plain" } });
  const allowed = await put(ORIGIN.origin);
  assertStatus(allowed, 201);
  assert.equal(allowed.headers.get("access-control-allow-origin"), ORIGIN.origin);
  assert.match(allowed.headers.get("vary") ?? "", /\borigin\b/i);
  const other = await put("https://evil.example");
  assert.notEqual(other.headers.get("access-control-allow-origin"), "*");
  assert.notEqual(other.headers.get("access-control-allow-origin"), "https://evil.example");
});

function names(headers: Headers, header: string): string[] {
  return (headers.get(header) ?? "").split(",").map((name) => name.trim().toLowerCase());
}
