/** Who may do what: every route of the client plane, with a token that is not enough and one that is. */

import assert from "node:assert/strict";
import { authFileOf, bearer } from "../given/tokens.ts";
import { Api, type RequestParts, send } from "./client.ts";
import { serverFixture } from "../server.ts";
import { assertError, assertStatus, eventually } from "./expect.ts";

const folder = await Deno.makeTempDir({ prefix: "ursula-auth-" });
const file = `${folder}/auth.jsonc`;
const TOKENS = {
  reader: { scopes: ["read"], buckets: ["team-*", "_default"] },
  writer: { scopes: ["write"], buckets: ["team-*", "_default"] },
  both: { scopes: ["read", "write"], buckets: ["team-*"] },
  outsider: { scopes: ["read", "write"], buckets: ["other-*", "team"] },
  everything: { scopes: ["read", "write"], buckets: ["*"] },
  operator: { scopes: ["admin"], buckets: ["*"] },
  monitor: { scopes: ["read"], buckets: [] },
  over: { scopes: ["read", "write"], buckets: ["*"], expires_at: "2020-01-01T00:00:00Z" },
};
await Deno.writeTextFile(file, authFileOf(TOKENS));
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

// Two shards, so that either of them may be the one that is asked.
const api = new Api(serverFixture({
  memory: true,
  args: ["--auth-file", file, "--core-count", "2", "--long-poll-timeout", "100ms"],
}));

type Scope = "read" | "write";
const TYPE = { "content-type": "text/plain" };
const ZERO = "0".repeat(20);
const BATCH = Uint8Array.of(0, 0, 0, 1, 0x61);

/** In order: later rows stand on earlier ones. */
const ROUTES: readonly [Scope, string, string, number, RequestParts?][] = [
  ["write", "PUT", "/team-a", 201],
  ["write", "PUT", "/team-a/s", 201, { headers: TYPE }],
  ["write", "POST", "/team-a/s", 204, { headers: TYPE, body: "hello" }],
  ["write", "POST", "/team-a/s/append-batch", 200, { headers: TYPE, body: BATCH }],
  ["write", "POST", "/v1/append-batch/team-a/s", 200, { headers: TYPE, body: BATCH }],
  ["write", "PUT", "/v1/stream/team-b/f", 201, { headers: TYPE }],
  ["write", "PUT", "/v1/stream/alone", 201, { headers: TYPE }],
  ["write", "POST", "/v1/stream/alone", 204, { headers: TYPE, body: "x" }],
  ["read", "GET", "/team-a", 200],
  ["read", "HEAD", "/team-a", 200],
  ["read", "GET", "/team-a/streams", 200],
  ["read", "GET", "/team-a/s", 200],
  ["read", "HEAD", "/team-a/s", 200],
  ["read", "GET", "/v1/stream/alone", 200],
  ["read", "GET", "/team-a/s?offset=now&live=long-poll", 204],
  ["read", "GET", "/team-a/s/bootstrap", 200],
  ["read", "GET", "/team-a/s/snapshot", 404],
  ["write", "PUT", `/team-a/s/snapshot/${ZERO}`, 204, { body: "folded" }],
  ["read", "GET", "/team-a/s/snapshot", 307],
  ["read", "GET", `/team-a/s/snapshot/${ZERO}`, 200],
  ["write", "DELETE", `/team-a/s/snapshot/${ZERO}`, 409],
  ["write", "PATCH", "/team-a/s", 405],
  ["write", "DELETE", "/team-a/s", 204],
  ["write", "DELETE", "/v1/stream/team-b/f", 204],
  ["write", "DELETE", "/v1/stream/alone", 204],
  ["write", "DELETE", "/team-a", 204],
  ["write", "DELETE", "/team-b", 204],
];

function ask(token: string | undefined, method: string, path: string, parts: RequestParts = {}) {
  const headers = { ...parts.headers, ...(token === undefined ? {} : bearer(token)) };
  return api.send(method, path, { ...parts, headers });
}

function assertRefused(
  answer: Awaited<ReturnType<typeof ask>>,
  status: 401 | 403,
  challenge: RegExp,
  context: string,
) {
  assertStatus(answer, status, context);
  assert.match(answer.headers.get("www-authenticate") ?? "", challenge, context);
  if (answer.text !== "") {
    assertError(answer, status === 401 ? "unauthorized" : "forbidden", context);
  }
}

Deno.test("each route takes the token of its scope and bucket, and no other", async () => {
  for (const [scope, method, path, status, parts] of ROUTES) {
    const row = `${method} ${path}`;
    assertRefused(await ask(undefined, method, path, parts), 401, /^Bearer realm="ursula"$/, row);
    const unknown = await ask("nobody", method, path, parts);
    assertRefused(unknown, 401, /error="invalid_token"/, row);
    assertRefused(await ask("over", method, path, parts), 401, /error="invalid_token"/, row);
    const wrong = ["outsider", "operator", "monitor", scope === "read" ? "writer" : "reader"];
    for (const token of wrong) {
      const answer = await ask(token, method, path, parts);
      assertRefused(answer, 403, /error="insufficient_scope"/, `${row} by ${token}`);
    }
    const right = scope === "read" ? "reader" : "writer";
    assertStatus(await ask(right, method, path, parts), status, row);
  }
});

Deno.test("a fork needs to read its source, too", async () => {
  await ask("everything", "PUT", "/v1/stream/other-a/source", { headers: TYPE, body: "secret" });
  await ask("everything", "PUT", "/v1/stream/team-a/source", { headers: TYPE, body: "ours" });
  const fork = (token: string, from: string) =>
    ask(token, "PUT", "/v1/stream/team-a/fork", {
      headers: { ...TYPE, "stream-forked-from": from },
    });
  for (const from of ["/v1/stream/other-a/source", "/other-a/source", "/other%2da/source"]) {
    assertStatus(await fork("both", from), 403, from);
  }
  assertStatus(await fork("writer", "/team-a/source"), 403);
  assertStatus(await fork("both", "/team-a/source"), 201);
  assertStatus(await fork("everything", "nothing"), 400);
});

Deno.test("the listing of buckets shows those that the token covers, page by page", async () => {
  for (const bucket of ["list-a", "list-b", "team-x", "team-y", "team-z"]) {
    await ask("everything", "PUT", `/${bucket}`);
  }
  const list = async (token: string, query = "") => {
    const answer = await ask(token, "GET", `/?prefix=team-${query}`);
    assertStatus(answer, 200);
    const { buckets, has_more, next_cursor } = JSON.parse(answer.text);
    const ids = buckets.map(({ bucket_id }: { bucket_id: string }) => bucket_id);
    return [ids.filter((id: string) => !/-[ab]$/.test(id)).join(" "), has_more, next_cursor];
  };
  assert.deepEqual(await list("reader"), ["team-x team-y team-z", false, null]);
  assert.deepEqual(await list("reader", "&after=team-w&limit=2"), [
    "team-x team-y",
    true,
    "team-y",
  ]);
  assert.deepEqual(await list("reader", "&after=team-y&limit=2"), ["team-z", false, null]);
  assert.deepEqual(await list("outsider"), ["", false, null]);
  assert.deepEqual(await list("monitor"), ["", false, null]);
  assertStatus(await ask("writer", "GET", "/"), 403);
  assertStatus(await ask(undefined, "GET", "/"), 401);
});

Deno.test("health is open, metrics take any token that reads or administers", async () => {
  for (const path of ["/healthz", "/readyz"]) assertStatus(await ask(undefined, "GET", path), 200);
  for (const path of ["/metrics", "/__ursula/metrics"]) {
    assertStatus(await ask(undefined, "GET", path), 401, path);
    assertStatus(await ask("writer", "GET", path), 403, path);
    for (const token of ["reader", "operator", "monitor"]) {
      assertStatus(await ask(token, "GET", path), 200, path);
    }
  }
});

Deno.test("a preflight is open, and lets pages send the token and see the challenge", async () => {
  const origin = "https://app.example";
  const preflight = await api.send("OPTIONS", "/team-a/s", {
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization",
    },
  });
  assertStatus(preflight, 204);
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /\bauthorization\b/);
  const refused = await api.get("/team-a/s", { origin });
  assertStatus(refused, 401);
  assert.equal(refused.headers.get("access-control-allow-origin"), "*");
  assert.match(refused.headers.get("access-control-expose-headers") ?? "", /www-authenticate/);
});

Deno.test("a token counts in the Authorization header alone, as Bearer", async () => {
  const path = "/v1/stream/team-a/places";
  await ask("everything", "PUT", path, { headers: TYPE });
  const { authorization } = bearer("reader");
  const token = authorization.slice("Bearer ".length);
  for (const query of ["access_token", "token", "authorization"]) {
    assertStatus(await api.get(`${path}?${query}=${token}`), 401, query);
  }
  assertStatus(await api.get(path, { cookie: `token=${token}` }), 401);
  for (
    const value of [token, `Basic ${token}`, `Bearer ${token}x`, `Bearer ${token} x`, "Bearer "]
  ) {
    assertStatus(await api.get(path, { authorization: value }), 401, value);
  }
  assertStatus(await api.get(path, { authorization: `bearer ${token}` }), 200);
});

Deno.test("answers may be kept by their clients alone", async () => {
  const path = "/v1/stream/team-a/kept";
  await ask("everything", "PUT", path, { headers: TYPE, body: "0123456789" });
  const part = await ask("reader", "GET", `${path}?max_bytes=5`);
  assert.match(part.headers.get("cache-control") ?? "", /^private, max-age=60/);
  const live = await ask("reader", "GET", `${path}?offset=${ZERO}&live=long-poll`);
  assert.match(live.headers.get("cache-control") ?? "", /^private, max-age=60/);
});

Deno.test("the file is read again when it changes, and a broken one changes nothing", async () => {
  const path = "/v1/stream/team-a/again";
  const status = async (token: string) => {
    // On as many connections as it takes to meet either shard.
    const answers = await Promise.all(
      Array.from({ length: 8 }, () =>
        send(`${api.url}${path}`, "PUT", {
          headers: { ...TYPE, ...bearer(token), connection: "close" },
        })),
    );
    return [...new Set(answers.map((answer) => answer.status))].join(" ");
  };
  await ask("everything", "PUT", path, { headers: TYPE });
  assert.equal(await status("newcomer"), "401");
  await Deno.writeTextFile(file, '{ "tokens": [ "secret-of-mine" ');
  await eventually(
    async () => (await api.server.stderr()).includes("stays in force"),
    "the log tells of the broken file",
  );
  assert.match(await api.server.stderr(), /auth file .*auth\.jsonc: not valid JSON, at line \d/);
  assert.doesNotMatch(await api.server.stderr(), /secret-of-mine/);
  assert.equal(await status("everything"), "200");
  const { everything: _, ...rest } = TOKENS;
  const newcomer = { scopes: ["write"], buckets: ["team-a"] };
  await Deno.writeTextFile(file, authFileOf({ ...rest, newcomer }));
  await eventually(async () => await status("newcomer") === "200", "the new token counts");
  assert.equal(await status("everything"), "401");
});
