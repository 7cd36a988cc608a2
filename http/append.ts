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
import type { Exchange } from "./exchange.ts";
import { parseWriteHeaders, storedBody, type WriteHeaders } from "./write_request.ts";

type Appended = Extract<Answer, { ok: "appended" | "repeated" }>;
type AppendAnswer = Appended | Exclude<Answer, { ok: unknown }>;

/**
 * POST: append, close, or both (P§5.2, P§5.3).
 *
 * What a node does most of all: every step hands on to the next by a call, as each promise or
 * `async` function in between would be so much more to allocate and to wait for.
 */
export function append(
  context: HttpContext,
  exchange: Exchange,
  route: StreamRoute,
  query: Query,
): void {
  const { request } = exchange;
  const { settings } = context;
  if (!context.admission.admits()) return exchange.answer(respondError("overloaded"));
  const wish = parseWriteHeaders(request.headers, settings);
  if (typeof wish === "string") return exchange.answer(respondError(wish));
  context.bodies.take(request, settings.appendBytesMax, (bytes) => {
    try {
      const command = commandOf(bytes, wish, route, query, settings.appendBytesMax);
      if ("status" in command) exchange.answer(command);
      else submit(context, exchange, command, bytes.length);
    } catch (reason) {
      exchange.fail(reason);
    }
  });
}

function commandOf(
  bytes: Uint8Array | ErrorCode,
  wish: WriteHeaders,
  route: StreamRoute,
  query: Query,
  bytesMax: number,
): AppendStream | Reply {
  if (typeof bytes === "string") return respondBodyError(bytes, bytesMax);
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
  return {
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
}

function submit(
  context: HttpContext,
  exchange: Exchange,
  command: AppendStream,
  bodyBytes: number,
): void {
  const { admission, bodies } = context;
  bodies.hold(bodyBytes);
  const entered = admission.enter();
  context.streams.append(command).then(
    (answer) => {
      bodies.release(bodyBytes);
      admission.leave(entered, !("unavailable" in answer));
      if (isOther(answer)) exchange.fail(unexpected(answer.ok));
      else exchange.answer(render(answer, command));
    },
    (reason) => {
      bodies.release(bodyBytes);
      admission.leave(entered, false);
      exchange.fail(reason);
    },
  );
}

function isOther(answer: Answer): answer is Exclude<Extract<Answer, { ok: string }>, Appended> {
  return "ok" in answer && answer.ok !== "appended" && answer.ok !== "repeated";
}

function render(answer: AppendAnswer, command: AppendStream): Reply {
  if (!("ok" in answer)) return respondObstacle(answer, command.producer);
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
export function respondBodyError(code: ErrorCode, bytesMax: number, what = "append"): Reply {
  // Nobody wants the rest of the body.
  const headers: HeaderMap = { "connection": "close" };
  if (code === "body_encoded") headers["accept-encoding"] = "identity";
  if (code !== "payload_too_large") return respondError(code, headers);
  const message = `the body is larger than ${bytesMax} bytes, the most that one ${what} may have`;
  return respondError(code, headers, { message });
}

/** A command was answered as only another one is. */
export function unexpected(ok: string): Error {
  return new Error(`a command was answered ${ok}`);
}
