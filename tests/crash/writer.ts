/**
 * A producer that writes numbered messages exactly once, through any number of crashes.
 *
 * @module
 */

import { pause } from "./random.ts";
import type { ServerProcess } from "../server.ts";

/** How long to wait before a request that failed is repeated. */
const RETRY_MS = 15;

/** What is known of one stream's writes. */
export class Writer {
  readonly path: string;
  readonly json: boolean;
  /** Messages 0 to `acknowledged` - 1 were answered as written. */
  acknowledged = 0;
  /** Messages 0 to `attempted` - 1 were sent at least once. */
  attempted = 0;
  /** Requests that were sent again because their outcome was not known. */
  repeated = 0;
  /** Bytes of the stream up to and including message `acknowledged` - 1, in stored form. */
  #tail = 0;
  readonly #server: ServerProcess;

  /** Writes to `path`, which it creates. */
  constructor(server: ServerProcess, path: string, json: boolean) {
    this.#server = server;
    this.path = path;
    this.json = json;
  }

  /** Message number `n`, of a length that varies. */
  message(n: number): string {
    const pad = "x".repeat((n * 37) % 300);
    return this.json ? `{"n":${n},"pad":"${pad}"}` : `${n}:${pad};`;
  }

  /** The first `count` messages as a read returns them. */
  content(count: number): string {
    const all = Array.from({ length: count }, (_, n) => this.message(n));
    return this.json ? `[${all.join(",")}]` : all.join("");
  }

  /** Creates the stream and writes until `stop` is aborted; throws on an answer that is wrong. */
  async run(stop: AbortSignal): Promise<void> {
    await this.#until(stop, async () => {
      const { status } = await this.#send("PUT", {});
      return status === 201 || status === 200;
    });
    while (!stop.aborted) await this.#write(stop);
  }

  /** Has the last message the final word? Repeats it until it is answered, with no end. */
  async settle(): Promise<void> {
    if (this.attempted > this.acknowledged) await this.#write(new AbortController().signal);
  }

  async #write(stop: AbortSignal): Promise<void> {
    const n = this.acknowledged;
    const message = this.message(n);
    if (this.attempted > n) this.repeated++;
    this.attempted = n + 1;
    await this.#until(stop, async () => {
      const response = await this.#send("POST", {
        "producer-id": "writer",
        "producer-epoch": "0",
        "producer-seq": String(n),
      }, message);
      if (response.status === 503) {
        this.repeated++;
        return false;
      }
      if (response.status !== 200 && response.status !== 204) {
        throw new Error(`${this.path}: message ${n} answered ${response.status} ${response.text}`);
      }
      this.#tail += new TextEncoder().encode(message).length + (this.json ? 1 : 0);
      const tail = Number(response.tail);
      if (tail !== this.#tail) {
        throw new Error(`${this.path}: tail ${tail} after message ${n}, not ${this.#tail}`);
      }
      this.acknowledged = n + 1;
      return true;
    });
  }

  /** Repeats `attempt` until it answers true; a broken connection is false. */
  async #until(stop: AbortSignal, attempt: () => Promise<boolean>): Promise<void> {
    while (!stop.aborted) {
      try {
        if (await attempt()) return;
      } catch (error) {
        if (!broken(error)) throw error;
        this.repeated++;
      }
      await pause(RETRY_MS);
    }
  }

  async #send(
    method: string,
    headers: Record<string, string>,
    body?: string,
  ): Promise<{ status: number; tail: string | null; text: string }> {
    const response = await fetch(this.#server.url + this.path, {
      method,
      headers: { "content-type": this.json ? "application/json" : "text/plain", ...headers },
      body,
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.text();
    return { status: response.status, tail: response.headers.get("stream-next-offset"), text };
  }
}

/** Is this the error of a connection that broke, rather than a wrong answer? */
export function broken(error: unknown): boolean {
  return error instanceof TypeError ||
    (error instanceof DOMException && error.name === "TimeoutError");
}
