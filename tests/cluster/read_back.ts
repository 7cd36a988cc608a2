/**
 * Reads whole streams through one node.
 *
 * @module
 */

import { pause } from "../http/expect.ts";
import type { ClusterNode } from "./cluster_node.ts";

/** How long a node may refuse to answer for now. */
const REFUSED_MS_MAX = 15_000;
const ANSWER_MS_MAX = 10_000;
const RETRY_MS = 50;

/** All that the stream at `path` holds, as `node` says. */
export async function contentOf(node: ClusterNode, path: string): Promise<string> {
  let text = "";
  let from = "-1";
  const deadline = performance.now() + REFUSED_MS_MAX;
  for (;;) {
    const response = await fetch(`${node.url}${path}?offset=${from}`, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    const part = await response.text();
    if (response.status === 503 && performance.now() < deadline) {
      await pause(RETRY_MS);
      continue;
    }
    if (response.status !== 200) {
      throw new Error(`${path} through node ${node.id}: ${response.status} ${part}`);
    }
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true;
    text = isJson && text !== "" ? `${text.slice(0, -1)},${part.slice(1)}` : text + part;
    if (response.headers.get("stream-up-to-date") === "true") return text;
    from = response.headers.get("stream-next-offset") ?? "";
  }
}

/** Where two texts part, for messages that should not be megabytes long. */
export function difference(found: string, expected: string): string {
  let at = 0;
  while (at < found.length && found[at] === expected[at]) at++;
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 60), at + 60));
  return `${found.length} characters, not ${expected.length}; they part at ${at}: ` +
    `${around(found)}, not ${around(expected)}`;
}
