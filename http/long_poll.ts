import {
  CACHE_CONTROL,
  CONTENT_TYPE,
  ETAG,
  STREAM_CLOSED,
  STREAM_CURSOR,
  STREAM_INCARNATION,
  STREAM_NEXT_OFFSET,
  STREAM_UP_TO_DATE,
} from "../protocol/mod.ts";
import type { Timer } from "../io/mod.ts";
import type { Feed, FeedBatch, FeedReader } from "../shard/mod.ts";
import type { ReadPlan, StreamFacts, StreamKey } from "../stream/mod.ts";
import { type HeaderMap, type Reply, respond, respondError, respondObstacle } from "./answer.ts";
import type { HttpContext } from "./context.ts";
import { cursorAfter } from "./cursor.ts";
import { respondEnded } from "./ended.ts";
import type { LiveReader } from "./live_readers.ts";
import { cachedForAWhile, etagOf, planHeaders } from "./read.ts";
import { leftMs, nextOffset, type ReadWish } from "./read_request.ts";
import { clientBytes, jsonArray } from "./stored_form.ts";

/** GET with `live=long-poll` (P§5.7): bytes at once where there are any, else when some come. */
export async function longPoll(
  context: HttpContext,
  request: Request,
  key: StreamKey,
  wish: ReadWish,
  firstPlan: ReadPlan,
): Promise<Reply> {
  const { clock, random } = context;
  const cursor = cursorAfter(wish.cursor, clock.wallMs(), random.next());
  const waitMs = wish.timeoutMs ?? context.settings.longPollTimeoutMs;
  const deadlineMs = clock.monotonicMs() + Math.min(waitMs, leftMs(wish, clock));
  const cacheControl = wish.from === "now" ? "no-store" : cachedForAWhile(context);
  const { incarnation } = firstPlan.facts;
  let plan = firstPlan;
  for (;;) {
    if (plan.next > plan.from) {
      return withBytes(plan, wish, cursor, cacheControl, clientBytes(plan));
    }
    if (plan.facts.closed) return withNothing(plan.facts, wish, plan.next, undefined);
    if (!context.liveReaders.admits()) return respondError("overloaded");
    const feed = await context.streams.watch(key, incarnation);
    if (feed === undefined) return await respondEnded(context, key, wish, incarnation);
    if (!context.liveReaders.admits(feed)) return respondError("overloaded");
    const heard = await new Wait(context, request, feed, plan.from, deadlineMs).outcome;
    if (heard === "timeout") return withNothing(plan.facts, wish, plan.next, cursor);
    if (heard === "shutdown") return respondError("shutting_down");
    if (heard === "ended") {
      // Waiting for a leader here would only keep the reader from going where there is one.
      if (feed.lost) return respondError("no_leader");
      return await respondEnded(context, key, wish, incarnation);
    }
    if (heard !== "gap" && heard.bytes !== undefined && heard.bytes.length <= wish.maxBytes) {
      return withBatch(plan.facts, heard, heard.bytes, wish, cursor, cacheControl);
    }
    const { from } = plan;
    const answer = await context.streams.read({
      key,
      from,
      maxBytes: wish.maxBytes,
      incarnation,
      touch: false,
    });
    if ("plan" in answer) {
      plan = answer.plan;
      continue;
    }
    // The stream may well go on, though not for this reader.
    const goesOn = "unavailable" in answer || answer.refused === "offset_trimmed";
    if (goesOn) return respondObstacle(answer);
    return await respondEnded(context, key, wish, incarnation);
  }
}

/** Name of a batch's rendering here: SSE keeps its events, of the same batch, under others. */
const ARRAY = "long-poll";
/** At which look at the live readers a wait is a long one: after half a second to a whole one. */
const LONG_WAIT_LOOKS = 2;
/** Waits that may last less have their timer from the start. */
const SHORT_WAIT_MS = 2_000;

/**
 * Waits for a feed to pass an offset, for time to be up, or for the end.
 *
 * Most waits for a stream that is written often are over in a moment: only one that lasts asks the
 * runtime for a timer and for news of its client, which cost more than all the rest of it.
 */
class Wait implements FeedReader, LiveReader {
  readonly outcome: Promise<FeedBatch | "gap" | "timeout" | "ended" | "shutdown">;
  readonly #context: HttpContext;
  readonly #request: Request;
  readonly #feed: Feed;
  readonly #from: number;
  readonly #deadlineMs: number;
  #looks = 0;
  #over = false;
  #timer: Timer | undefined;
  #resolve!: (outcome: FeedBatch | "gap" | "timeout" | "ended" | "shutdown") => void;

  constructor(
    context: HttpContext,
    request: Request,
    feed: Feed,
    from: number,
    deadlineMs: number,
  ) {
    this.#context = context;
    this.#request = request;
    this.#feed = feed;
    this.#from = from;
    this.#deadlineMs = deadlineMs;
    this.outcome = new Promise((resolve) => this.#resolve = resolve);
    feed.add(this);
    if (feed.ended) this.#end("ended");
    else if (feed.position > from || feed.closed) this.#end("gap");
    else this.#begin();
  }

  #begin(): void {
    this.#context.liveReaders.add(this);
    const leftMs = this.#deadlineMs - this.#context.clock.monotonicMs();
    if (leftMs < SHORT_WAIT_MS) this.#setTimer(leftMs);
  }

  #setTimer(leftMs: number): void {
    this.#timer = this.#context.clock.setTimer(Math.max(0, leftMs), () => this.#end("timeout"));
  }

  onBatch(batch: FeedBatch): void {
    if (batch.to <= this.#from && !batch.closed) return;
    this.#end(batch.from === this.#from && batch.to > batch.from ? batch : "gap");
  }

  onEnd(): void {
    this.#end("ended");
  }

  onShutdown(): void {
    this.#end("shutdown");
  }

  onTime(nowMs: number): void {
    if (++this.#looks !== LONG_WAIT_LOOKS) return;
    if (this.#timer === undefined) this.#setTimer(this.#deadlineMs - nowMs);
    const { signal } = this.#request;
    // Who has left already tells nobody any more.
    if (signal.aborted) return this.#end("timeout");
    signal.addEventListener("abort", () => this.#end("timeout"), { once: true });
  }

  onRoom(): void {}

  #end(outcome: FeedBatch | "gap" | "timeout" | "ended" | "shutdown"): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#context.liveReaders.remove(this);
    this.#feed.remove(this);
    this.#resolve(outcome);
  }
}

function withBytes(
  plan: ReadPlan,
  wish: ReadWish,
  cursor: number,
  cacheControl: string,
  body: Uint8Array,
): Reply {
  const headers = planHeaders(plan, wish);
  headers[STREAM_CURSOR] = String(cursor);
  headers[ETAG] = etagOf(plan);
  headers[CACHE_CONTROL] = cacheControl;
  return respond(200, headers, body);
}

/** The bytes that came are the same for everybody who waited for them. */
function withBatch(
  facts: StreamFacts,
  batch: FeedBatch,
  bytes: Uint8Array,
  wish: ReadWish,
  cursor: number,
  cacheControl: string,
): Reply {
  const now: StreamFacts = { ...facts, tail: batch.to, closed: batch.closed };
  const plan: ReadPlan = {
    facts: now,
    from: batch.from,
    next: batch.to,
    slices: [],
    upToDate: true,
    snapshot: undefined,
  };
  const body = facts.json ? batch.rendering(ARRAY, () => jsonArray(bytes)) : bytes;
  return withBytes(plan, wish, cursor, cacheControl, body);
}

function withNothing(
  facts: StreamFacts,
  wish: ReadWish,
  next: number,
  cursor: number | undefined,
): Reply {
  const headers: HeaderMap = {
    [CONTENT_TYPE]: facts.contentType,
    [STREAM_NEXT_OFFSET]: nextOffset(next, facts.tail, wish),
    [STREAM_INCARNATION]: facts.incarnation,
    [STREAM_UP_TO_DATE]: "true",
    [CACHE_CONTROL]: "no-store",
  };
  if (cursor === undefined) headers[STREAM_CLOSED] = "true";
  else headers[STREAM_CURSOR] = String(cursor);
  return respond(204, headers);
}
