import {
  CACHE_CONTROL,
  CONTENT_TYPE,
  STREAM_INCARNATION,
  STREAM_SSE_DATA_ENCODING,
} from "../protocol/mod.ts";
import type { Feed } from "../shard/mod.ts";
import type { ReadPlan, StreamKey } from "../stream/mod.ts";
import { type HeaderMap, type Reply, respond, respondError } from "./answer.ts";
import type { HttpContext } from "./context.ts";
import { respondEnded } from "./ended.ts";
import type { ReadWish } from "./read_request.ts";
import { SseReader } from "./sse_reader.ts";
import { dataFormOf } from "./sse_events.ts";

/** GET with `live=sse` (P§5.8). */
export async function serverSentEvents(
  context: HttpContext,
  _request: Request,
  key: StreamKey,
  wish: ReadWish,
  plan: ReadPlan,
): Promise<Reply> {
  if (!context.liveReaders.admits()) return respondError("overloaded");
  const { incarnation, contentType, json } = plan.facts;
  let feed: Feed | undefined;
  if (!(plan.upToDate && plan.facts.closed)) {
    // Looked up now: while this waits, the bytes may leave memory.
    void plan.slices;
    feed = await context.streams.watch(key, incarnation);
    if (feed === undefined) return await respondEnded(context, key, wish, incarnation);
    if (!context.liveReaders.admits(feed)) return respondError("overloaded");
  }
  const form = dataFormOf(contentType, json);
  const reader = new SseReader({ context, key, wish, plan, form, feed });
  const headers: HeaderMap = {
    [CONTENT_TYPE]: "text/event-stream",
    [CACHE_CONTROL]: "no-cache",
    [STREAM_INCARNATION]: incarnation,
  };
  if (form === "base64") headers[STREAM_SSE_DATA_ENCODING] = "base64";
  return respond(200, headers, reader.body);
}
