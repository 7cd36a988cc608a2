import assert from "node:assert/strict";
import { startS3 } from "../tests/cold/s3_servers.ts";
import { createNode, type UrsulaNode } from "./embed.ts";

const TYPE = { "content-type": "text/plain" };
const MEMORY = { raftMemory: true, cores: 1, logLevel: "error" } as const;

/** A test that fails when its nodes leave a timer, a file, a port or a worker behind. */
function test(name: string, run: () => Promise<void>): void {
  Deno.test({ name, sanitizeOps: true, sanitizeResources: true, fn: run });
}

async function ask(node: UrsulaNode, method: string, path: string, body?: string) {
  const request = new Request(`http://node/v1/stream/${path}`, { method, headers: TYPE, body });
  const response = await node.fetch(request);
  return `${response.status} ${await response.text()}`;
}

async function withDirectory(run: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "ursula-embed-" });
  try {
    await run(dataDir);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
}

test("two nodes in one process do not meet", async () => {
  const nodes = [await createNode(MEMORY), await createNode(MEMORY)] as const;
  const [one, two] = nodes;
  const addresses = await Promise.all(
    nodes.map((node) => node.listen({ hostname: "127.0.0.1", port: 0 })),
  );
  assert.notEqual(addresses[0]?.port, addresses[1]?.port);
  assert.equal(await ask(one, "PUT", "a", "one"), "201 ");
  assert.match(await ask(two, "GET", "a"), /^404 /);
  assert.equal(await ask(two, "PUT", "a", "two"), "201 ");
  assert.equal(await ask(one, "GET", "a"), "200 one");
  const response = await fetch(`${addresses[1]?.url}/v1/stream/a`);
  assert.equal(await response.text(), "two");
  await one.close();
  assert.equal(await ask(two, "GET", "a"), "200 two");
  await two.close();
});

test("close() ends what is under way and leaves nothing behind", async () => {
  await withDirectory(async (dataDir) => {
    const node = await createNode({ dataDir, cores: 1, logLevel: "error" });
    await node.listen({ hostname: "127.0.0.1", port: 0 });
    await ask(node, "PUT", "a", "kept");
    const live = ["sse", "long-poll"].map((live) =>
      node.fetch(new Request(`http://node/v1/stream/a?offset=now&live=${live}`))
    );
    const writes = Array.from({ length: 20 }, () => ask(node, "POST", "a", "!"));
    const closing = node.close();
    assert.equal(node.close(), closing, "harmless when repeated");
    for (const write of writes) assert.match(await write, /^(204|503) /);
    const [events, poll] = await Promise.all(live);
    await events?.text();
    await poll?.text();
    await closing;
    assert.equal(await node.closed, undefined);
    assert.match(await ask(node, "POST", "a", "late"), /^503 .*shutting_down/);
    const again = await createNode({ dataDir, cores: 1, logLevel: "error" });
    assert.match(await ask(again, "GET", "a"), /^200 kept!*$/);
    await again.close();
  });
});

test("close() ends the workers of a node with several cores", async () => {
  await withDirectory(async (dataDir) => {
    const node = await createNode({ dataDir, cores: 3, logLevel: "error" });
    const { url } = await node.listen({ hostname: "127.0.0.1", port: 0 });
    const answers = await Promise.all(Array.from({ length: 30 }, async (_, at) => {
      const path = `${url}/v1/stream/s${at}`;
      const response = await fetch(path, { method: "PUT", headers: TYPE, body: path });
      await response.body?.cancel();
      return response.status;
    }));
    assert.deepEqual(new Set(answers), new Set([201]));
    await node.close();
    const again = await createNode({ dataDir, cores: 1, logLevel: "error" });
    assert.equal(await ask(again, "GET", "s7"), `200 ${url}/v1/stream/s7`);
    await again.close();
  });
});

test("listen() refuses a second time, and an address that is taken", async () => {
  const [one, two] = [await createNode(MEMORY), await createNode(MEMORY)];
  const { port, url, hostname } = await one.listen({ hostname: "127.0.0.1", port: 0 });
  assert.equal(url, `http://${hostname}:${port}`);
  await assert.rejects(one.listen({ hostname: "127.0.0.1", port: 0 }), /listens already/);
  await assert.rejects(two.listen({ hostname: "127.0.0.1", port }));
  const next = await two.listen({ hostname: "::1", port: 0 });
  assert.equal(next.url, `http://[::1]:${next.port}`);
  await one.close();
  await two.close();
});

test("createNode() that fails leaves nothing behind", async () => {
  await withDirectory(async (dataDir) => {
    for (const cores of [1, 2]) {
      const input = { dataDir, cores, logLevel: "error" } as const;
      const node = await createNode(input);
      await assert.rejects(createNode(input), /another process/);
      await node.close();
      await assert.rejects(createNode({ ...input, clusterId: "another" }), /cluster id/);
      await assert.rejects(createNode({ ...input, cores: 0 }), /core/);
    }
    for await (const { name } of Deno.readDir(`${dataDir}/journal`)) {
      await Deno.writeTextFile(`${dataDir}/journal/${name}`, "this is no journal".repeat(1_000));
    }
    for (const cores of [1, 2]) {
      await assert.rejects(createNode({ dataDir, cores, logLevel: "error" }), /journal/);
    }
  });
});

test("a node takes a bucket, in every shard, and ends at once where there is none", async () => {
  const server = await startS3();
  try {
    const { endpoint, bucket, accessKeyId, secretAccessKey } = server;
    const input = {
      ...MEMORY,
      cores: 2,
      coldBackend: "s3",
      coldS3Bucket: bucket,
      coldS3Endpoint: endpoint,
      coldS3AccessKeyId: accessKeyId,
      coldS3SecretAccessKey: secretAccessKey,
    } as const;
    const node = await createNode(input);
    for (const path of ["a", "b", "c", "d"]) {
      assert.equal(await ask(node, "PUT", path, "!"), "201 ");
    }
    const metrics = await node.fetch(new Request("http://node/__ursula/metrics"));
    assert.equal((await metrics.json()).cold.backlog_bytes, 4, "of both shards");
    await node.close();
    await assert.rejects(createNode({ ...input, coldS3Bucket: "elsewhere" }), /elsewhere/);
  } finally {
    await server.stop();
  }
});
