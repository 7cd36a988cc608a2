import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { compressed } from "./compress.ts";
import type { HeaderMap } from "./answer.ts";
import { SharedBody } from "./shared_body.ts";

const LONG = new TextEncoder().encode("compress me ".repeat(100));

async function sent(
  acceptEncoding: string | null,
  contentType = "text/plain",
  body: Uint8Array = LONG,
) {
  const request = new Request("http://node/", {
    headers: acceptEncoding === null ? {} : { "accept-encoding": acceptEncoding },
  });
  const headers: HeaderMap = { etag: '"1"' };
  const sent = await compressed(request, contentType, headers, body);
  return { bytes: sent instanceof SharedBody ? sent.bytes : sent, headers };
}

Deno.test("compressed() sends gzip to who takes it, under a weak tag", async () => {
  const { bytes, headers } = await sent("br, gzip");
  assert.deepEqual(new Uint8Array(gunzipSync(bytes)), LONG);
  assert.deepEqual(headers, {
    etag: 'W/"1"',
    vary: "accept-encoding",
    "content-encoding": "gzip",
  });
});

Deno.test("compressed() reads Accept-Encoding as RFC 9110 says, as far as gzip goes", async () => {
  const takes = ["gzip", "GZIP", "x-gzip", "deflate;q=1, gzip;q=0.5", "gzip ; q=0.001", " gzip "];
  for (const text of takes) {
    assert.equal((await sent(text)).headers["content-encoding"], "gzip", text);
  }
  for (const text of [null, "", "br", "gzip;q=0", "gzip;q=0.000", "identity", "not-gzip"]) {
    const { bytes, headers } = await sent(text);
    assert.equal(bytes, LONG, `${text}`);
    assert.deepEqual(headers, { etag: '"1"', vary: "accept-encoding" }, "caches keep them apart");
  }
});

Deno.test("compressed() leaves short answers and what is compressed already alone", async () => {
  assert.equal((await sent("gzip", "text/plain", LONG.subarray(0, 1_023))).bytes.length, 1_023);
  assert.notEqual((await sent("gzip", "text/plain", LONG.subarray(0, 1_024))).bytes.length, 1_024);
  for (const type of ["image/png", "application/octet-stream", "application/gzip"]) {
    assert.deepEqual(await sent("gzip", type), { bytes: LONG, headers: { etag: '"1"' } }, type);
  }
  for (
    const type of ["application/json", "application/vnd.a+json; v=1", "Text/CSV", "application/xml"]
  ) {
    assert.equal((await sent("gzip", type)).headers["content-encoding"], "gzip", type);
  }
});

Deno.test("compressed() packs what many get once for all of them", async () => {
  const shared = new SharedBody(LONG);
  const request = new Request("http://node/", { headers: { "accept-encoding": "gzip" } });
  const [one, other] = await Promise.all(
    [1, 2].map(() => compressed(request, "text/plain", {}, shared)),
  );
  assert.ok(one instanceof SharedBody);
  assert.equal(one, other);
  assert.deepEqual(new Uint8Array(gunzipSync(one.bytes)), LONG);
});
