/**
 * What a stream holds after a crash.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually } from "../http/expect.ts";
import type { Writer } from "./writer.ts";

const BEGUN_MS_MAX = 20_000;

/** Is this all that was acknowledged, and perhaps the one message that was on its way? */
export function assertMessages(writer: Writer, text: string, acknowledged: number): void {
  // At most one message was on its way: each writer waits for its answer. Writers go on meanwhile.
  for (let count = acknowledged; count <= writer.attempted; count++) {
    if (text === writer.content(count)) return;
  }
  assert.fail(`${writer.path}: ${text.length} bytes are not its first ${acknowledged} messages`);
}

/** Resolves once each stream is there: what is not yet, a crash can't take away. */
export async function begun(writers: readonly Writer[]): Promise<void> {
  const all = () => Promise.resolve(writers.every(({ acknowledged }) => acknowledged > 0));
  await eventually(all, "every writer has begun", BEGUN_MS_MAX);
}

/** The whole stream. */
export async function contentOf(url: string): Promise<string> {
  let text = "";
  let from = "-1";
  for (;;) {
    const response = await fetch(`${url}?offset=${from}`);
    const part = await response.text();
    if (response.status !== 200) {
      assert.fail(`${url}: ${response.status} ${part}`);
    }
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    text = isJson && text !== "" ? `${text.slice(0, -1)},${part.slice(1)}` : text + part;
    if (response.headers.get("stream-up-to-date") === "true") return text;
    from = response.headers.get("stream-next-offset") ?? "";
  }
}
