import assert from "node:assert/strict";
import { startServer } from "../server.ts";

Deno.test("--log-requests logs a line for each request, whichever shard it came to", async () => {
  await using server = await startServer({
    memory: true,
    args: ["--core-count", "2", "--log-requests", "--log-format", "json"],
  });
  const url = `${server.url}/v1/stream/a`;
  const asked = 12;
  for (let i = 0; i < asked; i++) {
    // A connection of its own for each, so that both shards get some.
    const headers = { "content-type": "text/plain", "connection": "close" };
    const answer = await fetch(`${url}?token=secret${i}`, { method: "PUT", headers });
    await answer.body?.cancel();
  }
  let log = "";
  // A worker's lines come by way of the first shard.
  for (let tries = 0; tries < 100 && log.split('"request"').length <= asked; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    log = await server.stderr();
  }
  const lines = log.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const line of lines) {
    assert.deepEqual(Object.keys(line).slice(0, 3), ["time", "level", "message"]);
  }
  const requests = lines.filter(({ message }) => message === "request");
  assert.equal(requests.length, asked);
  for (const { level, fields } of requests) {
    assert.equal(level, "info");
    assert.equal(fields.method, "PUT");
    assert.equal(fields.path, "/v1/stream/a");
    assert.match(fields.remote, /^127\.0\.0\.1:\d+$/);
    assert.ok(fields.shard === 0 || fields.shard === 1);
    assert.ok(fields.ms >= 0);
  }
  assert.doesNotMatch(log, /secret/);
});

Deno.test("requests are not logged unless asked for", async () => {
  await using server = await startServer({ memory: true, args: ["--log-level", "debug"] });
  await (await fetch(`${server.url}/v1/stream/a`)).body?.cancel();
  assert.doesNotMatch(await server.stderr(), /v1\/stream/);
});
