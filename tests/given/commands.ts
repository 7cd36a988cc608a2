/**
 * Commands as unit tests spell them.
 *
 * @module
 */

import type { AppendStream, Body, Command, CreateStream } from "../../stream/mod.ts";
import { sliceOf } from "../../stream/mod.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A body of one message, in memory of its own. */
export function bodyOf(text: string): Body {
  return { data: sliceOf(encoder.encode(text)) };
}

/** A PUT of a text stream. */
export function createOf(key: string, more: Partial<CreateStream> = {}): CreateStream {
  return { type: "create", key, contentType: "text/plain", closed: false, ...more };
}

/** A POST to a text stream. */
export function appendOf(
  key: string,
  text: string,
  more: Partial<AppendStream> = {},
): AppendStream {
  const body = bodyOf(text);
  return { type: "append", key, contentType: "text/plain", closed: false, body, ...more };
}

/** Opens a bucket in one group, without the steps that a node takes. */
export function openBucketOf(bucket: string, version = 2): Command {
  return { type: "set_bucket", bucket, phase: "open", version };
}

/** UTF-8 as text. */
export function textOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "nothing" : decoder.decode(bytes);
}
