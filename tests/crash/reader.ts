/**
 * A reader that follows a stream through any number of crashes and keeps all that it was shown.
 *
 * @module
 */

import { EventReader } from "../http/sse.ts";
import type { ServerProcess } from "../server.ts";
import { pause } from "./random.ts";
import { broken } from "./writer.ts";

/** How it follows the stream. */
export type Following = "long-poll" | "sse";

/** What one reader has seen of a stream of text. */
export class Reader {
  /** All text seen, from the stream's beginning. */
  seen = "";
  /** The life of the stream that it reads; another one is an error. */
  #incarnation: string | undefined;
  readonly #server: ServerProcess;
  readonly #path: string;
  readonly #following: Following;

  /** Reads the stream at `path` from its beginning. */
  constructor(server: ServerProcess, path: string, following: Following) {
    this.#server = server;
    this.#path = path;
    this.#following = following;
  }

  /** Follows until `stop` is aborted. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await (this.#following === "sse" ? this.#events(stop) : this.#poll());
      } catch (error) {
        if (!broken(error) && !stop.aborted) throw error;
        await pause(15);
      }
    }
  }

  get #url(): string {
    return `${this.#server.url}${this.#path}?offset=${new TextEncoder().encode(this.seen).length}`;
  }

  async #poll(): Promise<void> {
    const response = await fetch(`${this.#url}&live=long-poll&timeout_ms=200`);
    const text = await response.text();
    if (response.status === 200) {
      this.#check(response);
      this.seen += text;
    } else if (response.status !== 204) await this.#refused(response.status, text);
  }

  async #events(stop: AbortSignal): Promise<void> {
    await using reader = await EventReader.open(`${this.#url}&live=sse`);
    if (reader.response.status !== 200) return await this.#refused(reader.response.status, "");
    this.#check(reader.response);
    while (!stop.aborted) {
      const event = await next(reader, stop);
      if (event === undefined) return;
      if (event.event === "data") this.seen += event.data;
    }
  }

  /** The stream may not be made yet, and a server that stops refuses readers. */
  async #refused(status: number, text: string): Promise<void> {
    const early = status === 404 && this.seen === "";
    if (!early && status !== 503) throw new Error(`${this.#path}: ${status} ${text}`);
    await pause(15);
  }

  #check(response: Response): void {
    const incarnation = response.headers.get("stream-incarnation") ?? "";
    this.#incarnation ??= incarnation;
    if (incarnation !== this.#incarnation) {
      throw new Error(`${this.#path}: incarnation ${incarnation}, was ${this.#incarnation}`);
    }
  }
}

/** The next event, or undefined once `stop` is aborted; checked often, as streams may be quiet. */
async function next(reader: EventReader, stop: AbortSignal) {
  const leave = () => reader[Symbol.asyncDispose]();
  stop.addEventListener("abort", leave);
  try {
    return await reader.next(60_000);
  } finally {
    stop.removeEventListener("abort", leave);
  }
}
