import type { Clock } from "../io/mod.ts";
import {
  echoOffset,
  type ErrorCode,
  formatOffset,
  parseLive,
  parseMaxBytes,
  parseOffset,
  parseTimeoutMs,
  type Query,
  STREAM_INCARNATION,
} from "../protocol/mod.ts";
import type { ReadFrom } from "../stream/mod.ts";

/** One answer carries at most so many bytes of a stream (SPEC section 3). */
export const RESPONSE_BYTES_MAX = 4 * 1024 * 1024;
const CURSOR_DIGITS_MAX = 15;

/** What a GET asks for. */
export interface ReadWish {
  readonly from: ReadFrom;
  readonly live: "long-poll" | "sse" | undefined;
  readonly maxBytes: number;
  readonly cursor: number | undefined;
  readonly timeoutMs: number | undefined;
  readonly incarnation: string | undefined;
  /** The offset asked for, as an answer repeats it where it lies beyond the tail. */
  readonly echo: string | undefined;
  /** When a live read ends by the wall clock, because its token does; undefined for no such end. */
  readonly expiresAtMs?: number | undefined;
}

/** Parses the query and headers of a read, once. */
export function parseRead(
  query: Query,
  headers: Headers,
  expiresAtMs?: number,
): ReadWish | ErrorCode {
  const live = query.live === undefined ? undefined : parseLive(query.live);
  if (query.live !== undefined && live === undefined) return "invalid_live";
  if (query.offset === undefined && live !== undefined) return "offset_required";
  const from = query.offset === undefined ? "start" : parseOffset(query.offset);
  if (from === undefined) return "invalid_offset";
  const maxBytes = query.maxBytes === undefined
    ? RESPONSE_BYTES_MAX
    : parseMaxBytes(query.maxBytes);
  if (maxBytes === undefined) return "invalid_max_bytes";
  const timeoutMs = query.timeoutMs === undefined ? undefined : parseTimeoutMs(query.timeoutMs);
  if (query.timeoutMs !== undefined && timeoutMs === undefined) return "invalid_timeout";
  const cursor = query.cursor === undefined ? undefined : parseCursor(query.cursor);
  if (query.cursor !== undefined && cursor === undefined) return "invalid_cursor";
  return {
    from,
    live,
    maxBytes: Math.min(maxBytes, RESPONSE_BYTES_MAX),
    cursor,
    timeoutMs,
    incarnation: query.incarnation ?? headers.get(STREAM_INCARNATION) ?? undefined,
    echo: typeof from === "number" ? echoOffset(query.offset as string) : undefined,
    expiresAtMs,
  };
}

/** A cursor as this server gives them. One that runs ahead of any clock could not be exceeded. */
function parseCursor(text: string): number | undefined {
  return text.length <= CURSOR_DIGITS_MAX && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** Where reading goes on, in the client's own words where it asked beyond the tail (P§5.6). */
export function nextOffset(next: number, tail: number, wish: ReadWish): string {
  return next > tail && wish.echo !== undefined ? wish.echo : formatOffset(next);
}

/** How long a live read may go on before its token ends. */
export function leftMs({ expiresAtMs }: ReadWish, clock: Clock): number {
  return expiresAtMs === undefined ? Infinity : Math.max(0, expiresAtMs - clock.wallMs());
}
