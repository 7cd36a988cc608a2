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
import type { Feed, FeedBatch, FeedReader, Seat } from "../shard/mod.ts";
import type { ReadPlan, StreamFacts, StreamKey } from "../stream/mod.ts";
import { type HeaderMap, type Reply, respond, respondError, respondObstacle } from "./answer.ts";
import type { HttpContext } from "./context.ts";
import { cursorAfter } from "./cursor.ts";
import { respondEnded } from "./ended.ts";
import type { Exchange } from "./exchange.ts";
import type { LiveReader } from "./live_readers.ts";
import { cachedForAWhile, etagOf, planHeaders } from "./read.ts";
import { leftMs, nextOffset, type ReadWish } from "./read_request.ts";
import { SharedBody } from "./shared_body.ts";
import { clientBytes, jsonArray } from "./stored_form.ts";

/** At which look at the live readers a wait is a long one: after half a second to a whole one. */
const LONG_WAIT_LOOKS = 2;
/** Waits that may last less have their timer from the start. */
const SHORT_WAIT_MS = 2_000;

/** GET with `live=long-poll` (P§5.7): bytes at once where there are any, else when some come. */
export function longPoll(
  context: HttpContext,
  exchange: Exchange,
  key: StreamKey,
  wish: ReadWish,
  plan: ReadPlan,
): void {
  new LongPoll(context, exchange, key, wish, plan).look(plan);
}

/**
 * One poll: waits for its feed to pass an offset, for time to be up, or for the end.
 *
 * Thousands may wait at a time, and most for a moment only: all that one holds meanwhile is this. Only
 * one that lasts asks the runtime for a timer and for news of its client, which cost more than all the
 * rest of it.
 */
class LongPoll implements FeedReader, LiveReader {
  readonly #context: HttpContext;
  readonly #exchange: Exchange;
  readonly #key: StreamKey;
  readonly #wish: ReadWish;
  readonly #deadlineMs: number;
  /** What there was when it was last looked at. */
  #plan: ReadPlan;
  /** What it waits for; undefined while it does not. */
  #feed: Feed | undefined;
  #feedSeat: Seat<FeedReader> | undefined;
  #liveSeat: Seat<LiveReader> | undefined;
  #looks = 0;
  #timer: Timer | undefined;
  #onAbort: (() => void) | undefined;

  constructor(
    context: HttpContext,
    exchange: Exchange,
    key: StreamKey,
    wish: ReadWish,
    plan: ReadPlan,
  ) {
    const { clock, settings } = context;
    this.#context = context;
    this.#exchange = exchange;
    this.#key = key;
    this.#wish = wish;
    this.#plan = plan;
    const waitMs = wish.timeoutMs ?? settings.longPollTimeoutMs;
    this.#deadlineMs = clock.monotonicMs() + Math.min(waitMs, leftMs(wish, clock));
  }

  /** Answers with what there is, or waits for more. */
  look(plan: ReadPlan): void {
    this.#plan = plan;
    if (plan.next > plan.from) {
      const headers = this.#headersOf(plan, this.#nextCursor(this.#context.random.next()));
      return this.#answer(respond(200, headers, clientBytes(plan)));
    }
    if (plan.facts.closed) return this.#answer(withNothing(plan, this.#wish, undefined));
    const { liveReaders, streams } = this.#context;
    if (!liveReaders.admits()) return this.#answer(respondError("overloaded"));
    const feed = streams.watch(this.#key, plan.facts.incarnation);
    if (feed instanceof Promise) this.#soon(feed.then((opened) => this.#wait(opened)));
    else this.#wait(feed);
  }

  #wait(feed: Feed | undefined): void {
    if (feed === undefined) return this.#soon(this.#answerEnded());
    const { liveReaders, clock } = this.#context;
    if (!liveReaders.admits(feed)) return this.#answer(respondError("overloaded"));
    this.#feed = feed;
    this.#looks = 0;
    this.#feedSeat = feed.add(this);
    if (feed.ended) return this.onEnd();
    if (feed.position > this.#plan.from || feed.closed) return this.#lookAgain();
    this.#liveSeat = liveReaders.add(this);
    const leftMs = this.#deadlineMs - clock.monotonicMs();
    if (leftMs < SHORT_WAIT_MS) this.#setTimer(leftMs);
  }

  #setTimer(leftMs: number): void {
    this.#timer = this.#context.clock.setTimer(Math.max(0, leftMs), () => this.#timeIsUp());
  }

  onBatch(batch: FeedBatch): void {
    const { from, facts } = this.#plan;
    if (batch.to <= from && !batch.closed) return;
    const { bytes } = batch;
    const isNext = batch.from === from && batch.to > from;
    if (!isNext || bytes === undefined || bytes.length > this.#wish.maxBytes) {
      return this.#lookAgain();
    }
    this.#leave();
    try {
      // By the same chance all who were as far go on as far: caches between see one request of theirs.
      const { body, chance } = batch.rendering("long-poll", () => {
        const stored = facts.json ? jsonArray(bytes) : bytes;
        return {
          body: new SharedBody(stored, batch.readers > 1),
          chance: this.#context.random.next(),
        };
      });
      const cursor = this.#nextCursor(chance);
      const headers = batch.rendering(
        `long-poll ${this.#wish.from === "now"} ${cursor}`,
        () => this.#headersOf(planOf(facts, batch), cursor),
      );
      this.#answer(respond(200, { ...headers }, body));
    } catch (reason) {
      // Others wait for the same batch.
      this.#exchange.fail(reason);
    }
  }

  onEnd(): void {
    const lost = this.#feed?.lost;
    if (!this.#leave()) return;
    // Waiting for a leader here would only keep the reader from going where there is one.
    if (lost) this.#answer(respondError("no_leader"));
    else this.#soon(this.#answerEnded());
  }

  onShutdown(): void {
    if (this.#leave()) this.#answer(respondError("shutting_down"));
  }

  onTime(nowMs: number): void {
    if (++this.#looks !== LONG_WAIT_LOOKS) return;
    if (this.#timer === undefined) this.#setTimer(this.#deadlineMs - nowMs);
    const { signal } = this.#exchange.request;
    // Who has left already tells nobody any more.
    if (signal.aborted) return this.#timeIsUp();
    this.#onAbort ??= () => this.#timeIsUp();
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  onRoom(): void {}

  #timeIsUp(): void {
    if (!this.#leave()) return;
    const cursor = this.#nextCursor(this.#context.random.next());
    this.#answer(withNothing(this.#plan, this.#wish, cursor));
  }

  /** Ends the wait; says whether there was one. */
  #leave(): boolean {
    const feed = this.#feed;
    if (feed === undefined) return false;
    this.#feed = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#liveSeat !== undefined) this.#context.liveReaders.remove(this.#liveSeat);
    if (this.#feedSeat !== undefined) feed.remove(this.#feedSeat);
    this.#liveSeat = this.#feedSeat = undefined;
    return true;
  }

  /** More has come than the feed brought along. */
  #lookAgain(): void {
    if (this.#leave()) this.#soon(this.#readAgain());
  }

  async #readAgain(): Promise<void> {
    const { from, facts } = this.#plan;
    const { streams, outgoing } = this.#context;
    const answer = await streams.read({
      key: this.#key,
      from,
      maxBytes: Math.min(this.#wish.maxBytes, outgoing.answerBytesMax),
      incarnation: facts.incarnation,
      touch: false,
    });
    if ("plan" in answer) return this.look(answer.plan);
    // The stream may well go on, though not for this reader.
    const goesOn = "unavailable" in answer || answer.refused === "offset_trimmed";
    if (goesOn) this.#answer(respondObstacle(answer));
    else await this.#answerEnded();
  }

  async #answerEnded(): Promise<void> {
    const { incarnation } = this.#plan.facts;
    this.#answer(await respondEnded(this.#context, this.#key, this.#wish, incarnation));
  }

  #answer(reply: Reply): void {
    this.#exchange.answer(reply);
  }

  #soon(work: Promise<void>): void {
    work.catch((reason) => this.#exchange.fail(reason));
  }

  #nextCursor(chance: number): number {
    return cursorAfter(this.#wish.cursor, this.#context.clock.wallMs(), chance);
  }

  #headersOf(plan: ReadPlan, cursor: number): HeaderMap {
    const headers = planHeaders(plan, this.#wish);
    headers[STREAM_CURSOR] = String(cursor);
    headers[ETAG] = etagOf(plan);
    headers[CACHE_CONTROL] = this.#wish.from === "now"
      ? "no-store"
      : cachedForAWhile(this.#context);
    return headers;
  }
}

/** What a batch is to everybody who waited for it. */
function planOf(facts: StreamFacts, { from, to, closed }: FeedBatch): ReadPlan {
  return {
    facts: { ...facts, tail: to, closed },
    from,
    next: to,
    slices: [],
    upToDate: true,
    snapshot: undefined,
  };
}

function withNothing(
  { facts, next }: ReadPlan,
  wish: ReadWish,
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
