/**
 * A client that follows one stream after the other, by SSE or by long-poll, through whichever node
 * serves it, and compares each byte that it is shown.
 *
 * @module
 */

import { broken } from "../crash/writer.ts";
import { pause } from "../http/expect.ts";
import { EventReader, type SseEvent } from "../http/sse.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { compare } from "./operations.ts";
import type { StreamModel } from "./stream_model.ts";

const RETRY_MS = 50;
/** After so long it turns to another stream. */
const FOLLOW_MS = 8_000;
const EVENT_MS_MAX = 60_000;
const ANSWER_MS_MAX = 30_000;

/** See the module's page. */
export class LiveReader {
  /** Bytes that it was shown. */
  bytes = 0;
  readonly #cluster: Cluster;
  readonly #streams: () => readonly StreamModel[];
  readonly #next: () => number;
  readonly #following: "sse" | "long-poll";

  /** @param streams those that there are now; @param next decides which one, and through whom */
  constructor(
    cluster: Cluster,
    streams: () => readonly StreamModel[],
    following: "sse" | "long-poll",
    next: () => number,
  ) {
    this.#cluster = cluster;
    this.#streams = streams;
    this.#following = following;
    this.#next = next;
  }

  /** Follows until `stop` is aborted. @throws Error on a byte or an answer that is wrong */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const streams = this.#streams();
      const model = streams[Math.floor(this.#next() * streams.length)];
      if (model === undefined) await pause(RETRY_MS);
      else await this.#follow(model, stop);
    }
  }

  async #follow(model: StreamModel, stop: AbortSignal): Promise<void> {
    const enough = AbortSignal.any([stop, AbortSignal.timeout(FOLLOW_MS)]);
    let offset = model.earliest;
    while (!enough.aborted) {
      const { running } = this.#cluster;
      const node = running[Math.floor(this.#next() * running.length)];
      if (node === undefined) {
        await pause(RETRY_MS);
        continue;
      }
      const url = `${node.url}${model.path}?offset=${offset}&incarnation=${model.incarnation}`;
      try {
        const end = this.#following === "sse"
          ? await this.#events(model, `${url}&live=sse`, offset, enough)
          : await this.#poll(model, `${url}&live=long-poll&timeout_ms=1000`, offset);
        if (end === undefined) return;
        offset = end;
      } catch (error) {
        if (!broken(error) && !enough.aborted) throw error;
        await pause(RETRY_MS);
      }
    }
  }

  /** Where reading goes on; undefined where it does not. */
  async #poll(model: StreamModel, url: string, offset: number): Promise<number | undefined> {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    const text = await response.text();
    if (response.status === 204) return offset;
    if (response.status !== 200) return await this.#refused(model, url, response.status, offset);
    const end = Number(response.headers.get("stream-next-offset"));
    compare(url, text, model.body(offset, end));
    this.bytes += end - offset;
    return end;
  }

  async #events(
    model: StreamModel,
    url: string,
    from: number,
    enough: AbortSignal,
  ): Promise<number | undefined> {
    await using reader = await EventReader.open(url);
    const { status } = reader.response;
    if (status !== 200) return await this.#refused(model, url, status, from);
    let offset = from;
    for (;;) {
      const event = await nextOf(reader, enough);
      if (event === undefined || enough.aborted) return offset;
      if (event.event === "data") {
        // `[a,b]` stands for `a,b,`.
        const end = offset + event.data.length - (model.json ? 1 : 0);
        compare(`${url}, event at ${offset}`, event.data, model.body(offset, end));
        this.bytes += end - offset;
        offset = end;
      } else if (event.event === "control") {
        const { streamNextOffset } = JSON.parse(event.data);
        if (Number(streamNextOffset) !== offset) {
          throw new Error(`${url}: control event says ${streamNextOffset} at ${offset}`);
        }
      }
    }
  }

  async #refused(
    model: StreamModel,
    url: string,
    status: number,
    offset: number,
  ): Promise<number | undefined> {
    if (model.isEnding && (status === 404 || status === 410 || status === 412)) return undefined;
    // A snapshot went past it; begin anew with what is left.
    if (status === 410 && offset < model.earliestMax) return undefined;
    if (status !== 503) throw new Error(`${url}: ${status}`);
    await pause(RETRY_MS);
    return offset;
  }
}

/** The next event, or undefined once `enough` is aborted: streams may be quiet. */
async function nextOf(reader: EventReader, enough: AbortSignal): Promise<SseEvent | undefined> {
  const leave = () => reader[Symbol.asyncDispose]();
  enough.addEventListener("abort", leave);
  try {
    return await reader.next(EVENT_MS_MAX);
  } finally {
    enough.removeEventListener("abort", leave);
  }
}
