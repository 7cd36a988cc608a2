import assert from "node:assert/strict";
import { UsageError } from "./failure.ts";
import { manifestOf, parseManifest } from "./manifest.ts";

Deno.test("parseManifest() fills in what a node leaves out", () => {
  const text = JSON.stringify({
    nodes: [
      { id: 1, http_url: "http://10.0.0.1:4437" },
      { id: 2, http_url: "https://two.example/", host: "two" },
      { id: 3, http_url: "http://[::1]:4437", admin_url: "http://[::1]:9000/" },
    ],
  });
  assert.deepEqual(parseManifest(text, "a.json").nodes, [
    {
      id: 1,
      httpUrl: "http://10.0.0.1:4437",
      adminUrl: "http://10.0.0.1:4438",
      host: "10.0.0.1",
    },
    { id: 2, httpUrl: "https://two.example", adminUrl: "https://two.example:444", host: "two" },
    { id: 3, httpUrl: "http://[::1]:4437", adminUrl: "http://[::1]:9000", host: "[::1]" },
  ]);
});

Deno.test("parseManifest() names the field that is wrong", () => {
  const node = { id: 1, http_url: "http://a:1" };
  const rows: [manifest: unknown, message: RegExp][] = [
    [[], /^m: the manifest: expected an object/],
    [{}, /^m: nodes: expected a list/],
    [{ nodes: [] }, /^m: nodes: expected a list of at least one/],
    [{ nodes: [node], extra: 1 }, /^m: extra is not known: use nodes$/],
    [{ nodes: [node, 7] }, /^m: nodes\[1\]: expected an object/],
    [{ nodes: [{ ...node, id: "1" }] }, /^m: nodes\[0\]\.id: expected a whole number/],
    [{ nodes: [{ ...node, id: 0 }] }, /^m: nodes\[0\]\.id: /],
    [{ nodes: [node, node] }, /^m: nodes\[1\]\.id: expected another one than 1/],
    [{ nodes: [{ id: 1 }] }, /^m: nodes\[0\]\.http_url: expected a URL/],
    [{ nodes: [{ ...node, http_url: "ftp://a" }] }, /^m: nodes\[0\]\.http_url: /],
    [{ nodes: [{ ...node, http_url: "http://a:1?b" }] }, /^m: nodes\[0\]\.http_url: /],
    [{ nodes: [{ ...node, admin_url: "a:1" }] }, /^m: nodes\[0\]\.admin_url: /],
    [{ nodes: [{ ...node, host: "a; rm -rf /" }] }, /^m: nodes\[0\]\.host: /],
    [
      { nodes: [{ ...node, url: "http://a" }] },
      /^m: nodes\[0\]\.url is not known: use id, http_url/,
    ],
  ];
  for (const [manifest, message] of rows) {
    assert.throws(() => parseManifest(JSON.stringify(manifest), "m"), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.throws(() => parseManifest("{", "m"), /^UsageError: m: no JSON|m: no JSON/);
});

Deno.test("manifestOf() makes nodes of URLs, whose ids are not known", () => {
  assert.deepEqual(manifestOf(["http://127.0.0.1:4437"]).nodes, [{
    id: undefined,
    httpUrl: "http://127.0.0.1:4437",
    adminUrl: "http://127.0.0.1:4438",
    host: "127.0.0.1",
  }]);
  assert.throws(() => manifestOf(["4437"]), UsageError);
});
