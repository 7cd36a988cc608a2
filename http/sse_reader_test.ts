import assert from "node:assert/strict";
import type { LiveEvent } from "../group/mod.ts";
import { Feed } from "../shard/mod.ts";
import { type ReadFrom, type ReadPlan, sliceOf, type StreamFacts } from "../stream/mod.ts";
import { SETTINGS } from "../tests/given/plane.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { factsOf } from "../tests/given/facts.ts";
import type { HttpContext } from "./context.ts";
import { LiveReaders } from "./live_readers.ts";
import type { ReadWish } from "./read_request.ts";
import type { DataForm } from "./sse_events.ts";
import { SseReader } from "./sse_reader.ts";

const encoder = new TextEncoder();
const KIB = 1024;

const WISH: ReadWish = {
  from: "start",
  live: "sse",
  maxBytes: 4 * KIB * KIB,
  cursor: undefined,
  timeoutMs: undefined,
  incarnation: undefined,
  echo: undefined,
};

/** One stream, its feed, and readers of it. */
class Stage {
  readonly clock = new SimClock();
  readonly liveReaders = new LiveReaders(this.clock, 10);
  readonly feed: Feed;
  idle = 0;
  reads = 0;
  /** Answers reads; replaced where a read shall fail or take its time. */
  answer: (plan: ReadPlan) => unknown = (plan) => ({ plan });
  #bytes: Uint8Array;
  #closed = false;

  constructor(text = "") {
    this.#bytes = encoder.encode(text);
    this.feed = new Feed(this.facts, () => this.idle++);
  }

  get facts(): StreamFacts {
    return factsOf({ tail: this.#bytes.length, closed: this.#closed });
  }

  plan(from: number, maxBytes = Infinity): ReadPlan {
    const tail = this.#bytes.length;
    const next = from >= tail ? from : Math.min(tail, from + maxBytes);
    return {
      facts: this.facts,
      from,
      next,
      slices: next > from ? [sliceOf(this.#bytes.slice(from, next))] : [],
      upToDate: next >= tail,
      snapshot: undefined,
    };
  }

  append(added: string | Uint8Array, more: Partial<LiveEvent> = {}): void {
    const bytes = typeof added === "string" ? encoder.encode(added) : added;
    const from = this.#bytes.length;
    const all = new Uint8Array(from + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, from);
    this.#bytes = all;
    this.#closed = more.closed ?? this.#closed;
    this.feed.deliver({
      from,
      to: all.length,
      slices: [sliceOf(bytes)],
      closed: false,
      ended: false,
      ...more,
    });
  }

  end(): void {
    this.feed.deliver({ from: 0, to: 0, slices: [], closed: false, ended: true });
  }

  open(options: { from?: number; wish?: Partial<ReadWish>; form?: DataForm } = {}): Client {
    const context = {
      clock: this.clock,
      random: { next: () => 0 },
      liveReaders: this.liveReaders,
      settings: SETTINGS,
      streams: {
        read: async ({ from, maxBytes }: { from: ReadFrom; maxBytes: number }) => {
          this.reads++;
          return await this.answer(this.plan(from as number, maxBytes));
        },
      },
    } as unknown as HttpContext; // what a reader asks of it
    const wish = { ...WISH, ...options.wish };
    const plan = this.plan(options.from ?? 0, wish.maxBytes);
    const feed = plan.upToDate && plan.facts.closed ? undefined : this.feed.expect();
    const { form = "text" } = options;
    const sse = new SseReader({ context, key: "demo/a", wish, plan, form, feed });
    return new Client(sse, this.clock);
  }
}

/** Takes events off a reader's body, or leaves them there. */
class Client {
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(sse: SseReader, readonly clock: SimClock) {
    this.reader = sse.body.getReader();
  }

  /** One message as text: what `data` events carried, `|`, where reading goes on and its flags. */
  async next(): Promise<string> {
    // Whoever has taken what waited is looked after a little later.
    const { done, value } = await this.clock.until(this.reader.read());
    if (done) return "end";
    const text = new TextDecoder("utf-8", { fatal: true }).decode(value);
    if (text.startsWith(":")) return "keep-alive";
    const data = /^event: data\n((?:data:.*\n)*)\n/.exec(text);
    const control = JSON.parse(/event: control\ndata:(.*)\n\n$/.exec(text)?.[1] ?? "");
    const lines = (data?.[1] ?? "").split("\n").slice(0, -1);
    const flags = (control.upToDate ? " up to date" : "") + (control.streamClosed ? " closed" : "");
    const body = lines.map((line) => line.slice("data:".length)).join("\n");
    const shown = body.length > 20 ? `${body.length} bytes` : body;
    return `${shown}|${Number(control.streamNextOffset)}${flags}`;
  }
}

/** Whether nothing comes for now. */
async function isSilent(client: Client): Promise<boolean> {
  const next = client.reader.read().then(() => false, () => false);
  return await Promise.race([next, new Promise<true>((r) => setTimeout(() => r(true), 5))]);
}

Deno.test("a reader gets what is there, then each batch", async () => {
  const stage = new Stage("old");
  const client = stage.open();
  assert.equal(await client.next(), "old|3 up to date");
  stage.append("a");
  stage.append("b\nc");
  assert.equal(await client.next(), "a|4 up to date");
  assert.equal(await client.next(), "b\nc|7 up to date");
  assert.equal(stage.reads, 0, "nobody had to read again");
  assert.equal(stage.liveReaders.count, 1);
});

Deno.test("a reader at the tail is told where it is, before anything comes", async () => {
  const client = new Stage("old").open({ from: 3 });
  assert.equal(await client.next(), "|3 up to date");
});

Deno.test("a batch that comes right after the last one was taken is not missed", async () => {
  const stage = new Stage();
  const client = stage.open();
  await client.next();
  stage.append("a");
  const taken = client.next();
  stage.append("b");
  assert.equal(await taken, "a|1 up to date");
  assert.equal(await client.next(), "b|2 up to date");
});

Deno.test("a reader that begins further back catches up, then follows", async () => {
  const stage = new Stage("x".repeat(1_000 * KIB));
  const client = stage.open({ wish: { maxBytes: 256 * KIB } });
  const seen: string[] = [];
  while (!seen.at(-1)?.includes("up to date")) seen.push(await client.next());
  assert.deepEqual(seen, [
    "262144 bytes|262144",
    "262144 bytes|524288",
    "262144 bytes|786432",
    "237568 bytes|1024000 up to date",
  ]);
  stage.append("live");
  assert.equal(await client.next(), "live|1024004 up to date");
});

Deno.test("a batch without bytes, or with more than the reader asked for, is read", async () => {
  const stage = new Stage();
  const client = stage.open({ wish: { maxBytes: 2 } });
  await client.next();
  stage.append("abc");
  assert.equal(await client.next(), "ab|2");
  assert.equal(await client.next(), "c|3 up to date");
  stage.append("d", { slices: undefined });
  assert.equal(await client.next(), "d|4 up to date");
  assert.equal(stage.reads, 3);
});

Deno.test("batches that come while a reader reads are not sent twice, nor left out", async () => {
  const stage = new Stage();
  const client = stage.open();
  await client.next();
  const held = Promise.withResolvers<void>();
  stage.answer = async (plan) => {
    await held.promise;
    return { plan };
  };
  stage.append("a", { slices: undefined });
  stage.append("b");
  stage.append("c");
  held.resolve();
  assert.equal(await client.next(), "a|1 up to date");
  assert.equal(await client.next(), "bc|3 up to date");
  stage.append("d");
  assert.equal(await client.next(), "d|4 up to date");
});

Deno.test("a slow reader is passed over, and reads the rest when it has room again", async () => {
  const stage = new Stage();
  const client = stage.open();
  const chunk = "x".repeat(100 * KIB);
  for (let n = 0; n < 40; n++) stage.append(chunk);
  assert.equal(stage.reads, 0);
  assert.equal(await client.next(), "|0 up to date");
  let at = 0;
  let waiting = 0;
  for (let next = ""; at < 40 * chunk.length;) {
    next = await client.next();
    const to = Number(/\|(\d+)/.exec(next)?.[1]);
    assert.equal(next.startsWith(`${to - at} bytes|`), true, next);
    at = to;
    waiting++;
  }
  assert.ok(waiting < 25, "most of it came in larger pieces");
  assert.ok(await isSilent(client));
});

Deno.test("a reader that takes nothing for 30 s is cut off", async () => {
  const stage = new Stage();
  const client = stage.open();
  stage.append("x".repeat(300 * KIB));
  await stage.clock.run(29_000);
  assert.equal(stage.liveReaders.count, 1);
  await stage.clock.run(2_000);
  assert.equal(stage.liveReaders.count, 0);
  assert.equal(stage.idle, 1);
  await assert.rejects(client.reader.read(), /takes nothing/);
});

Deno.test("a reader hears something every 15 s, and ends when it is old", async () => {
  const stage = new Stage();
  const client = stage.open();
  assert.equal(await client.next(), "|0 up to date");
  await stage.clock.run(14_000);
  stage.append("a");
  await stage.clock.run(14_000);
  stage.append("b");
  await stage.clock.run(16_000);
  assert.deepEqual(
    [await client.next(), await client.next(), await client.next()],
    ["a|1 up to date", "b|2 up to date", "keep-alive"],
  );
  await stage.clock.run(SETTINGS.sseMaxAgeMs - 44_000);
  let last = await client.next();
  while (last === "keep-alive") last = await client.next();
  assert.equal(last, "end");
  assert.deepEqual([stage.liveReaders.count, stage.idle], [0, 1]);
});

Deno.test("a reader ends when the stream is closed, with its last bytes or without", async () => {
  for (const last of ["end", ""]) {
    const stage = new Stage("old");
    const client = stage.open();
    await client.next();
    stage.append(last, { closed: true });
    assert.equal(await client.next(), `${last}|${3 + last.length} up to date closed`);
    assert.equal(await client.next(), "end");
    assert.deepEqual([stage.liveReaders.count, stage.idle], [0, 1]);
    const late = stage.open();
    assert.equal(await late.next(), `old${last}|${3 + last.length} up to date closed`);
    assert.equal(await late.next(), "end");
  }
});

Deno.test("a reader that lags hears of the end of a closed stream, too", async () => {
  const stage = new Stage();
  const client = stage.open();
  stage.append("x".repeat(300 * KIB));
  stage.append("y");
  stage.append("", { closed: true });
  assert.equal(await client.next(), "|0 up to date");
  assert.match(await client.next(), /\|307200 up to date$/);
  assert.equal(await client.next(), "y|307201 up to date closed");
  assert.equal(await client.next(), "end");
});

Deno.test("a reader ends when the stream is gone, the node stops, or a read is refused", async () => {
  const ways: ((stage: Stage) => void)[] = [
    (stage) => stage.end(),
    (stage) => stage.liveReaders.close(),
    (stage) => {
      stage.answer = () => ({ refused: "stream_not_found" });
      stage.append("a", { slices: undefined });
    },
  ];
  for (const way of ways) {
    const stage = new Stage();
    const client = stage.open();
    await client.next();
    way(stage);
    assert.equal(await client.next(), "end");
    assert.equal(stage.liveReaders.count, 0);
    stage.feed.deliver({ from: 0, to: 1, slices: [], closed: false, ended: false });
  }
  const stage = new Stage("old");
  stage.end();
  const client = stage.open();
  assert.equal(await client.next(), "old|3 up to date");
  assert.equal(await client.next(), "end");
});

Deno.test("a reader that goes away leaves nothing behind", async () => {
  const stage = new Stage();
  const client = stage.open();
  await client.reader.cancel();
  assert.deepEqual([stage.liveReaders.count, stage.idle], [0, 1]);
  stage.append("a");
});

Deno.test("text that an append cut within a code point waits for the rest", async () => {
  const stage = new Stage();
  const client = stage.open();
  await client.next();
  const bytes = encoder.encode("a😀b");
  stage.append(bytes.subarray(0, 3));
  assert.equal(await client.next(), "a|1 up to date");
  stage.append(bytes.subarray(3, 4));
  stage.append(bytes.subarray(4));
  assert.equal(await client.next(), "😀b|6 up to date");
  stage.append(bytes.subarray(1, 2));
  stage.append(bytes.subarray(2, 5));
  assert.equal(await client.next(), "😀|10 up to date");
});

Deno.test("text that ends within a code point ends there when the stream is closed", async () => {
  const stage = new Stage();
  const client = stage.open();
  await client.next();
  stage.append(new Uint8Array([0x61, 0xf0]), { closed: true });
  const { value } = await client.reader.read();
  assert.match(new TextDecoder().decode(value), /^event: data\ndata:a\ufffd\n\n/);
  assert.equal(await client.next(), "end");
});

Deno.test("bytes go out as they are cut, in base64", async () => {
  const stage = new Stage();
  const client = stage.open({ form: "base64" });
  await client.next();
  stage.append(new Uint8Array([0xf0, 0x9f]));
  assert.equal(await client.next(), "8J8=|2 up to date");
});

Deno.test("a reader beyond the tail waits, and its offset stays its own", async () => {
  const stage = new Stage("abc");
  const client = stage.open({ from: 5, wish: { echo: "00000000000000000005" } });
  assert.equal(await client.next(), "|5 up to date");
  stage.append("d");
  assert.ok(await isSilent(client));
});

Deno.test("a reader beyond any tail is told so in its own words", async () => {
  const echo = "9".repeat(20);
  const client = new Stage("abc").open({ from: Number.MAX_SAFE_INTEGER, wish: { echo } });
  const { value } = await client.reader.read();
  assert.match(new TextDecoder().decode(value), new RegExp(`"streamNextOffset":"${echo}"`));
});

Deno.test("all readers are sent the same bytes", async () => {
  const stage = new Stage();
  const clients = [stage.open(), stage.open()];
  for (const client of clients) await client.next();
  stage.append("same");
  const [one, two] = await Promise.all(clients.map((client) => client.reader.read()));
  assert.ok(one?.value !== undefined);
  assert.equal(one.value, two?.value);
});
