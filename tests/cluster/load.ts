/**
 * Writers on many streams and live readers on all nodes, while something happens to the cluster;
 * and the proof, afterwards, that nothing was lost, doubled or mixed up.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Following, Reader } from "../crash/reader.ts";
import { pause } from "../http/expect.ts";
import type { Cluster } from "./cluster.ts";
import { contentOf, difference } from "./read_back.ts";
import { Writer } from "./writer.ts";

/** What is put on a cluster. */
export interface LoadOptions {
  /** One writer each; every third is JSON. @default 40 */
  readonly streams?: number;
  /** Live readers, half of them SSE, half long-poll, in turn on each node. @default 12 */
  readonly readers?: number;
  /** How long a writer waits after each acknowledgement, in milliseconds. @default 10 */
  readonly paceMs?: number;
}

/** The longest time in which some stream took no write. */
export interface Gap {
  readonly ms: number;
  readonly path: string;
}

/** How long every stream may take until it has taken a write. */
const PROGRESS_MS_MAX = 20_000;
/** How long the last message of every writer, and of every reader, may take. */
const SETTLE_MS_MAX = 20_000;
/** A load on top of another one must not write to its streams. */
let loads = 0;

interface Followed {
  readonly reader: Reader;
  readonly writer: Writer;
}

/** Load that runs. */
export class Load {
  readonly cluster: Cluster;
  readonly writers: readonly Writer[];
  readonly #readers: readonly Followed[];
  readonly #stopWriting = new AbortController();
  readonly #stopReading = new AbortController();
  readonly #writing: Promise<unknown>;
  readonly #reading: Promise<unknown>;

  private constructor(cluster: Cluster, options: LoadOptions) {
    const name = `load-${++loads}`;
    this.cluster = cluster;
    this.writers = Array.from(
      { length: options.streams ?? 40 },
      (_, at) =>
        new Writer(
          cluster,
          `/v1/stream/${name}-${at % 5}/s${at}`,
          at % 3 === 0,
          options.paceMs ?? 10,
          at,
        ),
    );
    const texts = this.writers.filter((writer) => !writer.json);
    this.#readers = Array.from({ length: options.readers ?? 12 }, (_, at) => {
      const writer = texts[at % texts.length] as Writer; // there is one: some writers are not JSON
      const following: Following = Math.floor(at / cluster.nodes.length) % 2 === 0
        ? "sse"
        : "long-poll";
      const { server } = cluster.node(at % cluster.nodes.length + 1);
      return { writer, reader: new Reader(server, writer.path, following) };
    });
    this.#writing = Promise.all(
      this.writers.map((writer) => writer.run(this.#stopWriting.signal)),
    );
    this.#reading = Promise.all(
      this.#readers.map(({ reader }) => reader.run(this.#stopReading.signal)),
    );
    this.#writing.catch(() => {});
    this.#reading.catch(() => {});
  }

  /**
   * Puts load on the cluster while `body` runs; then lets all nodes get ready, and reads everything
   * back through each. Throws on whatever was wrong.
   */
  static async during(
    cluster: Cluster,
    options: LoadOptions,
    body: (load: Load) => Promise<void>,
  ): Promise<void> {
    const load = new Load(cluster, options);
    try {
      await load.#unlessBroken(load.progress());
      await load.#unlessBroken(body(load));
      await load.#settle();
      await load.verify();
    } finally {
      load.#stopWriting.abort();
      load.#stopReading.abort();
      await Promise.allSettled([load.#writing, load.#reading]);
    }
    console.log(`  ${load.summary}`);
  }

  /** What was written, in one line. */
  get summary(): string {
    const total = this.writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    const repeated = this.writers.reduce((sum, writer) => sum + writer.repeated, 0);
    return `${total} appends on ${this.writers.length} streams, ${repeated} repeated`;
  }

  /** Resolves when every stream has taken one more write. */
  async progress(timeoutMs = PROGRESS_MS_MAX): Promise<void> {
    const before = new Map(this.writers.map((writer) => [writer, writer.acknowledged]));
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const waiting = this.writers.filter((writer) =>
        writer.acknowledged <= (before.get(writer) ?? 0)
      );
      const [first] = waiting;
      if (first === undefined) return;
      this.cluster.assertAlive();
      if (performance.now() > deadline) {
        throw new Error(
          `${waiting.length} streams took no write for ${timeoutMs} ms; ` +
            `${first.path}: ${first.lastTrouble}`,
        );
      }
      await pause(20);
    }
  }

  /** The longest gap in any one stream's writes since `fromMs` of `performance.now()`. */
  longestGap(fromMs: number): Gap {
    const now = performance.now();
    let longest: Gap = { ms: 0, path: "" };
    for (const writer of this.writers) {
      const ms = writer.longestGapMs(fromMs, now);
      if (ms > longest.ms) longest = { ms, path: writer.path };
    }
    return longest;
  }

  /** Forgets how often requests were sent again, and why. */
  forgetLuck(): void {
    for (const writer of this.writers) writer.worstLuck = [];
  }

  /** Each time why the request was sent again that had the worst luck since it was forgotten. */
  get worstLuck(): readonly string[] {
    return this.writers.map(({ worstLuck }) => worstLuck)
      .reduce((worst, luck) => luck.length > worst.length ? luck : worst);
  }

  /**
   * Does something to the cluster, goes on writing for a while, and prints the longest gap since.
   * The bound is generous, since the machine may be busy: `gaps.ts` judges by strict ones.
   */
  async fault(
    what: string,
    act: () => Promise<void> | void,
    { gapMsMax = 5_000, afterMs = 1_000 } = {},
  ): Promise<Gap> {
    const fromMs = performance.now();
    await act();
    await pause(afterMs);
    await this.progress();
    const gap = this.longestGap(fromMs);
    console.log(`  ${what}: longest gap ${Math.round(gap.ms)} ms`);
    assert.ok(
      gap.ms <= gapMsMax,
      `${what}: ${gap.path} took no write for ${Math.round(gap.ms)} ms`,
    );
    return gap;
  }

  /** Compares what every running node says of every stream with what was acknowledged. */
  async verify(): Promise<void> {
    this.cluster.assertAlive();
    await Promise.all(this.cluster.running.map(async (node) => {
      for (const writer of this.writers) {
        const found = await contentOf(node, writer.path);
        const expected = writer.content(writer.acknowledged);
        assert.ok(
          found === expected,
          `${writer.path} through node ${node.id}: ${difference(found, expected)}`,
        );
      }
    }));
  }

  /** Stops writing, and waits for the last answers and until the readers have seen everything. */
  async #settle(): Promise<void> {
    const stop = AbortSignal.timeout(SETTLE_MS_MAX);
    this.#stopWriting.abort();
    await this.#writing;
    await this.#unlessBroken((async () => {
      await this.cluster.ready();
      await Promise.all(this.writers.map((writer) => writer.settle(stop)));
      if (stop.aborted) throw new Error("the last messages were not acknowledged");
      const late = ({ writer, reader }: Followed) =>
        reader.seen.length < writer.content(writer.acknowledged).length;
      while (this.#readers.some(late) && !stop.aborted) await pause(20);
    })());
    this.#stopReading.abort();
    await this.#reading;
    for (const [at, { writer, reader }] of this.#readers.entries()) {
      const expected = writer.content(writer.acknowledged);
      const name = `${writer.path}, reader ${at}`;
      assert.ok(reader.seen === expected, `${name}: ${difference(reader.seen, expected)}`);
    }
  }

  /** What `work` does, unless a writer or a reader fails meanwhile. */
  async #unlessBroken(work: Promise<void>): Promise<void> {
    await Promise.race([
      work,
      this.#writing.then(() => work),
      this.#reading.then(() => work),
    ]);
  }
}
