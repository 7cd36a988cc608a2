import assert from "node:assert/strict";
import type { Answer } from "../group/mod.ts";
import { EMPTY_QUERY } from "../protocol/mod.ts";
import { Admission } from "../shard/mod.ts";
import type { AppendStream } from "../stream/mod.ts";
import { batchOf } from "../tests/given/batch.ts";
import { givenPlane, SETTINGS } from "../tests/given/plane.ts";
import { SimClock } from "../tests/sim/clock.ts";
import type { Reply } from "./answer.ts";
import { appendBatch } from "./append_batch.ts";
import { BodyReader } from "./body.ts";
import type { HttpContext } from "./context.ts";

const TEXT = { "content-type": "text/plain" };
const BATCH = "/v1/append-batch/a";

/** A plane whose group answers when the test says so. */
function given() {
  const bodies = new BodyReader(new SimClock(), 1_000);
  const asked: { command: AppendStream; answer: (answer: Answer) => void }[] = [];
  const append = (command: AppendStream) =>
    new Promise<Answer>((answer) => asked.push({ command, answer }));
  const context = {
    admission: new Admission(new SimClock(), () => {}),
    bodies,
    settings: SETTINGS,
    streams: { append },
  } as unknown as HttpContext; // what a batch asks of it
  const ask = (items: string[]): Promise<Reply> => {
    const body = batchOf(items);
    const headers = { ...TEXT, "content-length": String(body.length) };
    const request = new Request(`http://node${BATCH}`, { method: "POST", body, headers });
    return appendBatch(context, request, { kind: "append_batch", key: "_default/a" }, EMPTY_QUERY);
  };
  const settled = () => new Promise((resolve) => setTimeout(resolve, 10));
  return { bodies, asked, ask, settled };
}

Deno.test("appendBatch() puts all items into one command, in order", async () => {
  const { asked, ask, settled } = given();
  void ask(["one", "two", "three"]);
  await settled();
  assert.equal(asked.length, 1);
  const { body } = (asked[0] as typeof asked[0]).command; // length 1
  assert.deepEqual(body?.lengths, [3, 3, 5]);
});

Deno.test("appendBatch() answers as an append would when nobody knows what became of it", async () => {
  const { asked, ask, settled } = given();
  const rows = [
    ["outcome_unknown", 408, undefined],
    ["no_leader", 503, "1"],
    ["overloaded", 503, "1"],
    ["stopping", 503, "1"],
  ] as const;
  for (const [unavailable, status, retryAfter] of rows) {
    const reply = ask(["one", "two"]);
    await settled();
    asked.pop()?.answer({ unavailable });
    const { status: found, headers } = await reply;
    assert.deepEqual([found, headers["retry-after"]], [status, retryAfter], unavailable);
  }
});

Deno.test("appendBatch() holds its body until it is answered", async () => {
  const { bodies, asked, ask, settled } = given();
  const held = ask(["x".repeat(896)]);
  await settled();
  assert.equal(bodies.bytesInFlight, 900);
  const refused = await ask(["x".repeat(200)]);
  assert.equal(refused.status, 503);
  assert.equal(asked.length, 1);
  asked[0]?.answer({ unavailable: "no_leader" });
  await held;
  assert.equal(bodies.bytesInFlight, 0);
});

Deno.test("a batch is bounded by items and bytes, and each item by what an append may have", async () => {
  const settings = { batchItemsMax: 3, batchBytesMax: 64, appendBytesMax: 16 };
  const { ask, close } = await givenPlane(settings);
  await ask("PUT", "/v1/stream/a");
  const post = async (items: string[]) => {
    const answer = await ask("POST", BATCH, batchOf(items), TEXT);
    return { status: answer.status, text: await answer.text() };
  };
  const many = await post(["1", "2", "3", "4"]);
  assert.equal(many.status, 413);
  assert.match(many.text, /batch_too_large.*at most 3 items and 64 bytes/);
  assert.equal((await post(["x".repeat(61)])).status, 413);
  const mixed = await post(["1", "x".repeat(17), "2"]);
  const items = JSON.parse(mixed.text);
  assert.deepEqual(items.map(({ status }: { status: number }) => status), [204, 413, 204]);
  assert.match(items[1].error, /16 bytes/);
  assert.equal(await (await ask("GET", "/v1/stream/a")).text(), "12");
  await close();
});

Deno.test("a batch deleted under way is all there, or refused: never half", async () => {
  const { ask, begin, clock, close } = await givenPlane();
  for (let round = 0; round < 10; round++) {
    const path = `/v1/stream/s${round}`;
    await ask("PUT", path);
    const body = batchOf(["1", "2", "3"]);
    const deleted = round % 2 === 0 ? begin("DELETE", path) : undefined;
    const batch = begin("POST", `/v1/append-batch/s${round}`, { body, headers: TEXT });
    const later = deleted ?? begin("DELETE", path);
    const answer = await clock.until(batch);
    assert.equal((await clock.until(later)).status, 204);
    const text = await answer.text();
    if (answer.status === 404) assert.match(text, /stream_not_found/);
    else assert.equal(JSON.parse(text).at(-1).stream_next_offset, 3);
  }
  await close();
});
