import assert from "node:assert/strict";
import { ALLOWED_REQUEST_HEADERS, EXPOSED_HEADERS } from "../protocol/mod.ts";
import type { HeaderMap } from "./answer.ts";
import type { HttpSettings } from "./context.ts";
import { Cors } from "./cors.ts";

function admitted(
  origins: HttpSettings["corsOrigins"],
  origin?: string,
  method = "GET",
  headers: HeaderMap = {},
): HeaderMap {
  const request = new Request("http://node/", { method, headers: origin ? { origin } : {} });
  new Cors(origins).admit(request, headers);
  return headers;
}

const EXPOSED = { "access-control-expose-headers": EXPOSED_HEADERS.join(", ") };

Deno.test("admit() lets every origin in when all are, with or without naming one", () => {
  const all = { "access-control-allow-origin": "*", ...EXPOSED };
  assert.deepEqual(admitted("*"), all);
  assert.deepEqual(admitted("*", "https://a.example"), all);
  assert.deepEqual(admitted("*", "https://a.example", "POST"), all);
  assert.deepEqual(admitted("*", undefined, "POST"), {}, "no page reads that");
});

Deno.test("admit() names an origin of the list, and tells caches that it depends on that", () => {
  const list = ["https://a.example", "https://b.example"];
  assert.deepEqual(admitted(list, "https://b.example"), {
    "access-control-allow-origin": "https://b.example",
    vary: "origin",
    ...EXPOSED,
  });
  for (const other of [undefined, "https://c.example", "https://a.example.evil.example", "null"]) {
    assert.deepEqual(admitted(list, other), { vary: "origin" }, other);
  }
  const varied = admitted(list, "https://a.example", "GET", { vary: "accept-encoding" });
  assert.equal(varied.vary, "accept-encoding, origin");
});

Deno.test("admit() and preflight() say nothing when CORS is off", () => {
  assert.deepEqual(admitted("off", "https://a.example"), {});
  assert.deepEqual(new Cors("off").preflight(), {});
});

Deno.test("preflight() names the methods and headers of the protocol", () => {
  const headers = new Cors("*").preflight();
  assert.match(headers["access-control-allow-methods"] ?? "", /GET.*PUT.*POST.*DELETE/);
  const allowed = headers["access-control-allow-headers"]?.toLowerCase() ?? "";
  for (const name of ALLOWED_REQUEST_HEADERS) assert.ok(allowed.includes(name.toLowerCase()), name);
  assert.equal(headers["access-control-max-age"], "86400");
});
