import assert from "node:assert/strict";
import * as headers from "./headers.ts";

Deno.test("header names are lower case and stand in a list at most once", () => {
  for (const list of [headers.EXPOSED_HEADERS, headers.ALLOWED_REQUEST_HEADERS]) {
    assert.equal(new Set(list).size, list.length);
    for (const name of list) assert.match(name, /^[a-z]+(-[a-z]+)*$/);
  }
});

Deno.test("EXPOSED_HEADERS names every header of the protocol that answers carry", () => {
  const requestsOnly = new Set<string>([headers.PRODUCER_ID]);
  for (const name of Object.values(headers)) {
    if (typeof name !== "string" || !/^(stream|producer)-/.test(name)) continue;
    assert.equal(headers.EXPOSED_HEADERS.includes(name), !requestsOnly.has(name), name);
  }
});
