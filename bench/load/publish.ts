/**
 * Publishes one large snapshot after another, each at a new tail: see {@linkcode PublishPlan}.
 *
 * @module
 */

import { answer, planOf, type PublishPlan, type PublishResult } from "./plan.ts";

const { port, bytes, seconds } = planOf<PublishPlan>();
const origin = `http://127.0.0.1:${port}`;
const body = new Uint8Array(bytes).map((_, at) => at * 31 + (at >>> 12));
const headers = { "content-type": "application/octet-stream" };

async function ask(method: string, path: string, body?: Uint8Array<ArrayBuffer> | string) {
  const response = await fetch(origin + path, { method, headers, body });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}`);
  return response.headers.get("stream-next-offset");
}

await ask("PUT", "/v1/stream/bench-snapshots/s");
const untilMs = performance.now() + seconds * 1000;
let published = 0;
while (performance.now() < untilMs) {
  const tail = await ask("POST", "/v1/stream/bench-snapshots/s", "x");
  await ask("PUT", `/bench-snapshots/s/snapshot/${tail}`, body);
  published++;
}
answer({ published } satisfies PublishResult);
