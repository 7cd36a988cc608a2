/**
 * Much data in a few streams. Every byte follows from its stream and place, so that all can be read
 * back and told from any other, though nobody keeps them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { broken } from "../crash/writer.ts";
import { pause } from "../http/expect.ts";

/** How much there is, and of what. */
export interface BulkOptions {
  /** First part of the streams' paths. */
  readonly bucket: string;
  readonly streams: number;
  /** Of all streams together. */
  readonly bytes: number;
  /** Length of the longest message. */
  readonly messageBytesMax: number;
}

/** Where requests go: a node, or a server that is alone. */
export interface BulkNode {
  readonly url: string;
}

const TYPE = { "content-type": "application/octet-stream" };
const BLOCK_BYTES = 1 << 20;
const RETRY_MS = 20;
const ANSWER_MS_MAX = 20_000;
/** A node may be short of memory, or starting, for so long. */
const PATIENCE_MS = 60_000;

/** What messages are cut from: bytes without a pattern. */
const BLOCK = new Uint8Array(BLOCK_BYTES);
let state = 0x9e3779b9;
for (let at = 0; at < BLOCK_BYTES; at++) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  BLOCK[at] = state & 0xff;
}

/** See the module's page. */
export class Bulk {
  /** Messages that were acknowledged, by stream. */
  readonly #written: number[];
  readonly #options: BulkOptions;

  constructor(options: BulkOptions) {
    this.#options = options;
    this.#written = Array.from({ length: options.streams }, () => 0);
  }

  /** Writes all of it, each message through the next of the nodes; resolves when it is there. */
  async write(nodes: readonly BulkNode[]): Promise<void> {
    await Promise.all(this.#written.map((_, stream) => this.#writeStream(nodes, stream)));
  }

  /** Reads all of it through a node. @throws Error where a byte is another one, or missing */
  async check(node: BulkNode): Promise<void> {
    await Promise.all(this.#written.map((_, stream) => this.#checkStream(node, stream)));
  }

  async #writeStream(nodes: readonly BulkNode[], stream: number): Promise<void> {
    const share = this.#options.bytes / this.#options.streams;
    await this.#send(nodes, stream, 0, "PUT", {});
    for (let bytes = 0; bytes < share;) {
      const n = this.#written[stream] ?? 0;
      const body = this.#message(stream, n);
      const producer = { "producer-id": "bulk", "producer-epoch": "0", "producer-seq": String(n) };
      await this.#send(nodes, stream, n, "POST", producer, body);
      this.#written[stream] = n + 1;
      bytes += body.length;
    }
  }

  async #checkStream(node: BulkNode, stream: number): Promise<void> {
    const url = `${node.url}${this.#path(stream)}`;
    const expected = this.#content(stream);
    for (let offset = 0, isOver = false; !isOver;) {
      const response = await patiently(
        () => fetch(`${url}?offset=${offset}`, { signal: AbortSignal.timeout(ANSWER_MS_MAX) }),
        async (response) => {
          if (response.status === 200) return true;
          const text = await response.text();
          if (response.status === 503) return false;
          throw new Error(`${url} at ${offset}: ${response.status} ${text}`);
        },
      );
      const bytes = new Uint8Array(await response.arrayBuffer());
      expected.check(`${url} at ${offset}`, bytes);
      offset += bytes.length;
      isOver = response.headers.get("stream-up-to-date") === "true";
      if (!isOver && bytes.length === 0) throw new Error(`${url} does not move on at ${offset}`);
    }
    expected.end(url);
  }

  async #send(
    nodes: readonly BulkNode[],
    stream: number,
    n: number,
    method: string,
    headers: Record<string, string>,
    body?: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    let at = stream + n;
    const ask = () =>
      fetch(`${nodes[at++ % nodes.length]?.url}${this.#path(stream)}`, {
        method,
        headers: { ...TYPE, ...headers },
        body,
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
    await patiently(ask, async (response) => {
      const text = await response.text();
      if (response.ok) return true;
      // A create whose node died may be answered 408; it and what has a producer may be repeated.
      if (response.status === 503 || response.status === 408) return false;
      throw new Error(`${method} ${this.#path(stream)} ${n}: ${response.status} ${text}`);
    });
  }

  #content(stream: number): Expected {
    return new Expected(this.#written[stream] ?? 0, (n) => this.#message(stream, n));
  }

  #message(stream: number, n: number): Uint8Array<ArrayBuffer> {
    const { messageBytesMax } = this.#options;
    const length = 1 + (n * 7919 + stream * 104_729) % messageBytesMax;
    const from = (n * 130_363 + stream * 611_953) % (BLOCK_BYTES - length);
    const message = BLOCK.slice(from, from + length);
    if (length >= 8) new DataView(message.buffer).setUint32(0, stream * 100_000 + n);
    return message;
  }

  #path(stream: number): string {
    return `/v1/stream/${this.#options.bucket}/s${stream}`;
  }
}

/** All bytes of a stream, one after the other. */
class Expected {
  readonly #count: number;
  readonly #message: (n: number) => Uint8Array;
  #n = 0;
  #left = new Uint8Array(0) as Uint8Array;

  constructor(count: number, message: (n: number) => Uint8Array) {
    this.#count = count;
    this.#message = message;
  }

  /** @throws Error where these are not the next bytes */
  check(where: string, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#left.length === 0) {
        if (this.#n === this.#count) throw new Error(`${where}: more bytes than were written`);
        this.#left = this.#message(this.#n++);
      }
      const length = Math.min(this.#left.length, bytes.length - at);
      const [found, wanted] = [bytes.subarray(at, at + length), this.#left.subarray(0, length)];
      if (Buffer.compare(found, wanted) !== 0) {
        throw new Error(
          `${where}: bytes ${at} to ${at + length} are not those of message ${this.#n - 1}`,
        );
      }
      this.#left = this.#left.subarray(length);
      at += length;
    }
  }

  /** @throws Error where there is more to come */
  end(where: string): void {
    if (this.#left.length === 0 && this.#n === this.#count) return;
    throw new Error(`${where}: ends within message ${this.#n} of ${this.#count}`);
  }
}

/** Asks until the answer is one; a broken connection is none. */
async function patiently(
  ask: () => Promise<Response>,
  isOne: (response: Response) => Promise<boolean>,
): Promise<Response> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      const response = await ask();
      if (await isOne(response)) return response;
    } catch (error) {
      if (!broken(error)) throw error;
    }
    if (performance.now() > deadline) throw new Error("no answer for too long");
    await pause(RETRY_MS);
  }
}
