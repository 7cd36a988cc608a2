import assert from "node:assert/strict";
import { startServer } from "../server.ts";
import { Collector } from "./collector.ts";

const TEXT = { "content-type": "text/plain" };
/** Bytes as they are stored. */
const PLAIN = { "accept-encoding": "identity" };

async function ask(url: string, init: RequestInit = {}): Promise<number> {
  const answer = await fetch(url, init);
  await answer.body?.cancel();
  return answer.status;
}

/** Waits until it is so, or 10 s have passed. */
async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !isSo(); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

Deno.test("OTEL_DENO exports spans of appends, reads and flushes, and all metrics", async () => {
  await using collector = new Collector();
  await using server = await startServer({
    env: collector.env,
    args: ["--core-count", "1", "--cold-flush-bytes", "4KiB", "--cold-flush-interval-ms", "100"],
  });
  const url = `${server.url}/v1/stream/nobodys-business`;
  assert.equal(await ask(url, { method: "PUT", headers: TEXT }), 201);
  const body = "x".repeat(4096);
  assert.equal(await ask(url, { method: "POST", headers: TEXT, body }), 204);
  assert.equal(await ask(`${url}?offset=-1`, { headers: PLAIN }), 200);
  assert.equal(await ask(`${server.url}/v1/stream/none`), 404);
  const { spans, metrics } = collector;
  const named = (name: string) => spans.filter((span) => span.name === name);
  await until(() =>
    named("append").length > 0 && named("read").length > 1 && named("flush").length > 0
  );
  const [append] = named("append");
  assert.equal(append?.attributes["http.response.status_code"], "204");
  assert.equal(append?.attributes["ursula.bytes"], "4096");
  assert.match(append?.attributes["ursula.group"] ?? "", /^\d+$/);
  assert.notEqual(append?.parentSpanId, "", "below the request's own span");
  const read = named("read").map(({ attributes }) => attributes["http.response.status_code"]);
  assert.deepEqual(read, ["200", "404"]);
  assert.equal(named("read")[0]?.attributes["ursula.answer.bytes"], "4096");
  assert.ok(named("flush").some(({ attributes }) => attributes["ursula.bytes"] === "4096"));
  const scraped = await (await fetch(`${server.url}/metrics`)).text();
  const names = [...scraped.matchAll(/^ursula_\w+/gm)].map(([name]) => name);
  assert.ok(names.length > 50, scraped);
  // What was exported before the first answer holds nothing of answers.
  await until(() => names.every((name) => metrics.has(name)));
  for (const name of names) assert.ok(metrics.has(name), name);
  assert.ok(metrics.get("ursula_group_hot_bytes")?.has("group"), collector.text);
  assert.ok(
    metrics.get("ursula_http_response_duration_seconds_bucket")?.has("le"),
    collector.text.slice(0, 2000),
  );
  for (const { name, attributes } of spans) {
    assert.doesNotMatch(JSON.stringify({ name, attributes }), /nobodys-business|_default/);
  }
});

Deno.test("without OTEL_DENO nothing is exported", async () => {
  await using collector = new Collector();
  await using server = await startServer({
    memory: true,
    env: { ...collector.env, OTEL_DENO: "false" },
  });
  assert.equal(await ask(`${server.url}/v1/stream/a`, { method: "PUT", headers: TEXT }), 201);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(collector.text, "");
});
