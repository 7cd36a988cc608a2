/** Is what `docs/security.md` says of tokens what the server does? */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { parseAuthFile } from "../../http/auth/auth_file.ts";
import { needsOf } from "../../http/auth/mod.ts";
import { parsePath } from "../../protocol/mod.ts";
import { readProjectFile } from "../house/source.ts";

const page = await readProjectFile("docs/security.md");

Deno.test("docs/security.md shows an auth file that is right", () => {
  const [, text = ""] = /^```jsonc auth\n([^]*?)^```$/m.exec(page) ?? [];
  const { tokens, issuers } = parseAuthFile(text);
  const [, token = ""] = /This one is "([^"]+)"/.exec(text) ?? [];
  assert.deepEqual(
    Array.from(tokens[0]?.sha256 ?? []),
    Array.from(createHash("sha256").update(token).digest()),
  );
  assert.deepEqual(tokens.map(({ name }) => name), ["ingest", "prometheus", "on call"]);
  assert.equal(issuers[0]?.scopesClaim, "scope");
});

Deno.test("docs/security.md says what each route of the client plane asks for", () => {
  let rows = 0;
  for (const line of page.split("\n")) {
    const [, requests = "", scopes = "", bucket = ""] = line.split("|").map((cell) => cell.trim());
    for (
      const [, method = "", path = ""] of requests.matchAll(/`(GET|HEAD|PUT|POST|DELETE) (\/\S*)`/g)
    ) {
      const route = parsePath(
        path.replace("{bucket}", "orders").replace("{stream}", "o-1").replace("{offset}", "1"),
      );
      assert.ok(typeof route !== "string", path);
      const from = requests.includes("Stream-Forked-From") ? "/sources/s-1" : undefined;
      const headers = new Headers(from === undefined ? {} : { "stream-forked-from": from });
      const needs = needsOf(method, route, headers);
      const said = Array.from(scopes.matchAll(/`(\w+)`/g), (match) => match[1]);
      assert.deepEqual(needs.flatMap((need) => need.scopes), said, `${method} ${path}`);
      const buckets = needs.flatMap((need) => need.bucket ?? []);
      const expected = from !== undefined
        ? ["orders", "sources"]
        : bucket === "the path's"
        ? ["orders"]
        : [];
      assert.deepEqual(buckets, expected, `${method} ${path}`);
      rows++;
    }
  }
  assert.equal(rows, 21);
});
