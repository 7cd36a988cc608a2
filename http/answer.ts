import {
  type ErrorCode,
  ERRORS,
  formatOffset,
  outcomeUnknownStatus,
  PRODUCER_EPOCH,
  PRODUCER_EXPECTED_SEQ,
  PRODUCER_RECEIVED_SEQ,
  renderError,
  RETRY_AFTER,
  STREAM_CLOSED,
  STREAM_EARLIEST_OFFSET,
  STREAM_INCARNATION,
  STREAM_NEXT_OFFSET,
} from "../protocol/mod.ts";
import type { Answer, Unavailable } from "../group/mod.ts";
import type { ProducerStamp, Refusal, StreamFacts } from "../stream/mod.ts";
import type { SharedBody } from "./shared_body.ts";

/** Header names, in lower case, and values. */
export type HeaderMap = Record<string, string>;

/** Seconds after which a request that was refused for now is worth repeating. */
export const RETRY_AFTER_SECONDS = "1";

/** What a request is answered, before the headers that every answer carries. */
export interface Reply {
  readonly status: number;
  /** To be added to. */
  readonly headers: HeaderMap;
  readonly body: Uint8Array | SharedBody | ReadableStream<Uint8Array> | string | null;
}

/** Puts a {@linkcode Reply} together. */
export function respond(status: number, headers: HeaderMap, body: Reply["body"] = null): Reply {
  return { status, headers, body };
}

/** An answer as JSON. */
export function respondJson(status: number, value: unknown): Reply {
  const headers: HeaderMap = { "content-type": "application/json", "cache-control": "no-store" };
  return respond(status, headers, JSON.stringify(value));
}

/** An error of the table. */
export function respondError(
  code: ErrorCode,
  headers: HeaderMap = {},
  options: { message?: string; status?: number } = {},
): Reply {
  const { status, retryable } = ERRORS[code];
  headers["content-type"] = "application/json";
  headers["cache-control"] = "no-store";
  if (retryable && status >= 429) headers[RETRY_AFTER] = RETRY_AFTER_SECONDS;
  return respond(options.status ?? status, headers, renderError(code, options.message));
}

/** What stands in the way of a command or read: a refusal of the state machine, or no answer at all. */
export type Obstacle =
  | (Omit<Extract<Answer, { refused: unknown }>, "refused"> & {
    readonly refused: Refusal | "bucket_not_empty";
  })
  | Unavailable;

/** The answer for an {@linkcode Obstacle}. */
export function respondObstacle(obstacle: Obstacle, producer?: ProducerStamp): Reply {
  if ("unavailable" in obstacle) return respondUnavailable(obstacle, producer);
  const headers = obstacle.facts === undefined ? {} : tailHeaders(obstacle.facts);
  if (obstacle.refused === "offset_trimmed" && obstacle.facts !== undefined) {
    headers[STREAM_EARLIEST_OFFSET] = formatOffset(obstacle.facts.earliest);
  }
  if (obstacle.producerEpoch !== undefined) {
    headers[PRODUCER_EPOCH] = String(obstacle.producerEpoch);
  }
  if (obstacle.expectedSeq !== undefined) {
    headers[PRODUCER_EXPECTED_SEQ] = String(obstacle.expectedSeq);
    headers[PRODUCER_RECEIVED_SEQ] = String(producer?.seq);
  }
  if (obstacle.lastStreamSeq === undefined) return respondError(obstacle.refused, headers);
  headers["stream-seq"] = headerSafe(obstacle.lastStreamSeq);
  return respondError(obstacle.refused, headers);
}

function respondUnavailable(
  { unavailable: reason, object }: Unavailable,
  producer?: ProducerStamp,
): Reply {
  if (reason === "stopping") return respondError("shutting_down");
  if (reason === "not_leader") return respondError("no_leader");
  if (reason === "cold_damaged" && object !== undefined) {
    return respondError(reason, {}, { message: `${ERRORS[reason].message}: ${object}` });
  }
  if (reason !== "outcome_unknown") return respondError(reason);
  const status = outcomeUnknownStatus(producer !== undefined);
  const headers: HeaderMap = status === 503 ? { [RETRY_AFTER]: RETRY_AFTER_SECONDS } : {};
  return respondError(reason, headers, { status });
}

/** Tail, closure and incarnation: on every answer about a stream that is there. */
export function tailHeaders(facts: StreamFacts): HeaderMap {
  const headers: HeaderMap = {
    [STREAM_NEXT_OFFSET]: formatOffset(facts.tail),
    [STREAM_INCARNATION]: facts.incarnation,
  };
  if (facts.closed) headers[STREAM_CLOSED] = "true";
  return headers;
}

/** Header values came in as bytes of Latin-1 and go out so. */
function headerSafe(value: string): string {
  return value.replace(/[^\x20-\x7e\x80-\xff]/g, "?");
}
