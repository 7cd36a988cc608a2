import assert from "node:assert/strict";
import { Feed } from "../shard/mod.ts";
import type { ReadPlan } from "../stream/mod.ts";
import { givenPlane, SETTINGS } from "../tests/given/plane.ts";
import { SimClock } from "../tests/sim/clock.ts";
import { factsOf } from "../tests/given/facts.ts";
import type { Reply } from "./answer.ts";
import type { HttpContext } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import { LiveReaders } from "./live_readers.ts";
import { longPoll } from "./long_poll.ts";
import type { ReadWish } from "./read_request.ts";
import { serverSentEvents } from "./sse.ts";

const FACTS = factsOf();
const PLAN: ReadPlan = {
  facts: FACTS,
  from: 3,
  next: 3,
  slices: [],
  upToDate: true,
  snapshot: undefined,
};
const WISH: ReadWish = {
  from: 3,
  live: "sse",
  maxBytes: 4096,
  cursor: undefined,
  timeoutMs: undefined,
  incarnation: undefined,
  echo: undefined,
};

/** A plane with room for `max` live reads of one stream, all of whose replica's news the test tells. */
function given(max: number) {
  const clock = new SimClock();
  const liveReaders = new LiveReaders(clock, max);
  let idle = 0;
  const feed = new Feed(FACTS, () => idle++);
  const context = {
    clock,
    random: { next: () => 0 },
    settings: SETTINGS,
    liveReaders,
    streams: {
      // From another shard, or behind a read index: all who come at once wait for it together.
      watch: () => Promise.resolve(feed.expect()),
      read: () => assert.fail("nothing is to be read"),
    },
  } as unknown as HttpContext; // what live reads ask of it
  const request = new Request("http://node/v1/stream/a");
  const ask = (live: "sse" | "long-poll"): Promise<Reply> => {
    const wish = { ...WISH, live };
    if (live === "sse") return serverSentEvents(context, request, "demo/a", wish, PLAN);
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const exchange = { request, answer: resolve, fail: reject } as unknown as Exchange;
    longPoll(context, exchange, "demo/a", wish, PLAN);
    return promise;
  };
  return { clock, liveReaders, feed, ask, idle: () => idle };
}

const LOST = { from: 3, to: 3, slices: [], closed: false, ended: true, lost: true };

Deno.test("a replica that lost its leader answers long-polls 503 at once, and closes SSE", async () => {
  const { clock, liveReaders, feed, ask } = given(10);
  const events = await ask("sse");
  const poll = ask("long-poll");
  await Promise.resolve();
  feed.deliver(LOST);
  const { status, headers, body } = await poll;
  assert.deepEqual([status, headers["retry-after"]], [503, "1"]);
  assert.match(String(body), /no_leader/);
  assert.equal(events.status, 200);
  const text = await new Response(events.body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  assert.doesNotMatch(text, /streamClosed/);
  assert.equal(liveReaders.count, 0);
  assert.equal(clock.monotonicMs(), 0);
  liveReaders.close();
});

for (const live of ["sse", "long-poll"] as const) {
  Deno.test(`live readers (${live}) are bounded when many come at once`, async () => {
    const { liveReaders, feed, ask, idle } = given(3);
    const asked = Array.from({ length: 8 }, () => ask(live));
    const refused = [];
    for (const reply of asked) {
      const { promise: late, resolve } = Promise.withResolvers<undefined>();
      const timer = setTimeout(() => resolve(undefined), 5);
      const answered = await Promise.race([reply, late]);
      clearTimeout(timer);
      if (answered?.status === 503) refused.push(answered);
    }
    assert.equal(refused.length, 5);
    for (const { headers, body } of refused) {
      assert.equal(headers["retry-after"], "1");
      assert.match(String(body), /overloaded/);
    }
    assert.deepEqual([liveReaders.count, liveReaders.refused], [3, 5]);
    assert.equal(idle(), 0, "the others are still fed");
    feed.deliver(LOST);
    assert.equal(liveReaders.count, 0);
    liveReaders.close();
  });
}

Deno.test("with as many live readers as there may be, the rest goes on, and one that leaves makes room", async () => {
  const { clock, ask, begin, close } = await givenPlane({ liveReadersMax: 2 });
  await ask("PUT", "/v1/stream/a", "abc");
  const leaving = new AbortController();
  const polls = [leaving.signal, undefined].map((signal) =>
    begin("GET", "/v1/stream/a?offset=3&live=long-poll", { signal })
  );
  await clock.run(1);
  for (const live of ["long-poll", "sse"]) {
    const refused = await clock.until(begin("GET", `/v1/stream/a?offset=3&live=${live}`));
    assert.deepEqual([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    assert.match(await refused.text(), /overloaded/);
  }
  assert.equal((await ask("GET", "/v1/stream/a?offset=0")).status, 200);
  assert.equal((await ask("PUT", "/v1/stream/b", "x")).status, 201);
  leaving.abort();
  await clock.run(1_000);
  const events = await clock.until(begin("GET", "/v1/stream/a?offset=3&live=sse"));
  assert.equal(events.status, 200);
  assert.equal((await ask("POST", "/v1/stream/a", "d")).status, 204);
  assert.equal(await (await polls[1])?.text(), "d");
  await events.body?.cancel();
  await close();
});
