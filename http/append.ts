import {
  type ErrorCode,
  formatOffset,
  PRODUCER_EPOCH,
  PRODUCER_SEQ,
  type Query,
  STREAM_CLOSED,
  STREAM_INCARNATION,
  STREAM_NEXT_OFFSET,
  type StreamRoute,
} from "../protocol/mod.ts";
import type { Answer } from "../group/mod.ts";
import type { AppendStream, Body } from "../stream/mod.ts";
import { type HeaderMap, type Reply, respond, respondError, respondObstacle } from "./answer.ts";
import type { HttpContext } from "./context.ts";
import { parseWriteHeaders, storedBody } from "./write_request.ts";

/** POST: append, close, or both (P§5.2, P§5.3). */
export async function append(
  context: HttpContext,
  request: Request,
  route: StreamRoute,
  query: Query,
): Promise<Reply> {
  const wish = parseWriteHeaders(request.headers, context.settings);
  if (typeof wish === "string") return respondError(wish);
  const bytes = await context.bodies.read(request, context.settings.appendBytesMax);
  if (typeof bytes === "string") return respondBodyError(bytes, context.settings.appendBytesMax);
  const { contentType, closed, producer, streamSeq, ifMatch } = wish;
  let body: Body | undefined;
  if (bytes.length > 0) {
    if (contentType === undefined) return respondError("missing_content_type");
    const stored = storedBody(bytes, contentType);
    if (stored === undefined) return respondError("empty_json_array");
    if ("error" in stored) return respondError(stored.error, {}, stored);
    body = stored;
  } else if (!closed) {
    return respondError("empty_body");
  }
  const command: AppendStream = {
    type: "append",
    key: route.key,
    contentType,
    body,
    closed,
    producer,
    streamSeq,
    ifMatch,
    incarnation: query.incarnation ?? wish.incarnation,
  };
  return render(await context.streams.append(command), command);
}

function render(answer: Answer, command: AppendStream): Reply {
  if (!("ok" in answer)) return respondObstacle(answer, command.producer);
  if (answer.ok !== "appended" && answer.ok !== "repeated") throw unexpected(answer.ok);
  const { facts, producer } = answer;
  const headers: HeaderMap = {
    [STREAM_NEXT_OFFSET]: formatOffset(facts.tail),
    [STREAM_INCARNATION]: facts.incarnation,
  };
  if (facts.closed) headers[STREAM_CLOSED] = "true";
  if (producer === undefined) return respond(204, headers);
  headers[PRODUCER_EPOCH] = String(producer.epoch);
  headers[PRODUCER_SEQ] = String(producer.seq);
  // P§5.2.1: 200 tells new data from a duplicate; a close without data is 204 either way.
  const isNew = answer.ok === "appended" && command.body !== undefined;
  return respond(isNew ? 200 : 204, headers);
}

/** What kept a body from being read. */
export function respondBodyError(code: ErrorCode, bytesMax: number): Reply {
  // Nobody wants the rest of the body.
  const headers = { "connection": "close" };
  if (code !== "payload_too_large") return respondError(code, headers);
  const message = `the body is larger than ${bytesMax} bytes, the most that one append may have`;
  return respondError(code, headers, { message });
}

/** A command was answered as only another one is. */
export function unexpected(ok: string): Error {
  return new Error(`a command was answered ${ok}`);
}
