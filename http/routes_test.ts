import assert from "node:assert/strict";
import { parsePath } from "../protocol/mod.ts";
import { Routes } from "./routes.ts";

/** More than is remembered, so that many of them share a slot. */
const PATHS = 100_000;
const MIB = 1024 * 1024;

Deno.test("a path that came twice is not parsed again", () => {
  const routes = new Routes();
  for (const path of ["/demo/s", "/demo/t/append-batch", "/v1/stream/x%20y"]) {
    routes.of(path);
    const route = routes.of(path);
    assert.equal(typeof route, "object", path);
    assert.equal(routes.of(path), route, path);
  }
});

Deno.test("paths that share a slot are never taken for each other", () => {
  const routes = new Routes();
  for (const round of ["to be forgotten", "anew"]) {
    for (let n = 0; n < PATHS; n++) {
      const path = `/demo/s${n}`;
      routes.of(path);
      routes.of(path);
      const route = routes.of(path);
      assert.ok(typeof route === "object" && "key" in route, path);
      assert.equal(route.key, `demo/s${n}`, round);
    }
  }
});

Deno.test("what is no stream's path is judged each time", () => {
  const routes = new Routes();
  for (const path of ["", "/", "/v1/stream/", "/demo", "/demo/%zz", "/demo/s/snapshot/0_1"]) {
    const expected = parsePath(path);
    assert.deepEqual(routes.of(path), expected, path);
    assert.deepEqual(routes.of(path), expected, path);
  }
  const path = "/demo/s/snapshot/0000000000000000_0000000000000001";
  routes.of(path);
  assert.notEqual(routes.of(path), routes.of(path), "each offset comes a few times only");
});

Deno.test("a path is remembered without the URL that it is a part of", () => {
  const routes = new Routes();
  const query = "x".repeat(60_000);
  const before = Deno.memoryUsage().heapUsed;
  for (let n = 0; n < 10_000; n++) {
    // As from a request: its letters lie in a row.
    const url = new TextDecoder().decode(new TextEncoder().encode(`/demo/stream-${n}?${query}`));
    for (let time = 0; time < 2; time++) routes.of(url.slice(0, url.indexOf("?")));
  }
  assert.ok(Deno.memoryUsage().heapUsed - before < 250 * MIB, "the URLs are 600 MB");
});
