import {
  CONTENT_TYPE,
  formatOffset,
  parseOffset,
  STREAM_CLOSED,
  STREAM_CURSOR,
  STREAM_INCARNATION,
  STREAM_NEXT_OFFSET,
  STREAM_UP_TO_DATE,
} from "../protocol/mod.ts";
import { CallError, reasonOf } from "./client.ts";
import { Failure, UsageError } from "./failure.ts";
import { JsonValues } from "./json_values.ts";
import { ANSWER_MS_MAX, LONG_POLL_MS, type StreamName, type Streams } from "./streams.ts";

/** Takes what was read; the next is read once it has. */
export type Take = (bytes: Uint8Array, from: number, contentType: string) => Promise<void>;

/** How a stream is read. */
export interface ReadOptions {
  /** Where to begin; `now` is the tail. */
  readonly from: number | "now";
  /** Stay at the tail, and wait for more. */
  readonly live: boolean;
  /** Where to end; without it at the tail, or never. */
  readonly signal?: AbortSignal;
  /** Told when the reading has to begin anew where it was. */
  readonly onTrouble?: (why: string) => void;
}

/** An offset as a person may write it. @throws {UsageError} */
export function parseFrom(text: string): number | "now" {
  const offset = text === "beginning" || text === "start" ? "start" : parseOffset(text);
  if (offset === undefined) {
    throw new UsageError(`--from: expected beginning, now or an offset, got ${text}`);
  }
  return offset === "start" ? 0 : offset;
}

/** Is this the type of a stream of JSON messages? */
export function isJsonType(contentType: string): boolean {
  return /^\s*application\/json\s*(?:;|$)/i.test(contentType);
}

/**
 * Reads a stream to its tail, or with `live` until it is closed, through whichever node answers: the
 * stored bytes as they are, or of a JSON stream a line for each value. Nothing comes twice, and
 * nothing is missing, wherever a connection breaks. Answers the offset behind the last byte taken.
 *
 * @throws {CallError} when the stream is not there, or no longer the same
 */
export async function readStream(
  streams: Streams,
  { path }: StreamName,
  { from, live, signal, onTrouble }: ReadOptions,
  take: Take,
): Promise<number> {
  let incarnation: string | undefined;
  let cursor: string | undefined;
  let position = from === "now" ? -1 : from;
  // Where the tail is has to be known before anything can be missed.
  let query = from === "now" ? "offset=now" : "";
  for (;;) {
    if (position >= 0) {
      query = `offset=${formatOffset(position)}`;
      if (live) query += `&live=long-poll&timeout_ms=${LONG_POLL_MS}`;
      if (cursor !== undefined) query += `&cursor=${cursor}`;
    }
    if (incarnation !== undefined) query += `&incarnation=${encodeURIComponent(incarnation)}`;
    const patienceMs = live && incarnation !== undefined ? Infinity : undefined;
    let response: Response;
    try {
      response = await streams.send(`${path}?${query}`, { signal, onTrouble, patienceMs });
    } catch (error) {
      if (!(error instanceof CallError) || error.code !== "incarnation_mismatch") throw error;
      throw new Failure("the stream was deleted and made anew while it was read");
    }
    const { headers } = response;
    incarnation ??= headers.get(STREAM_INCARNATION) ?? undefined;
    cursor = headers.get(STREAM_CURSOR) ?? undefined;
    const next = Number(headers.get(STREAM_NEXT_OFFSET));
    const contentType = headers.get(CONTENT_TYPE) ?? "";
    if (position < 0) {
      await response.body?.cancel();
      position = next;
    } else {
      const whole = await takeBody(response, contentType, position, take, signal);
      position = whole.position;
      if (whole.trouble !== undefined) {
        onTrouble?.(whole.trouble);
        continue;
      }
      if (position !== next) {
        throw new Failure(`the answer ends at offset ${position} and says ${next}`);
      }
    }
    const isUpToDate = headers.get(STREAM_UP_TO_DATE) === "true";
    if (isUpToDate && (!live || headers.get(STREAM_CLOSED) === "true")) return position;
  }
}

/** Hands on what comes, and says how far it got where the connection broke. */
async function takeBody(
  response: Response,
  contentType: string,
  from: number,
  take: Take,
  signal: AbortSignal | undefined,
): Promise<{ position: number; trouble?: string }> {
  let position = from;
  if (response.body === null) return { position };
  const values = isJsonType(contentType) ? new JsonValues() : undefined;
  const reader = response.body.getReader();
  try {
    for (;;) {
      let piece: Uint8Array | undefined;
      try {
        const { done, value } = await soon(reader.read());
        if (done) return { position };
        piece = value;
      } catch (error) {
        signal?.throwIfAborted();
        return { position, trouble: reasonOf(error) };
      }
      for (const bytes of values?.push(piece) ?? [piece]) {
        await take(bytes, position, contentType);
        position += bytes.length;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** A node that hangs half-way is as good as gone. */
async function soon<T>(reading: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const text = `nothing more came within ${ANSWER_MS_MAX / 1_000} s`;
  const timer = setTimeout(() => late.reject(new Error(text)), ANSWER_MS_MAX);
  try {
    return await Promise.race([reading, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
