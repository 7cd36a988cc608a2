/**
 * Fills a stream, or reads a bootstrap of it and watches the server's memory meanwhile.
 *
 * @module
 */

import { answer, type BootstrapPlan, type BootstrapResult, planOf } from "./plan.ts";
import { residentBytes } from "./window.ts";

/** How often the server's memory is looked at. */
const LOOK_MS = 20;

const plan = planOf<BootstrapPlan>();
const { port, pid, path, messages, messageBytes, fills } = plan;
const url = `http://127.0.0.1:${port}${path}`;

/** Messages that one request appends. */
const BATCH = 512;

async function ask(method: string, url: string, body?: Uint8Array<ArrayBuffer>): Promise<void> {
  const headers = { "content-type": "application/octet-stream", "prefer": "return=minimal" };
  const response = await fetch(url, { method, body, headers });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status}`);
}

async function fill(): Promise<void> {
  await ask("PUT", url.slice(0, url.lastIndexOf("/")));
  await ask("PUT", url);
  const batch = new Uint8Array(BATCH * (4 + messageBytes)).fill(0x61);
  const view = new DataView(batch.buffer);
  for (let at = 0; at < batch.length; at += 4 + messageBytes) view.setUint32(at, messageBytes);
  for (let sent = 0; sent < messages; sent += BATCH) {
    await ask("POST", `${url}/append-batch`, batch);
  }
}

async function read(): Promise<BootstrapResult> {
  const before = residentBytes(pid);
  let most = before;
  const timer = setInterval(() => most = Math.max(most, residentBytes(pid)), LOOK_MS);
  const began = performance.now();
  const response = await fetch(`${url}/bootstrap`);
  let bytes = 0;
  for await (const chunk of response.body ?? []) bytes += chunk.length;
  const seconds = (performance.now() - began) / 1000;
  clearInterval(timer);
  if (bytes < messages * messageBytes) throw new Error(`only ${bytes} bytes came`);
  return { addedBytes: most - before, bytes, seconds };
}

if (fills) {
  await fill();
  answer({});
} else {
  answer(await read());
}
