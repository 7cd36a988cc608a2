import assert from "node:assert/strict";
import { givenPlane } from "../tests/given/plane.ts";

const PATH = "/v1/stream/a";

async function withStream(body = "", settings = {}) {
  const given = await givenPlane(settings);
  await given.ask("PUT", PATH, body);
  const poll = (offset: string, more = "", init: RequestInit = {}) =>
    given.begin("GET", `${PATH}?live=long-poll&offset=${offset}${more}`, init);
  return { ...given, poll };
}

async function shown(response: Response): Promise<string> {
  const { status, headers } = response;
  const flags = [
    headers.has("stream-up-to-date") && "up to date",
    headers.has("stream-closed") && "closed",
    headers.has("stream-cursor") && "cursor",
  ].filter(Boolean).join(", ");
  return `${status} ${await response.text()}|${Number(headers.get("stream-next-offset"))} ${flags}`;
}

Deno.test("a long-poll is answered at once when something is there", async () => {
  const { clock, poll, close } = await withStream("abc");
  const response = await clock.until(poll("1"), 0);
  assert.match(response.headers.get("cache-control") ?? "", /^public/);
  assert.equal(await shown(response), "200 bc|3 up to date, cursor");
  await close();
});

Deno.test("a long-poll is answered when something comes", async () => {
  const { clock, ask, poll, close } = await withStream("abc");
  const waiting = poll("3");
  const tail = poll("now");
  await clock.run(10_000);
  await ask("POST", PATH, "de");
  const response = await waiting;
  assert.equal(response.headers.get("etag")?.split(":").slice(1).join(":"), '3:5"');
  assert.equal(await shown(response), "200 de|5 up to date, cursor");
  const late = await tail;
  assert.equal(late.headers.get("cache-control"), "no-store");
  assert.equal(await shown(late), "200 de|5 up to date, cursor");
  await close();
});

Deno.test("a long-poll is answered with nothing when its time is up", async () => {
  const { clock, poll, close } = await withStream("abc");
  const long = poll("3");
  const short = poll("3", "&timeout_ms=1500");
  const none = poll("3", "&timeout_ms=0");
  assert.equal(await shown(await clock.until(none)), "204 |3 up to date, cursor");
  await clock.until(short);
  assert.ok(clock.monotonicMs() >= 1_500 && clock.monotonicMs() < 1_600);
  await clock.until(long);
  assert.ok(clock.monotonicMs() >= 20_000 && clock.monotonicMs() < 20_100);
  assert.equal((await long).headers.get("cache-control"), "no-store");
  await close();
});

Deno.test("a long-poll at the end of a closed stream does not wait", async () => {
  const { clock, ask, poll, close } = await withStream("abc");
  const waiting = poll("3");
  await clock.run(1);
  await ask("POST", PATH, undefined, { "stream-closed": "true" });
  for (const response of [await waiting, await clock.until(poll("3"), 0)]) {
    assert.equal(await shown(response), "204 |3 up to date, closed");
  }
  await close();
});

Deno.test("a long-poll hears of the last bytes and the end at once", async () => {
  const { clock, ask, poll, close } = await withStream();
  const waiting = poll("0");
  await clock.run(1);
  await ask("POST", PATH, "end", { "content-type": "text/plain", "stream-closed": "true" });
  const response = await waiting;
  assert.match(response.headers.get("etag") ?? "", /:0:3:c"$/);
  assert.equal(await shown(response), "200 end|3 up to date, closed, cursor");
  await close();
});

Deno.test("a long-poll gets no more than it asked for", async () => {
  const { clock, ask, poll, close } = await withStream();
  const waiting = poll("0", "&max_bytes=2");
  await clock.run(1);
  await ask("POST", PATH, "abc");
  assert.equal(await shown(await waiting), "200 ab|2 cursor");
  await close();
});

Deno.test("a long-poll beyond the tail waits until the stream has come that far", async () => {
  const { clock, ask, poll, close } = await withStream("abc");
  const waiting = poll("5");
  await clock.run(1);
  await ask("POST", PATH, "d");
  await ask("POST", PATH, "efg");
  assert.equal(await shown(await waiting), "200 fg|7 up to date, cursor");
  const idle = await clock.until(poll("9", "&timeout_ms=10"));
  assert.equal(await shown(idle), "204 |9 up to date, cursor");
  await close();
});

Deno.test("a long-poll ends when its stream does", async () => {
  for (const again of [false, true]) {
    const { clock, begin, ask, poll, close } = await withStream("abc");
    const waiting = poll("3");
    await clock.run(1);
    const deleted = begin("DELETE", PATH);
    const made = again
      ? begin("PUT", PATH, { headers: { "content-type": "text/plain" } })
      : undefined;
    await clock.until(Promise.all([deleted, made]));
    assert.equal((await clock.until(waiting)).status, 404);
    assert.equal((await ask("GET", PATH)).status, again ? 200 : 404);
    await close();
  }
});

Deno.test("a long-poll leaves within a second of its client", async () => {
  const { clock, poll, close } = await withStream("abc", { liveReadersMax: 1 });
  const left = new AbortController();
  const waiting = poll("3", "", { signal: left.signal });
  await clock.run(1);
  assert.equal((await clock.until(poll("3"), 0)).status, 503);
  left.abort();
  await clock.until(waiting, 1_000);
  const late = new AbortController();
  const lasting = poll("3", "", { signal: late.signal });
  await clock.run(5_000);
  late.abort();
  await clock.until(lasting, 0);
  const gone = poll("3", "", { signal: AbortSignal.abort() });
  await clock.until(gone, 1_000);
  const next = await clock.until(poll("3", "&timeout_ms=10"));
  assert.equal(next.status, 204, "its place is free");
  await close();
});

Deno.test("a long-poll ends when the node stops", async () => {
  const { clock, plane, poll, close } = await withStream("abc");
  const waiting = poll("3");
  await clock.run(1);
  plane.endLiveReads();
  assert.equal((await clock.until(waiting, 0)).status, 503);
  assert.equal((await clock.until(poll("3"), 0)).status, 503);
  assert.equal((await clock.until(poll("0"), 0)).status, 200);
  await close();
});

Deno.test("a long-poll of JSON is answered with an array", async () => {
  const { clock, ask, begin, close } = await givenPlane();
  const headers = { "content-type": "application/json" };
  await ask("PUT", "/v1/stream/j", undefined, headers);
  const polls = [0, 1].map(() => begin("GET", "/v1/stream/j?live=long-poll&offset=-1"));
  await clock.run(1);
  await ask("POST", "/v1/stream/j", "[1, 2]", headers);
  for (const response of await Promise.all(polls)) {
    assert.deepEqual(await response.json(), [1, 2]);
  }
  await close();
});
