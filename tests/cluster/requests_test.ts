/** Any node serves any request: what was done through one is seen through the others, at once. */

import assert from "node:assert/strict";
import { type Answer, offset, type RequestParts, send } from "../http/client.ts";
import { assertError, assertStatus, eventually, pause } from "../http/expect.ts";
import { Cluster } from "./cluster.ts";

const TEXT = { "content-type": "text/plain" };

let cluster: Cluster;
let asked = 0;
let made = 0;

Deno.test.beforeAll(async () => {
  cluster = await Cluster.start({ memory: true });
});
Deno.test.afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

/** Sends a request to the next node: no two requests in a row go through the same one. */
function next(method: string, path: string, parts: RequestParts = {}): Promise<Answer> {
  const node = cluster.node(asked++ % cluster.nodes.length + 1);
  return send(node.url + path, method, parts);
}

/** The same request through every node. */
function everywhere(method: string, path: string, parts: RequestParts = {}): Promise<Answer[]> {
  return Promise.all(cluster.nodes.map(({ url }) => send(url + path, method, parts)));
}

/** A test on the cluster that all tests here share. */
function test(name: string, body: () => Promise<void>): void {
  Deno.test(name, async () => {
    try {
      await body();
    } catch (error) {
      console.log(await cluster.logs());
      throw error;
    }
  });
}

function fresh(): string {
  return `/v1/stream/requests/s${++made}`;
}

test("what was written through one node is read through every other at once", async () => {
  await Promise.all(Array.from({ length: 20 }, async (_, stream) => {
    const path = `/v1/stream/own-writes/s${stream}`;
    assertStatus(await next("PUT", path, { headers: TEXT }), 201);
    let content = "";
    for (let n = 0; n < 20; n++) {
      content += `${n},`;
      const written = await next("POST", path, { headers: TEXT, body: `${n},` });
      assertStatus(written, 204);
      assert.equal(written.headers.get("stream-next-offset"), offset(content.length));
      for (const answer of await everywhere("GET", `${path}?offset=-1`)) {
        assert.equal(answer.text, content);
      }
      for (const answer of await everywhere("HEAD", path)) {
        assert.equal(answer.headers.get("stream-next-offset"), offset(content.length));
      }
    }
  }));
});

test("no answer is a redirect, and a Location names the node that was asked", async () => {
  for (const node of cluster.nodes) {
    for (let n = 0; n < 10; n++) {
      const path = fresh();
      const made = await send(node.url + path, "PUT", { headers: TEXT });
      assertStatus(made, 201);
      assert.equal(made.headers.get("location"), node.url + path);
      assertStatus(await send(node.url + path, "GET"), 200);
    }
  }
});

test("a stream is created once, whichever nodes are asked at the same time", async () => {
  for (let round = 0; round < 20; round++) {
    const path = fresh();
    const answers = await everywhere("PUT", path, { headers: TEXT });
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 201]);
    const lives = new Set(answers.map(({ headers }) => headers.get("stream-incarnation")));
    assert.equal(lives.size, 1);
  }
});

test("a deleted stream is gone on every node, and its next life is seen by all", async () => {
  for (let round = 0; round < 20; round++) {
    const path = fresh();
    assertStatus(await next("PUT", path, { headers: TEXT, body: "old" }), 201);
    assertStatus(await next("DELETE", path), 204);
    for (const answer of await everywhere("GET", path)) assertError(answer, "stream_not_found");
    assertStatus(await next("PUT", path, { headers: TEXT, body: "new" }), 201);
    for (const answer of await everywhere("GET", path)) assert.equal(answer.text, "new");
  }
});

test("If-Match lets exactly one append through, whichever nodes are asked", async () => {
  const path = fresh();
  assertStatus(await next("PUT", path, { headers: TEXT, body: "abc" }), 201);
  for (let round = 0; round < 20; round++) {
    const tail = (await next("HEAD", path)).headers.get("stream-next-offset") ?? "";
    const headers = { ...TEXT, "if-match": tail };
    const answers = await everywhere("POST", path, { headers, body: "x" });
    assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 412, 412]);
    for (const answer of answers) {
      if (answer.status === 412) assertError(answer, "offset_mismatch");
      assert.equal(answer.headers.get("stream-next-offset"), offset(4 + round));
    }
  }
});

test("a producer's duplicate is known to every node", async () => {
  const path = fresh();
  assertStatus(await next("PUT", path, { headers: TEXT }), 201);
  for (let seq = 0; seq < 20; seq++) {
    const headers = {
      ...TEXT,
      "producer-id": "p",
      "producer-epoch": "0",
      "producer-seq": String(seq),
    };
    const answers = await everywhere("POST", path, { headers, body: "x" });
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 204, 204]);
  }
  assert.equal((await next("GET", path)).text, "x".repeat(20));
});

test("a bucket that was made through one node takes streams through every other at once", async () => {
  for (let round = 0; round < 10; round++) {
    const bucket = `/requests-bucket-${round}`;
    assertError(await next("PUT", `${bucket}/early`, { headers: TEXT }), "bucket_not_found");
    assertStatus(await next("PUT", bucket), 201);
    assertStatus(await next("PUT", bucket), 200);
    const made = await Promise.all(
      Array.from({ length: 9 }, (_, n) => next("PUT", `${bucket}/s${n}`, { headers: TEXT })),
    );
    for (const answer of made) assertStatus(answer, 201);
    for (const answer of await everywhere("GET", bucket)) {
      assert.equal(JSON.parse(answer.text).streams, 9);
    }
    assertError(await next("DELETE", bucket), "bucket_not_empty");
    for (let n = 0; n < 9; n++) assertStatus(await next("DELETE", `${bucket}/s${n}`), 204);
    assertStatus(await next("DELETE", bucket), 204);
    for (const answer of await everywhere("GET", bucket)) assertError(answer, "bucket_not_found");
  }
});

test("every node lists the same streams, in pages that others go on with", async () => {
  const ids = Array.from({ length: 150 }, (_, n) => `s${String(n).padStart(3, "0")}`);
  const made = await Promise.all(
    ids.map((id) => next("PUT", `/v1/stream/listed/${id}`, { headers: TEXT, body: id })),
  );
  for (const answer of made) assertStatus(answer, 201);
  for (const answer of await everywhere("GET", "/listed/streams")) {
    const { streams } = JSON.parse(answer.text) as { streams: { stream_id: string }[] };
    assert.deepEqual(streams.map(({ stream_id }) => stream_id), ids);
  }
  const found: string[] = [];
  for (let after = ""; found.length < ids.length;) {
    const page = await next("GET", `/listed/streams?limit=40&after=${after}`);
    assertStatus(page, 200);
    const { streams } = JSON.parse(page.text) as { streams: { stream_id: string }[] };
    found.push(...streams.map(({ stream_id }) => stream_id));
    after = found.at(-1) ?? "";
    assert.ok(streams.length > 0, `a page behind ${after} is empty`);
  }
  assert.deepEqual(found, ids);
});

test("forks across groups are made, read, written and removed through different nodes", async () => {
  const source = fresh();
  assertStatus(await next("PUT", source, { headers: TEXT, body: "source:" }), 201);
  const forks = Array.from({ length: 40 }, fresh);
  const headers = { "stream-forked-from": source };
  for (const fork of await Promise.all(forks.map((path) => next("PUT", path, { headers })))) {
    assertStatus(fork, 201);
    assert.equal(fork.headers.get("stream-next-offset"), offset(7));
  }
  assertStatus(await next("POST", source, { headers: TEXT, body: "later" }), 204);
  for (const [n, path] of forks.entries()) {
    assertStatus(await next("POST", path, { headers: TEXT, body: `fork ${n}` }), 204);
    for (const answer of await everywhere("GET", path)) {
      assert.equal(answer.text, `source:fork ${n}`);
    }
  }
  assertStatus(await next("DELETE", source), 204);
  for (const answer of await everywhere("GET", source)) assertError(answer, "stream_gone");
  for (const path of forks) {
    assertStatus(await next("DELETE", path), 204);
    for (const answer of await everywhere("GET", path)) assertError(answer, "stream_not_found");
  }
  await eventually(
    async () => (await next("HEAD", source)).status === 404,
    "the source goes with its last fork",
  );
});

test("a fork is made once, whichever nodes are asked at the same time", async () => {
  const source = fresh();
  assertStatus(await next("PUT", source, { headers: TEXT, body: "abc" }), 201);
  for (let round = 0; round < 20; round++) {
    const path = fresh();
    const answers = await everywhere("PUT", path, { headers: { "stream-forked-from": source } });
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 201).length, 1, String(statuses));
    for (const status of statuses) assert.ok([200, 201, 409].includes(status), String(statuses));
    for (const answer of await everywhere("GET", path)) assert.equal(answer.text, "abc");
  }
});

test("reads through any node hold a deadline off, and expiry is seen by all", async () => {
  const kept = Array.from({ length: 9 }, fresh);
  const left = Array.from({ length: 9 }, fresh);
  const headers = { ...TEXT, "stream-ttl": "2" };
  for (const path of [...kept, ...left]) {
    assertStatus(await next("PUT", path, { headers, body: "x" }), 201);
  }
  const until = performance.now() + 4_500;
  while (performance.now() < until) {
    for (const [n, path] of kept.entries()) {
      const { url } = cluster.node(n % cluster.nodes.length + 1);
      assertStatus(await send(url + path, "GET"), 200, "a stream that is read");
    }
    await pause(300);
  }
  for (const path of left) {
    for (const answer of await everywhere("HEAD", path)) assertStatus(answer, 404);
  }
  for (const path of kept) {
    await eventually(
      async () => (await next("HEAD", path)).status === 404,
      "expired once nobody read it",
    );
  }
});

test("JSON comes back through every node as it was sent to another", async () => {
  const path = fresh();
  const headers = { "content-type": "application/json" };
  assertStatus(await next("PUT", path, { headers }), 201);
  assertStatus(await next("POST", path, { headers, body: "[12345678901234567890, 1.0]" }), 204);
  assertStatus(await next("POST", path, { headers, body: `{"b":1, "a":"ü"}` }), 204);
  assertError(await next("POST", path, { headers, body: "{" }), "invalid_json");
  for (const answer of await everywhere("GET", path)) {
    assert.equal(answer.text, `[12345678901234567890,1.0,{"b":1,"a":"ü"}]`);
  }
});

test("errors are the same through every node", async () => {
  const path = fresh();
  for (const answer of await everywhere("GET", path)) assertError(answer, "stream_not_found");
  for (const answer of await everywhere("POST", path, { headers: TEXT, body: "x" })) {
    assertError(answer, "stream_not_found");
  }
  assertStatus(await next("PUT", path, { headers: { ...TEXT, "stream-closed": "true" } }), 201);
  for (const answer of await everywhere("POST", path, { headers: TEXT, body: "x" })) {
    assertError(answer, "stream_closed");
    assert.equal(answer.headers.get("stream-closed"), "true");
  }
});
