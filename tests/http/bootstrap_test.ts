/**
 * Bootstraps from outside: a server of two shards, and a parser that is not ours.
 */

import assert from "node:assert/strict";
import { partsOf } from "../given/multipart.ts";
import { serve } from "./client.ts";
import { assertStatus } from "./expect.ts";

const api = serve({ memory: true, args: ["--core-count", "2"] });
const STREAMS = 6;

Deno.test("a bootstrap has a part for each message, whichever shard owns the stream", async () => {
  await api.send("PUT", "/boot-bucket");
  for (let n = 0; n < STREAMS; n++) {
    const path = `/boot-bucket/s${n}`;
    const messages = Array.from({ length: 700 }, (_, i) => `{"i":${i},"pad":"${"x".repeat(i)}"}`);
    assertStatus(await api.put(path, "application/json", `[${messages.join()}]`), 201);
    const answer = await api.get(`${path}/bootstrap`);
    assertStatus(answer, 200);
    const type = answer.headers.get("content-type") ?? "";
    const [first, ...parts] = await partsOf(type, answer.bytes);
    assert.equal(first?.bytes.length, 0);
    const texts = parts.map(({ bytes }) => new TextDecoder().decode(bytes));
    assert.deepEqual(texts, messages);
    assert.ok(parts.every(({ contentType }) => contentType === "application/json"));
    assert.equal(answer.headers.get("stream-next-offset"), await tailOf(path));
  }
});

Deno.test("a bootstrap that breaks off breaks the connection before the closing boundary", async () => {
  const path = "/boot-bucket/long";
  await api.send("PUT", "/boot-bucket");
  assertStatus(await api.put(path, "text/plain"), 201);
  for (let i = 0; i < 16; i++) await api.append(path, "text/plain", "y".repeat(2 << 20));
  const response = await fetch(`${api.url}${path}/bootstrap`);
  const reader = response.body?.getReader();
  await reader?.read();
  assertStatus(await api.delete(path), 204);
  const rest = async () => {
    while (reader !== undefined && !(await reader.read()).done);
  };
  await assert.rejects(rest());
});

async function tailOf(path: string): Promise<string | null> {
  return (await api.head(path)).headers.get("stream-next-offset");
}
