/**
 * One client with streams of its own: it does whatever may be done to a stream, one thing after the
 * other, and compares every answer with its models.
 *
 * @module
 */

import { pause } from "../http/expect.ts";
import {
  append,
  bootstrap,
  create,
  fork,
  head,
  publish,
  read,
  readSnapshot,
} from "./operations.ts";
import { remove, stale } from "./operations.ts";
import type { Requests } from "./requests.ts";
import type { StreamModel } from "./stream_model.ts";

/** Streams of an owner, forks included. */
const STREAMS_MAX = 6;
/** A stream with so many bytes is given a snapshot that stands for most of them. */
const BYTES_MAX = 256 << 10;
/** No fork of a fork of a fork of a fork: what a line of forks leaves behind ends with the line. */
const DEPTH_MAX = 3;
/** A life has so many messages at most. */
const MESSAGES_MAX = 400;
/** What an owner does of its own accord, and how often of a hundred times. */
const SHARES: readonly { readonly what: string; readonly share: number }[] = [
  { what: "append", share: 60 },
  { what: "read", share: 12 },
  { what: "head", share: 6 },
  { what: "publish", share: 3 },
  { what: "snapshot", share: 6 },
  { what: "bootstrap", share: 5 },
  { what: "stale", share: 3 },
  { what: "fork", share: 3 },
  { what: "delete", share: 2 },
];

/** See the module's page. */
export class Owner {
  /** Streams that are there. */
  readonly streams: StreamModel[] = [];
  /** What was done, and how often. */
  readonly counts = new Map<string, number>();
  /** How long the slowest of each kind took, in ms. */
  readonly slowestMs = new Map<string, number>();
  /** Bytes of messages that were acknowledged. */
  bytes = 0;
  readonly #name: string;
  readonly #requests: Requests;
  readonly #next: () => number;
  readonly #paceMs: number;
  /** Paths that may be taken again. */
  readonly #free: string[] = [];
  #lives = 0;

  /**
   * @param next numbers in [0, 1) that decide everything it does
   * @param paceMs from the beginning of one thing to that of the next, unless it takes longer
   */
  constructor(name: string, requests: Requests, next: () => number, paceMs: number) {
    this.#name = name;
    this.#requests = requests;
    this.#next = next;
    this.#paceMs = paceMs;
  }

  /** Does things until `stop` is aborted, and ends between two of them. */
  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const began = performance.now();
      const what = await this.#act();
      const tookMs = performance.now() - began;
      this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
      this.slowestMs.set(what, Math.max(tookMs, this.slowestMs.get(what) ?? 0));
      await pause(Math.max(1, this.#paceMs - tookMs));
    }
  }

  async #act(): Promise<string> {
    const requests = this.#requests;
    const stream = this.streams[Math.floor(this.#next() * this.streams.length)];
    if (stream === undefined || this.streams.length < STREAMS_MAX / 2) return await this.#create();
    if (stream.messages.length > MESSAGES_MAX) return await this.#remove(stream);
    if (stream.tail - stream.earliest > BYTES_MAX) return await this.#publish(stream);
    let chance = this.#next() * 100;
    const chosen = SHARES.find(({ share }) => (chance -= share) < 0);
    switch (chosen?.what) {
      case "read":
        await read(requests, stream, this.#one(stream.boundaries), this.#next);
        return "read";
      case "head":
        await head(requests, stream);
        return "head";
      case "publish":
        return await this.#publish(stream);
      case "snapshot":
        await readSnapshot(requests, stream);
        return "snapshot read";
      case "bootstrap":
        await bootstrap(requests, stream);
        return "bootstrap";
      case "stale":
        await stale(requests, stream);
        return "stale read";
      case "fork":
        return await this.#fork(stream);
      case "delete":
        return await this.#remove(stream);
      default:
        this.bytes += await append(requests, stream);
        return "append";
    }
  }

  async #create(): Promise<string> {
    const [path, life] = this.#newLife();
    this.streams.push(await create(this.#requests, path, life, this.#next() < 0.4));
    return "create";
  }

  async #fork(source: StreamModel): Promise<string> {
    if (this.streams.length >= STREAMS_MAX) return await this.#remove(this.streams[0] ?? source);
    if (source.depth === DEPTH_MAX) return await this.#create();
    const [path, life] = this.#newLife();
    this.streams.push(
      await fork(this.#requests, source, path, life, this.#one(source.boundaries)),
    );
    return "fork";
  }

  async #publish(stream: StreamModel): Promise<string> {
    // Somewhere in the newer half, so that something stays to be read.
    const ends = stream.readable.map(({ to }) => to);
    if (ends.length === 0) return "nothing";
    await publish(this.#requests, stream, this.#one(ends.slice(Math.floor(ends.length / 2))));
    return "publish";
  }

  async #remove(stream: StreamModel): Promise<string> {
    await remove(this.#requests, stream);
    this.streams.splice(this.streams.indexOf(stream), 1);
    // The path of one that was forked stays taken for as long as a fork lives.
    if (!stream.isForked) this.#free.push(stream.path);
    return "delete";
  }

  #newLife(): [path: string, life: string] {
    const life = `${this.#name}-${this.#lives++}`;
    return [this.#free.pop() ?? `/soak/${life}`, life];
  }

  #one<T>(among: readonly T[]): T {
    return among[Math.floor(this.#next() * among.length)] as T; // nobody asks for one of none
  }
}
