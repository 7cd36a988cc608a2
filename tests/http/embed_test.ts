/** A node inside a program of one's own; the runner's leak checks say what `close()` leaves behind. */

import assert from "node:assert/strict";
import { createNode } from "../../mod.ts";

const TYPE = { "content-type": "text/plain" };
const MEMORY = { raftMemory: true, cores: 1 };

Deno.test("createNode() answers requests through fetch without listening", async () => {
  const node = await createNode(MEMORY);
  const request = (method: string, body?: string) =>
    node.fetch(new Request("http://embedded/v1/stream/a", { method, headers: TYPE, body }));
  const made = await request("PUT", "a");
  assert.equal(made.status, 201);
  assert.equal(made.headers.get("location"), "http://embedded/v1/stream/a");
  await made.body?.cancel();
  assert.equal((await request("POST", "b")).status, 204);
  assert.equal(await (await request("GET")).text(), "ab");
  await node.close();
  await node.close();
});

Deno.test("listen() serves the same streams as fetch, on a port of its own choice", async () => {
  const node = await createNode({ ...MEMORY, listen: "127.0.0.1:0" });
  const { url } = await node.listen();
  const made = await fetch(`${url}/v1/stream/a`, {
    method: "PUT",
    headers: TYPE,
    body: "over TCP",
  });
  assert.equal(made.status, 201);
  await made.body?.cancel();
  const read = await node.fetch(new Request("http://embedded/v1/stream/a"));
  assert.equal(await read.text(), "over TCP");
  await node.close();
  await assert.rejects(fetch(`${url}/v1/stream/a`));
});

Deno.test("two nodes in one process do not meet", async () => {
  const nodes = [await createNode(MEMORY), await createNode(MEMORY)];
  for (const [at, node] of nodes.entries()) {
    const made = await node.fetch(
      new Request("http://embedded/v1/stream/same", {
        method: "PUT",
        headers: TYPE,
        body: `node ${at}`,
      }),
    );
    assert.equal(made.status, 201);
    await made.body?.cancel();
  }
  for (const [at, node] of nodes.entries()) {
    const read = await node.fetch(new Request("http://embedded/v1/stream/same"));
    assert.equal(await read.text(), `node ${at}`);
  }
  await nodes[0]?.close();
  const read = await nodes[1]?.fetch(new Request("http://embedded/v1/stream/same"));
  assert.equal(await read?.text(), "node 1");
  await nodes[1]?.close();
});

Deno.test("close() keeps what was written, ends live reads, and gives the directory back", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "ursula-embed-" });
  try {
    const first = await createNode({ dataDir, cores: 1 });
    const url = "http://embedded/v1/stream/kept";
    const made = await first.fetch(
      new Request(url, { method: "PUT", headers: TYPE, body: "kept" }),
    );
    await made.body?.cancel();
    await assert.rejects(createNode({ dataDir, cores: 1 }), "the directory is in use");
    const live = await first.fetch(new Request(`${url}?offset=-1&live=sse`));
    const events = live.text();
    await first.close();
    assert.match(await events, /data: ?kept/);
    const second = await createNode({ dataDir, cores: 1 });
    assert.equal(await (await second.fetch(new Request(url))).text(), "kept");
    await second.close();
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("createNode() with two cores runs its workers and ends them", async () => {
  const node = await createNode({ ...MEMORY, cores: 2 });
  const paths = Array.from({ length: 40 }, (_, at) => `http://embedded/v1/stream/cores/s${at}`);
  for (const path of paths) {
    const made = await node.fetch(new Request(path, { method: "PUT", headers: TYPE, body: path }));
    assert.equal(made.status, 201);
    await made.body?.cancel();
  }
  for (const path of paths) assert.equal(await (await node.fetch(new Request(path))).text(), path);
  await node.close();
});

Deno.test("createNode() refuses options that are not valid, and names them", async () => {
  await assert.rejects(createNode({ raftMemory: true, cores: 0 }), /core/i);
});
