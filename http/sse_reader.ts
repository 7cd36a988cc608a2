import type { Feed, FeedBatch, FeedReader, Seat } from "../shard/mod.ts";
import { joinSlices } from "../group/mod.ts";
import type { ReadPlan, StreamKey } from "../stream/mod.ts";
import { formatOffset } from "../protocol/mod.ts";
import type { HttpContext } from "./context.ts";
import { cursorAfter } from "./cursor.ts";
import type { LiveReader } from "./live_readers.ts";
import { leftMs, nextOffset, type ReadWish } from "./read_request.ts";
import {
  controlEvent,
  dataEvent,
  type DataForm,
  incompleteTail,
  joinEvents,
  KEEP_ALIVE,
} from "./sse_events.ts";

/** Bytes that wait for one reader before it is passed over; it catches up when it has read them. */
const QUEUE_BYTES_MAX = 256 * 1024;
/** Bytes fetched at once for a reader that catches up. */
export const CATCH_UP_BYTES = 256 * 1024;
/** A reader that takes nothing of what waits for it for so long is cut off. */
const STALL_MS = 30_000;
/** Silence after which a comment line is sent (SPEC section 3). */
const KEEP_ALIVE_MS = 15_000;

/** What an SSE read begins with. */
export interface SseStart {
  readonly context: HttpContext;
  readonly key: StreamKey;
  readonly wish: ReadWish;
  readonly plan: ReadPlan;
  readonly form: DataForm;
  /** Undefined where the plan reaches the end of a closed stream. */
  readonly feed: Feed | undefined;
}

/**
 * One reader of one stream over SSE. New bytes reach it rendered once for all; where it lags or
 * begins further back it reads for itself, at its own pace, so that at most one queue of bounded
 * length waits for it.
 */
export class SseReader implements FeedReader, LiveReader {
  /** The events, to be sent as the response's body. */
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #context: HttpContext;
  readonly #key: StreamKey;
  readonly #wish: ReadWish;
  readonly #form: DataForm;
  readonly #feed: Feed | undefined;
  readonly #incarnation: string;
  readonly #endsAtMs: number;
  readonly #liveSeat: Seat<LiveReader>;
  readonly #feedSeat: Seat<FeedReader> | undefined;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #cursor: number | undefined;
  #offset: number;
  #lastSentMs: number;
  #fetching = false;
  #done = false;

  constructor(start: SseStart) {
    const { context, plan } = start;
    this.#context = context;
    this.#key = start.key;
    this.#wish = start.wish;
    this.#form = start.form;
    this.#feed = start.feed;
    this.#incarnation = plan.facts.incarnation;
    this.#offset = plan.from;
    this.#lastSentMs = context.clock.monotonicMs();
    const ageMs = Math.min(context.settings.sseMaxAgeMs, leftMs(start.wish, context.clock));
    this.#endsAtMs = this.#lastSentMs + ageMs;
    this.body = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        cancel: () => this.#leave(),
      },
      { highWaterMark: QUEUE_BYTES_MAX, size: byteLength },
    );
    this.#liveSeat = context.liveReaders.add(this);
    this.#feedSeat = start.feed?.add(this);
    this.#sendPlan(plan, true);
    if (start.feed?.ended) this.onEnd();
    else this.#catchUp();
  }

  onBatch(batch: FeedBatch): void {
    if (this.#done || (batch.to < this.#offset && !batch.closed)) return;
    const { bytes } = batch;
    const fits = this.#offset === batch.from && bytes !== undefined &&
      bytes.length <= this.#wish.maxBytes && this.#hasRoom && !this.#fetching;
    // Whoever can't take it now catches up by itself, as soon as there is room.
    if (!fits || this.#splitsCodePoint(bytes, batch.closed)) return this.#catchUp();
    this.#send(this.#render(batch, bytes), batch.to);
    if (batch.closed) this.#close();
  }

  onRoom(): void {
    this.#catchUp();
  }

  onEnd(): void {
    this.#close();
  }

  onShutdown(): void {
    this.#close();
  }

  onTime(nowMs: number): void {
    if (nowMs >= this.#endsAtMs) return this.#close();
    const silenceMs = nowMs - this.#lastSentMs;
    if (this.#hasRoom) {
      if (silenceMs >= KEEP_ALIVE_MS) this.#send(KEEP_ALIVE, this.#offset);
    } else if (silenceMs >= STALL_MS) {
      this.#leave();
      this.#controller.error(new Error("the reader takes nothing"));
    }
  }

  get #hasRoom(): boolean {
    return (this.#controller.desiredSize ?? 0) > 0;
  }

  /** Text goes out in whole code points: the rest of one that was cut short comes with what follows. */
  #splitsCodePoint(bytes: Uint8Array, closed: boolean): boolean {
    return this.#form === "text" && !closed && incompleteTail(bytes) > 0;
  }

  #render(batch: FeedBatch, bytes: Uint8Array): Uint8Array {
    const cursor = this.#nextCursor();
    return batch.rendering(cursor, () => {
      const control = controlEvent({
        nextOffset: formatOffset(batch.to),
        cursor,
        upToDate: true,
        closed: batch.closed,
      });
      if (bytes.length === 0) return control;
      const data = batch.rendering(this.#form, () => dataEvent(bytes, this.#form));
      return joinEvents(data, control);
    });
  }

  #catchUp(): void {
    const feed = this.#feed;
    if (this.#done || this.#fetching || feed === undefined || !this.#lags(feed)) return;
    if (!this.#hasRoom) return this.#context.liveReaders.whenRoom(this);
    this.#fetch(feed).catch((reason) => {
      this.#leave();
      this.#controller.error(reason);
    });
  }

  /** Whether there is something to read for this reader. */
  #lags(feed: Feed): boolean {
    return this.#offset < feed.position || feed.closed;
  }

  /** Looks a last time and lets go in one stretch, or a batch that comes in between is missed. */
  async #fetch(feed: Feed): Promise<void> {
    this.#fetching = true;
    try {
      do {
        const answer = await this.#context.streams.read({
          key: this.#key,
          from: this.#offset,
          maxBytes: Math.min(CATCH_UP_BYTES, this.#wish.maxBytes),
          incarnation: this.#incarnation,
          touch: false,
        });
        if (this.#done) return;
        if (!("plan" in answer)) return this.#close();
        // Half a code point waits for its rest, unless that has come while this was read.
        if (!this.#sendPlan(answer.plan) && feed.position <= answer.plan.next) return;
      } while (!this.#done && this.#lags(feed) && this.#hasRoom);
    } finally {
      this.#fetching = false;
    }
    this.#catchUp();
  }

  /** Sends what a read found; false where that is nothing yet. */
  #sendPlan(plan: ReadPlan, isFirst = false): boolean {
    const closed = plan.upToDate && plan.facts.closed;
    let bytes = joinSlices(plan.slices);
    let next = plan.next;
    if (this.#splitsCodePoint(bytes, closed)) {
      const rest = incompleteTail(bytes);
      // What is no UTF-8 at all must not hold the stream up.
      if (bytes.length > rest || plan.upToDate) {
        bytes = bytes.subarray(0, bytes.length - rest);
        next -= rest;
      }
    }
    if (bytes.length === 0 && !isFirst && !closed) return false;
    const control = controlEvent({
      nextOffset: nextOffset(next, plan.facts.tail, this.#wish),
      cursor: this.#nextCursor(),
      upToDate: plan.upToDate,
      closed,
    });
    const events = bytes.length === 0 ? control : joinEvents(dataEvent(bytes, this.#form), control);
    this.#send(events, next);
    if (closed) this.#close();
    return true;
  }

  #send(events: Uint8Array, offset: number): void {
    this.#lastSentMs = this.#context.liveReaders.nowMs;
    this.#offset = offset;
    this.#controller.enqueue(events);
  }

  /** Never goes back: the client's own to begin with, then the present interval's (P§10.1). */
  #nextCursor(): number {
    const { clock, random, liveReaders } = this.#context;
    const cursor = this.#cursor;
    if (cursor === undefined) {
      return this.#cursor = cursorAfter(this.#wish.cursor, clock.wallMs(), random.next());
    }
    return liveReaders.cursor > cursor ? this.#cursor = liveReaders.cursor : cursor;
  }

  #leave(): void {
    this.#done = true;
    if (this.#feedSeat !== undefined) this.#feed?.remove(this.#feedSeat);
    this.#context.liveReaders.remove(this.#liveSeat);
  }

  #close(): void {
    if (this.#done) return;
    this.#leave();
    this.#controller.close();
  }
}

function byteLength(chunk: Uint8Array | undefined): number {
  return chunk === undefined ? 0 : chunk.byteLength;
}
