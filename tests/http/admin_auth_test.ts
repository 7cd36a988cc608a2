/** The admin plane asks for the scope `admin`, speaks TLS, and bears whatever it is sent. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { ADMIN_PATHS } from "../../protocol/mod.ts";
import { certify, makeAuthority, writeCertified } from "../given/certificates.ts";
import { authFileOf, bearer } from "../given/tokens.ts";
import { serverFixture, startServer } from "../server.ts";
import { send } from "./client.ts";
import { assertError, assertErrorShape, assertStatus } from "./expect.ts";
import { RawConnection } from "./raw.ts";

const folder = await Deno.makeTempDir({ prefix: "ursula-admin-auth-" });
const file = `${folder}/auth.json`;
await Deno.writeTextFile(
  file,
  authFileOf({
    operator: { scopes: ["admin"], buckets: [] },
    client: { scopes: ["read", "write"], buckets: ["*"] },
  }),
);
Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));
const server = serverFixture({
  args: ["--auth-file", file, "--admin-listen", "0.0.0.0:0", "--raft-group-count", "2"],
});

/** Everything that the admin plane takes. */
const ROUTES: readonly [method: string, path: string][] = [
  ["GET", ADMIN_PATHS.metrics],
  ["GET", "/metrics"],
  ["POST", ADMIN_PATHS.snapshot(1)],
  ["POST", ADMIN_PATHS.purge(1)],
  ["POST", ADMIN_PATHS.transfer(1, 1)],
  ["POST", ADMIN_PATHS.learner(1, 1)],
  ["POST", ADMIN_PATHS.membership(1, [1])],
  ["POST", ADMIN_PATHS.maintenance],
  ["DELETE", ADMIN_PATHS.maintenance],
  ["POST", ADMIN_PATHS.flushCold("orders", "o/1")],
  ["GET", "/no/such/path"],
];

function adminUrl(): string {
  return server().adminUrl.replace("0.0.0.0", "127.0.0.1");
}

Deno.test("every route of the admin plane but health needs the scope admin", async () => {
  for (const [method, path] of ROUTES) {
    const row = `${method} ${path}`;
    const ask = (headers: Record<string, string>) => send(adminUrl() + path, method, { headers });
    assertError(await ask({}), "unauthorized", row);
    assertError(await ask(bearer("stranger")), "unauthorized", row);
    assertError(await ask(bearer("client")), "forbidden", row);
    const { status, text } = await ask(bearer("operator"));
    assert.ok(status !== 401 && status !== 403, `${row}: ${status} ${text}`);
  }
  for (const path of ["/healthz", "/readyz"]) {
    assertStatus(await send(adminUrl() + path, "GET"), 200, path);
  }
});

Deno.test("a page of another origin is turned away even with a token", async () => {
  const headers = { ...bearer("operator"), origin: "https://evil.example" };
  assertError(await send(adminUrl() + ADMIN_PATHS.metrics, "GET", { headers }), "origin_forbidden");
});

Deno.test("whatever the admin plane is sent, it answers by its table, and lives", async () => {
  const { authorization } = bearer("operator");
  const segment = fc.oneof(
    fc.constantFrom(
      "__ursula",
      "raft",
      "0",
      "1",
      "2",
      "-1",
      "1e9",
      "4294967296",
      "snapshot",
      "purge",
    ),
    fc.constantFrom("leader", "transfer", "learners", "membership", "flush-cold", "metrics", "%2F"),
    fc.constantFrom("leadership-shed", "maintenance", "%00", "..", "", "%ff", "a".repeat(3_000)),
    fc.stringMatching(/^[!-"$->@-~]{0,12}$/),
  );
  const query = fc.constantFrom(
    "",
    "?",
    "?voters=",
    "?voters=1,1",
    "?voters=%",
    "?voters=0,-1,9e9",
  );
  const request = fc.record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"),
    path: fc.array(segment, { maxLength: 7 }).map((parts) => `/${parts.join("/")}`),
    query,
    token: fc.constantFrom(authorization, authorization, "Bearer x", undefined),
    body: fc.constantFrom("", "{", "x".repeat(10_000)),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query, token, body }) => {
      const { port } = new URL(adminUrl());
      using connection = await RawConnection.open({ hostname: "127.0.0.1", port: Number(port) });
      const lines = [`${method} ${path}${query} HTTP/1.1`, "host: localhost"];
      if (token !== undefined) lines.push(`authorization: ${token}`);
      lines.push(`content-length: ${body.length}`, "", body);
      await connection.write(lines.join("\r\n"));
      const answer = await connection.answer(10_000, { head: method === "HEAD" });
      assert.ok(answer !== undefined, `${method} ${path}`);
      if (token !== authorization && !/^\/(?:healthz|readyz)$/.test(path)) {
        // What Deno's HTTP parser refuses is its own bare answer.
        assert.ok(
          [400, 401, 414, 431].includes(answer.status),
          `${answer.status} ${method} ${path}`,
        );
      }
      const isBare = answer.bytes.length === 0;
      if (answer.status >= 400 && method !== "HEAD" && !isBare) assertErrorShape(answer, path);
      assert.notEqual(answer.status, 500);
    }),
    { numRuns: 400, seed: 1 },
  );
  assert.ok(server().alive);
  await send(adminUrl() + ADMIN_PATHS.maintenance, "DELETE", { headers: bearer("operator") });
});

Deno.test("the admin plane speaks TLS where the client plane does", async () => {
  const authority = await makeAuthority();
  const files = await writeCertified(`${folder}/node`, await certify(authority));
  const args = ["--tls-cert", files.certificate, "--tls-key", files.key];
  await using secure = await startServer({ memory: true, args: [...args, "--core-count", "1"] });
  assert.match(secure.adminUrl, /^https:/);
  using client = Deno.createHttpClient({ caCerts: [authority.pem] });
  const answer = await fetch(`${secure.adminUrl}/healthz`, { client });
  assert.equal(await answer.text(), "ok\n");
});
