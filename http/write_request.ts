import {
  CONTENT_TYPE,
  type ErrorCode,
  IF_MATCH,
  parseDecimal,
  parseOffset,
  PRODUCER_EPOCH,
  PRODUCER_ID,
  PRODUCER_SEQ,
  STREAM_CLOSED,
  STREAM_INCARNATION,
  STREAM_SEQ,
} from "../protocol/mod.ts";
import {
  type Body,
  isJson,
  type JsonFault,
  normalizedBytesMax,
  type NormalizedJson,
  normalizeJson,
  type NormalizeOptions,
  type ProducerStamp,
  sliceOf,
} from "../stream/mod.ts";

/** Longest `Content-Type`, in bytes: it is kept with the stream and sent with every answer. */
const CONTENT_TYPE_BYTES_MAX = 512;

/** Bounds of what a writer calls itself and its appends, in bytes. */
export interface WriteLimits {
  readonly producerIdBytesMax: number;
  readonly streamSeqBytesMax: number;
}

/** What the headers of a write ask for. */
export interface WriteHeaders {
  readonly contentType: string | undefined;
  readonly closed: boolean;
  readonly producer: ProducerStamp | undefined;
  readonly streamSeq: string | undefined;
  readonly ifMatch: number | undefined;
  readonly incarnation: string | undefined;
}

/** Parses the headers of an append, once. */
export function parseWriteHeaders(
  headers: Headers,
  limits: WriteLimits,
): WriteHeaders | ErrorCode {
  const contentType = parseContentType(headers);
  if (contentType !== undefined && !isMediaType(contentType)) return "invalid_content_type";
  const producer = parseProducer(headers, limits.producerIdBytesMax);
  if (typeof producer === "string") return producer;
  const streamSeq = headers.get(STREAM_SEQ) ?? undefined;
  if (streamSeq === "") return "invalid_stream_seq";
  if (streamSeq !== undefined && streamSeq.length > limits.streamSeqBytesMax) {
    return "header_too_long";
  }
  const ifMatch = parseIfMatch(headers.get(IF_MATCH));
  if (typeof ifMatch === "string") return ifMatch;
  const closed = isTrue(headers.get(STREAM_CLOSED));
  const incarnation = headers.get(STREAM_INCARNATION) ?? undefined;
  return { contentType, closed, producer, streamSeq, ifMatch, incarnation };
}

/** `Content-Type`, undefined where there is none. */
export function parseContentType(headers: Headers): string | undefined {
  return headers.get(CONTENT_TYPE) || undefined;
}

/** Whether a text is `type/subtype` with or without parameters, and not overlong. */
export function isMediaType(text: string): boolean {
  if (knownTypes.has(text)) return true;
  if (!looksLikeMediaType(text)) return false;
  if (knownTypes.size < KNOWN_TYPES_MAX) knownTypes.add(text);
  return true;
}

function looksLikeMediaType(text: string): boolean {
  if (text.length > CONTENT_TYPE_BYTES_MAX) return false;
  const slash = text.indexOf("/");
  const end = text.indexOf(";");
  const essence = end < 0 ? text : text.slice(0, end).trimEnd();
  return slash > 0 && slash < essence.length - 1 && MEDIA_TYPE.test(essence);
}

/** Spellings that were found to be right, so that an append need not look again. */
const knownTypes = new Set<string>();
const KNOWN_TYPES_MAX = 256;
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** P§4.1: only `true`, in any case, counts. */
export function isTrue(value: string | null): boolean {
  return value !== null && (value === "true" || value.toLowerCase() === "true");
}

function parseProducer(
  headers: Headers,
  idBytesMax: number,
): ProducerStamp | ErrorCode | undefined {
  const id = headers.get(PRODUCER_ID);
  const epochText = headers.get(PRODUCER_EPOCH);
  const seqText = headers.get(PRODUCER_SEQ);
  if (id === null && epochText === null && seqText === null) return undefined;
  if (id === null || id === "" || epochText === null || seqText === null) return "invalid_producer";
  if (id.length > idBytesMax) return "header_too_long";
  const epoch = parseDecimal(epochText);
  const seq = parseDecimal(seqText);
  if (epoch === undefined || seq === undefined) return "invalid_producer";
  return { id, epoch, seq };
}

function parseIfMatch(text: string | null): number | undefined | ErrorCode {
  if (text === null) return undefined;
  const quoted = text.length >= 2 && text.startsWith('"') && text.endsWith('"');
  const offset = parseOffset(quoted ? text.slice(1, -1) : text);
  return typeof offset === "number" ? offset : "invalid_if_match";
}

/**
 * Messages that one request may append. Each takes every node some 50 ns at several places, all of
 * which is one turn of its event loop: with 15 million a leader was silent for a second, and lost
 * what it led.
 */
export const MESSAGES_MAX: number = 2 ** 22;
/** P§9.1.2: one array level is flattened. */
const FLATTEN: NormalizeOptions = { flatten: true, messagesMax: MESSAGES_MAX };

/**
 * A request's bytes in stored form, as its content type asks: JSON is checked, stripped of white
 * space and split into messages. Undefined where there is nothing to store.
 */
export function storedBody(
  bytes: Uint8Array,
  contentType: string,
): Body | { readonly error: ErrorCode; readonly message?: string } | undefined {
  if (bytes.length === 0) return undefined;
  if (!isJson(contentType)) return { data: sliceOf(bytes) };
  const output = new Uint8Array(normalizedBytesMax(bytes.length));
  const normalized = normalizeJson(bytes, output, 0, FLATTEN);
  if ("fault" in normalized) return invalidJson("body", normalized);
  return messagesBody(output.subarray(0, normalized.written), normalized.lengths);
}

/** A body of messages of these lengths; undefined where there are none. */
export function messagesBody(
  bytes: Uint8Array,
  lengths: NormalizedJson["lengths"],
): Body | undefined {
  if (lengths.length === 0) return undefined;
  const data = sliceOf(bytes);
  return lengths.length === 1 ? { data } : { data, lengths };
}

/** What is said of JSON that is none. */
export function invalidJson(
  what: "body" | "item",
  { fault, position, tooMany }: JsonFault,
): { readonly error: ErrorCode; readonly message: string } {
  if (tooMany) {
    const message = `one request appends at most ${MESSAGES_MAX} JSON messages`;
    return { error: "too_many_messages", message };
  }
  const message = `the ${what} is not valid JSON: ${fault}, at byte ${position}`;
  return { error: "invalid_json", message };
}
